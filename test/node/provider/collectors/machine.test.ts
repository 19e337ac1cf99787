/**
 * The real files and programs behind the collectors' ports, in a folder of the test's own.
 * @module
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../../../contracts/base/bytes.ts'
import { noDevice, systemCode, thisMachine } from '../../../../node/provider/collectors/machine.ts'

const { files, run } = thisMachine
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chrysalis-collectors-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('files', () => {
  it('are written, read, and replaced whole, for their owner alone', async () => {
    const path = join(folder, 'deep', 'file')
    await files.replace(path, utf8('one'))
    await files.replace(path, utf8('two'))
    expect(await files.read(path)).toEqual(utf8('two'))
    await files.write(path, utf8('three'))
    expect(await files.read(path)).toEqual(utf8('three'))
    expect((await stat(path)).mode & 0o077).toBe(0)
    expect(await readdir(join(folder, 'deep'))).toEqual(['file'])
  })

  it('that are missing say so with the code of the system', async () => {
    const missing = await files.read(join(folder, 'nothing')).catch(systemCode)
    expect(missing).toBe('ENOENT')
    expect(systemCode(undefined)).toBeUndefined()
    expect(systemCode({ code: 5 })).toBeUndefined()
  })

  it('have folders that are made once and removed', async () => {
    const path = join(folder, 'request')
    await files.makeFolder(path)
    expect(await files.makeFolder(path).catch(systemCode)).toBe('EEXIST')
    await files.removeFolder(path)
    expect(await files.removeFolder(path).catch(systemCode)).toBe('ENOENT')
  })
})

describe('programs', () => {
  const node = (script: string) => run(process.execPath, ['-e', script])

  it('give their output and exit code, without a shell', async () => {
    expect(await node('console.log("$HOME")')).toEqual({ code: 0, stdout: '$HOME\n' })
    expect(await node('console.log(1); process.exit(3)')).toEqual({ code: 3, stdout: '1\n' })
    expect((await node('process.kill(process.pid)')).code).not.toBe(0)
  })

  it('that are missing say so', async () => {
    expect(await run(join(folder, 'no-program'), []).catch(systemCode)).toBe('ENOENT')
  })
})

describe('a missing device', () => {
  it('is an error of its own that says what is needed', () => {
    const error = noDevice('there is none', 'one')
    expect(error.report()).toMatchObject({
      code: 'no-device',
      facts: { because: 'there is none', needs: 'one' },
    })
    expect(error.exit).toBe(7)
  })
})
