/**
 * `npm run compile:wasm`: compiles the matching core's index to
 * `node/matching/compiled/index.json`, base64 of the WebAssembly module.
 *
 * The compiler is a development dependency of one version and gives the same bytes everywhere: a
 * test compiles again and compares.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SOURCE = 'node/matching/assembly/index.ts'
const COMPILED = new URL('../node/matching/compiled/index.json', import.meta.url)
const FLAGS = ['-O3', '--noAssert', '--converge', '--enable', 'simd', '--runtime', 'stub']

if (import.meta.main) {
  const text = await compileIndex()
  writeFileSync(COMPILED, text)
  process.stderr.write(`${fileURLToPath(COMPILED)}: ${text.length} bytes\n`)
}

/** The artefact as it is committed. Throws where the sources do not compile. */
export async function compileIndex(): Promise<string> {
  let binary: Uint8Array | undefined
  const { error, stderr } = await asc.main(
    [SOURCE, '--baseDir', ROOT, '--outFile', 'index.wasm', ...FLAGS],
    {
      writeFile(name, contents) {
        if (name === 'index.wasm' && typeof contents !== 'string') binary = contents
      },
    },
  )
  if (error || !binary) throw new Error(`${SOURCE} does not compile: ${stderr.toString()}`)
  return `${JSON.stringify({ wasm: Buffer.from(binary).toString('base64') })}\n`
}
