/**
 * `chrysalis dev` as a person starts it: the dashboard comes up with the market, shows its figures,
 * and goes with it.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { until } from '../support/marketProcesses.ts'
import { ROOT } from '../support/tree.ts'

const PORTS = ['--port', '0', '--localnet-port', '0', '--dashboard-port', '0']

it('stays up with the market, tells its figures, and stops with it', async () => {
  const home = await mkdtemp(join(tmpdir(), 'chrysalis-dashboard-'))
  const child = spawn(process.execPath, ['scripts/cli/main.ts', 'dev', ...PORTS], {
    cwd: ROOT,
    env: { ...process.env, CHRYSALIS_HOME: home },
  })
  const exited = once(child, 'exit')
  let said = ''
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString()
  })
  try {
    const up = () => said.includes('Ctrl-C') && said.includes('OPENAI_API_KEY')
    await until(`the market up: ${said}`, up, 60_000)
    const url = /dashboard +(http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1]
    const page = await fetch(`${url}/`)
    expect(page.headers.get('content-security-policy')).toContain(`default-src 'none'`)
    expect(await page.text()).toContain('<title>Chrysalis scheduler</title>')

    const status: unknown = await (await fetch(`${url}/status`)).json()
    const slot = { model: 'tiny-chat', tier: 'open', demo: true, tierMeaning: expect.any(String) }
    expect(status).toMatchObject({
      network: { name: 'localnet', development: true },
      chain: { answers: true, lastBlockAgeS: expect.any(Number) },
      health: { ok: true, problems: [] },
      providers: [{ payable: true }, { payable: true }],
      slots: [slot, slot],
      openJobs: 0,
      waiting: 0,
      clientChannels: [{ deposit: '2000000000' }],
    })
    const metrics = await (await fetch(`${url}/metrics`)).text()
    const claimed = /^chrysalis_channel_claimed_base_units\{asset="ton"\} ([1-9]\d*)$/m.exec(
      metrics,
    )?.[1]
    expect(claimed).toBeDefined()
    const settled = { cumulative: claimed, spent: claimed, claimed }
    expect(status).toMatchObject({ clientChannels: [settled], totals: settled })
    expect(metrics).toContain('chrysalis_scheduler_slots{model="tiny-chat",tier="open"} 2')

    child.kill('SIGINT')
    await exited
    await expect(fetch(`${url}/status`)).rejects.toThrow()
  } finally {
    child.kill('SIGKILL')
    await exited
    await rm(home, { recursive: true, force: true })
  }
})
