/**
 * What confining the engine process costs at its start: a process that does nothing, started by the
 * engine's command and by none, interleaved.
 *
 *   node test/bench/confine.ts
 *
 * Budget: 100 ms at the median on an idle machine. Wall time, and CPU of the process and of
 * whatever builds its root.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { loadavg } from 'node:os'
import { type Confine, engineCommand } from '../../node/backends/embedded/confine.ts'
import { TINY_CHAT } from '../../node/backends/tinyChat.ts'

const ROUNDS = 21
const KINDS: readonly Confine[] = ['none', 'limits', 'network', 'all']

const { modelPath } = TINY_CHAT
const modelBytes = statSync(modelPath).size
const walls = new Map<Confine, number[]>(KINDS.map((kind) => [kind, []]))
for (let round = 0; round < ROUNDS; round++) {
  for (const kind of KINDS) {
    const { execPath, execArgv } = await engineCommand(['-e', '0'], { modelPath, modelBytes }, kind)
    const beganMs = performance.now()
    const { status } = spawnSync(execPath, execArgv, { env: { HOME: '/' }, stdio: 'ignore' })
    if (status !== 0) throw new Error(`${kind}: exit ${status}`)
    walls.get(kind)?.push(performance.now() - beganMs)
  }
}
const median = (kind: Confine) => walls.get(kind)?.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0
console.log(`load ${loadavg()[0]?.toFixed(1)}, median of ${ROUNDS}`)
for (const kind of KINDS) {
  const ms = median(kind)
  console.log(`${kind.padEnd(8)} ${ms.toFixed(1)} ms, ${(ms - median('none')).toFixed(1)} more`)
}
