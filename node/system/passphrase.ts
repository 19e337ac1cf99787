/**
 * The passphrase of a key file: from the environment, from a file, or made for a development
 * network.
 *
 * Never from an argument of the command: those are visible to every user of the machine. A
 * generated one stands beside the key file, so it protects nothing there but backups; the file
 * says so.
 * @module
 */
import { toBase64, utf8 } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Random } from '../../contracts/base/ports.ts'
import { type Secret, secret } from '../../contracts/base/secret.ts'
import { readPrivateFile, writePrivateFile } from './privateFile.ts'

const NOTE =
  '# Made for a development network and kept beside the key file: coins there have no worth.\n' +
  '# On a public network set CHRYSALIS_PASSPHRASE or CHRYSALIS_PASSPHRASE_FILE instead.\n'

/**
 * Finds the passphrase: `CHRYSALIS_PASSPHRASE`, the first line of `CHRYSALIS_PASSPHRASE_FILE`, or,
 * where `generated` names a file, that file, made at the first call. Throws `key-file` where none
 * of them gives one, or where others can read the file.
 */
export async function findPassphrase(options: {
  env: Readonly<Record<string, string | undefined>>
  random: Random
  generated?: string
}): Promise<Secret<string>> {
  const { env, random, generated } = options
  if (env.CHRYSALIS_PASSPHRASE) return asSecret(env.CHRYSALIS_PASSPHRASE)
  if (env.CHRYSALIS_PASSPHRASE_FILE) {
    const text = await readPrivateFile(env.CHRYSALIS_PASSPHRASE_FILE)
    return firstLine(text, env.CHRYSALIS_PASSPHRASE_FILE)
  }
  if (generated === undefined) {
    throw new MarketError(
      'key-file',
      { missing: 'passphrase' },
      { action: 'Set CHRYSALIS_PASSPHRASE, or CHRYSALIS_PASSPHRASE_FILE to a file of mode 0600.' },
    )
  }
  const known = await readPrivateFile(generated)
  if (known !== undefined) return firstLine(known, generated)
  const passphrase = toBase64(random.bytes(24))
  await writePrivateFile(generated, utf8(`${passphrase}\n${NOTE}`))
  return asSecret(passphrase)
}

function asSecret(passphrase: string): Secret<string> {
  return secret('passphrase', passphrase)
}

function firstLine(text: string | undefined, path: string): Secret<string> {
  const line = text?.split('\n', 1)[0]?.trim()
  if (!line) throw new MarketError('key-file', { path, expected: 'a passphrase in the first line' })
  return asSecret(line)
}
