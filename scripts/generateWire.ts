/**
 * `npm run generate:wire`: TypeScript from `contracts/wire/chrysalis.proto`, by buf and
 * protoc-gen-es from the npm registry, offline. The output is committed; a test says when it is
 * stale.
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const WIRE = join(ROOT, 'contracts/wire')
const GENERATED = 'chrysalis_pb.ts'

/** Generates into `out`, a folder. Throws where buf fails. */
export async function generateWire(out: string): Promise<void> {
  const bin = join(ROOT, 'node_modules/.bin')
  const template = JSON.stringify({
    version: 'v2',
    plugins: [
      {
        local: 'protoc-gen-es',
        out,
        opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
      },
    ],
  })
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
  await promisify(execFile)(join(bin, 'buf'), ['generate', '--template', template], {
    cwd: WIRE,
    env,
  })
}

/** What is committed, and what a fresh generation gives. */
export async function compareWire(): Promise<{ committed: string; fresh: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'chrysalis-wire-'))
  try {
    await generateWire(folder)
    const committed = await readFile(join(WIRE, 'generated', GENERATED), 'utf8')
    return { committed, fresh: await readFile(join(folder, GENERATED), 'utf8') }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) await generateWire(join(WIRE, 'generated'))
