/**
 * Small files that only their owner may read: key files, passphrases, API keys.
 *
 * Read through no link and only where nobody else could have read or replaced them; written whole
 * or not at all, never over another.
 * @module
 */
import { chmod, constants, link, mkdir, open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'

/** A key file has 500 bytes. */
const FILE_BYTES = 4_096

/**
 * Reads a small file that only its owner may read; `undefined` where there is none. Throws
 * `key-file` where others could have read or replaced it.
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  // O_NOFOLLOW: a link planted in the folder must not choose which file is trusted.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((cause) => {
    if (cause.code === 'ENOENT') return undefined
    throw new MarketError('key-file', { path, code: cause.code }, { cause })
  })
  if (!file) return undefined
  try {
    const { mode, uid, size } = await file.stat()
    if ((mode & 0o077) !== 0) {
      throw new MarketError('key-file', { path, mode: (mode & 0o777).toString(8), expected: '600' })
    }
    if (process.getuid && uid !== process.getuid()) throw new MarketError('key-file', { path, uid })
    if (size > FILE_BYTES) throw new MarketError('key-file', { path, bytes: size })
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** Writes a new private file, whole or not at all. Throws `key-file` where there is one already. */
export async function writePrivateFile(path: string, content: Bytes): Promise<void> {
  const folder = dirname(path)
  const temporary = `${path}.${process.pid}.new`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700)
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    // A link, unlike a rename, fails where another process was first.
    await link(temporary, path)
    await unlink(temporary)
    const directory = await open(folder, constants.O_RDONLY)
    await directory.sync()
    await directory.close()
  } catch (cause) {
    await unlink(temporary).catch(() => undefined)
    throw new MarketError('key-file', { path, detail: asMarketError(cause).message }, { cause })
  }
}
