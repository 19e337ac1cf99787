/**
 * `chrysalis sim` as a process: two machines with one seed tell the same history.
 * @module
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { runWorld } from '../../scripts/market/simulated.ts'

const MAIN = join(import.meta.dirname, '../../scripts/cli/main.ts')
const run = promisify(execFile)

describe('chrysalis sim', () => {
  it('prints the ledger hash that another process computes from the same seed', async () => {
    const args = [MAIN, 'sim', '--seed', '5', '--jobs', '20', '--json']
    const { stdout } = await run(process.execPath, args)
    const printed = JSON.parse(stdout)
    const own = await runWorld({ seed: 5, jobs: 20 })
    expect(printed).toMatchObject({ ok: true, simulated: true, seed: 5, jobs: 20, broken: [] })
    expect(printed.ledgerHash).toBe(own.ledgerHash)
    expect(printed.totals.faucet).toBe(own.totals.faucet.toString())
  })

  it('says to a person that it is simulated', async () => {
    const { stdout } = await run(process.execPath, [MAIN, 'sim', '--seed', '5', '--jobs', '5'])
    expect(stdout).toContain('simulated world 5')
    expect(stdout).toMatch(/ledger hash [0-9a-f]{64}/)
  })

  it('refuses no jobs and too many', async () => {
    for (const jobs of ['0', '10001']) {
      const refused = run(process.execPath, [MAIN, 'sim', '--seed', '5', '--jobs', jobs, '--json'])
      await expect(refused).rejects.toMatchObject({
        code: 2,
        stdout: expect.stringContaining('"code":"bad-input"'),
      })
    }
  })
})
