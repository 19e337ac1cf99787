/**
 * What confining the engine process costs at its start: a process that does nothing, started by the
 * engine's command and by none, interleaved.
 *
 *   node test/bench/confine.ts
 *
 * Budget: 100 ms at the median on an idle machine. Wall time at the median, and the mean CPU of the
 * process and of whatever builds its root, from the kernel: on a busy machine read that.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { loadavg } from 'node:os'
import { type Confine, engineCommand } from '../../node/backends/embedded/confine.ts'
import { TINY_CHAT } from '../../node/backends/tinyChat.ts'

const ROUNDS = 21
const KINDS: readonly Confine[] = ['none', 'limits', 'network', 'all']

const { modelPath } = TINY_CHAT
const modelBytes = statSync(modelPath).size
/** CPU of ended children so far, ms: fields 16 and 17 of proc(5) stat, in ticks of 10 ms. */
const childrenCpuMs = () => {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) * 10
}
const cpuMs = new Map<Confine, number>(KINDS.map((kind) => [kind, 0]))
const walls = new Map<Confine, number[]>(KINDS.map((kind) => [kind, []]))
for (let round = 0; round < ROUNDS; round++) {
  for (const kind of KINDS) {
    const { execPath, execArgv } = await engineCommand(['-e', '0'], { modelPath, modelBytes }, kind)
    const beganMs = performance.now()
    const cpuBeforeMs = childrenCpuMs()
    const { status } = spawnSync(execPath, execArgv, { env: { HOME: '/' }, stdio: 'ignore' })
    if (status !== 0) throw new Error(`${kind}: exit ${status}`)
    walls.get(kind)?.push(performance.now() - beganMs)
    cpuMs.set(kind, (cpuMs.get(kind) ?? 0) + childrenCpuMs() - cpuBeforeMs)
  }
}
const median = (kind: Confine) => walls.get(kind)?.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0
console.log(`load ${loadavg()[0]?.toFixed(1)}, median of ${ROUNDS}`)
for (const kind of KINDS) {
  const ms = median(kind)
  const cpu = ((cpuMs.get(kind) ?? 0) / ROUNDS).toFixed(1)
  const more = (ms - median('none')).toFixed(1)
  console.log(`${kind.padEnd(8)} ${ms.toFixed(1)} ms, ${more} more; CPU ${cpu} ms`)
}
