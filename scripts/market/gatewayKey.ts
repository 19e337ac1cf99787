/**
 * The gateway's API key: made once, kept in a file that only its owner can read.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { utf8 } from '../../contracts/base/bytes.ts'
import { type Secret, secret } from '../../contracts/base/secret.ts'
import { roleFolder } from '../../node/system/home.ts'
import { readPrivateFile, writePrivateFile } from '../../node/system/privateFile.ts'

/** The key of the gateway on a network, made at the first start. Throws `key-file`. */
export async function gatewayKey(home: string, network: string): Promise<Secret<string>> {
  const file = join(roleFolder(home, network, 'gateway'), 'api-key')
  const known = (await readPrivateFile(file))?.trim()
  if (known) return secret('API key', known)
  const key = `sk-chrysalis-${randomBytes(24).toString('base64url')}`
  await writePrivateFile(file, utf8(`${key}\n`))
  return secret('API key', key)
}
