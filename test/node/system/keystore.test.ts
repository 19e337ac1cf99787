/**
 * The key file: who may read it, what opens it, and that no two purposes share a key.
 * @module
 */
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../contracts/base/bytes.ts'
import { secret } from '../../../contracts/base/secret.ts'
import { homeFolder, networkFile, readNetwork } from '../../../node/system/home.ts'
import { keystoreOf, openKeystore } from '../../../node/system/keystore.ts'
import { findPassphrase } from '../../../node/system/passphrase.ts'
import { createSeededRandom } from '../../../node/system/seededRandom.ts'

const random = createSeededRandom('keystore test')
const keyFile = expect.objectContaining({ code: 'key-file' })
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chrysalis-keys-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('openKeystore', () => {
  it('makes a file once, private, and opens it again with the same keys only', async () => {
    const path = join(folder, 'a', 'keys.json')
    const options = { path, passphrase: secret('passphrase', 'right'), random }
    await expect(openKeystore(options)).rejects.toThrow(keyFile)
    const made = await openKeystore({ ...options, create: true })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o700)

    const again = await openKeystore(options)
    expect(again.key('identity').publicKey).toEqual(made.key('identity').publicKey)
    const text = await readFile(path, 'utf8')
    expect(text).not.toContain(toHex(made.secret('wallet').reveal()))

    await expect(
      openKeystore({ ...options, passphrase: secret('passphrase', 'wrong') }),
    ).rejects.toThrow(keyFile)
    await expect(
      openKeystore({ ...options, passphrase: secret('passphrase', '') }),
    ).rejects.toThrow(keyFile)

    const json = JSON.parse(text)
    const box = Buffer.from(json.box, 'base64')
    box[3]! ^= 1
    await writeFile(path, JSON.stringify({ ...json, box: box.toString('base64') }))
    await expect(openKeystore(options)).rejects.toThrow(keyFile)
    // Cheaper parameters would make a stolen file cheaper to guess.
    await writeFile(path, JSON.stringify({ ...json, kdf: { ...json.kdf, N: 2 } }))
    await expect(openKeystore(options)).rejects.toThrow(keyFile)
  })

  it('refuses a file that others can read, and a link', async () => {
    const path = join(folder, 'b.json')
    await writeFile(path, '{}', { mode: 0o600 })
    await chmod(path, 0o640)
    await expect(
      openKeystore({ path, passphrase: secret('passphrase', 'x'), random }),
    ).rejects.toMatchObject({
      code: 'key-file',
      facts: { mode: '640' },
    })
    await chmod(path, 0o604)
    await expect(
      openKeystore({ path, passphrase: secret('passphrase', 'x'), random }),
    ).rejects.toThrow(keyFile)
    await chmod(path, 0o600)
    await expect(
      openKeystore({ path, passphrase: secret('passphrase', 'x'), random }),
    ).rejects.toMatchObject({
      facts: { malformed: true },
    })
    const link = join(folder, 'link.json')
    await symlink(path, link)
    await expect(
      openKeystore({ path: link, passphrase: secret('passphrase', 'x'), random }),
    ).rejects.toThrow(keyFile)
  })

  it('keeps an imported wallet and derives the rest', async () => {
    const seed = random.bytes(32)
    const walletSeed = secret('wallet seed', seed)
    const path = join(folder, 'c.json')
    const made = await openKeystore({
      path,
      passphrase: secret('passphrase', 'p'),
      random,
      create: true,
      walletSeed,
    })
    expect(made.secret('wallet').reveal()).toEqual(seed)
    const again = await openKeystore({ path, passphrase: secret('passphrase', 'p'), random })
    expect(again.secret('wallet').reveal()).toEqual(seed)
    const short = {
      path: join(folder, 'd.json'),
      passphrase: secret('passphrase', 'p'),
      random,
      create: true,
    }
    await expect(
      openKeystore({ ...short, walletSeed: secret('wallet seed', random.bytes(31)) }),
    ).rejects.toThrow()
  })

  it('has one key for each purpose and label', () => {
    const keys = keystoreOf(secret('root key', random.bytes(32)))
    const purposes = ['wallet', 'identity', 'peer', 'voucher', 'job', 'cache'] as const
    const secrets = purposes.flatMap((purpose) =>
      ['', 'a', 'b'].map((label) => toHex(keys.secret(purpose, label).reveal())),
    )
    expect(new Set(secrets).size).toBe(secrets.length)
  })
})

describe('a key file', () => {
  const passphrase = secret('passphrase', 'a passphrase')
  const rootBytes = random.fork('root').bytes(32)
  const seed = random.fork('wallet').bytes(32)
  let path: string
  let text: string

  beforeAll(async () => {
    path = join(folder, 'file', 'keys.json')
    // The root is the first thing drawn, so that the file can be searched for it.
    const known = { bytes: (length: number) => (length === 32 ? rootBytes : random.bytes(length)) }
    const walletSeed = secret('wallet seed', seed.slice())
    await openKeystore({ path, passphrase, random: known, create: true, walletSeed })
    text = await readFile(path, 'utf8')
  })

  it('shows nothing of what it holds: not the root, not the seed, not the passphrase', async () => {
    const file = await readFile(path)
    const opened = await openKeystore({ path, passphrase, random })
    const identity = opened.secret('identity').reveal()
    expect(opened.secret('wallet').reveal()).toEqual(seed)
    const hidden = [rootBytes, seed, identity, Buffer.from('a passphrase')]
    const forms = (bytes: Uint8Array) => {
      const buffer = Buffer.from(bytes)
      const texts = ['hex', 'base64', 'base64url', 'latin1'] as const
      return texts.map((each) => Buffer.from(buffer.toString(each).replace(/=+$/, ''), 'latin1'))
    }
    for (const bytes of hidden) {
      for (const form of forms(bytes)) expect(file.includes(form)).toBe(false)
    }
    // The control: the same search finds the salt, which is no secret.
    const salt = Buffer.from(JSON.parse(text).kdf.salt, 'base64')
    expect(forms(salt).some((form) => file.includes(form))).toBe(true)
    expect(inspect([opened, passphrase], { depth: null, showHidden: true })).not.toMatch(
      new RegExp(`a passphrase|${toHex(rootBytes)}|${[...rootBytes.slice(0, 4)].join(', ')}`),
    )
  })

  it('is refused by name where any byte is changed, and stays as it is', async () => {
    const changed = join(folder, 'file', 'changed.json')
    const seen: Record<string, number> = {}
    for (let at = 0; at < text.length; at++) {
      for (const bit of [1, 32]) {
        const bytes = Buffer.from(text)
        bytes[at]! ^= bit
        await writeFile(changed, bytes, { mode: 0o600 })
        const error = await openKeystore({ path: changed, passphrase, random }).catch((e) => e)
        const fact = ['malformed', 'damaged'].find((name) => error?.facts?.[name] === true)
        // Only the line's end is not part of what is protected.
        const name = fact ?? (at === text.length - 1 ? 'newline' : `opened at ${at}`)
        seen[name] = (seen[name] ?? 0) + 1
        expect(await readFile(changed)).toEqual(bytes)
      }
    }
    expect(Object.keys(seen).sort()).toEqual(expect.arrayContaining(['damaged', 'malformed']))
    expect(Object.keys(seen).filter((name) => name.startsWith('opened'))).toEqual([])
    console.log(`${2 * text.length} changed bytes: ${JSON.stringify(seen)}`)
  })

  it('tells a wrong passphrase from damage, and a box that was made up from both', async () => {
    const wrong = openKeystore({ path, passphrase: secret('passphrase', 'wrong'), random })
    await expect(wrong).rejects.toMatchObject({ code: 'key-file', facts: { passphrase: 'wrong' } })
    // Without its checksum, as the first version wrote it, a changed box fails by its tag.
    const { sum: _, ...first } = JSON.parse(text)
    const old = join(folder, 'file', 'old.json')
    await writeFile(old, JSON.stringify(first), { mode: 0o600 })
    expect(
      (await openKeystore({ path: old, passphrase, random })).secret('wallet').reveal(),
    ).toEqual(seed)
    const box = Buffer.from(first.box, 'base64')
    box[0]! ^= 1
    await writeFile(old, JSON.stringify({ ...first, box: box.toString('base64') }))
    const forged = openKeystore({ path: old, passphrase, random })
    await expect(forged).rejects.toMatchObject({ facts: { passphrase: 'wrong' } })
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  it('cannot ask for more work: other parameters are refused at once', async () => {
    const hostile = join(folder, 'file', 'hostile.json')
    const json = JSON.parse(text)
    const beganMs = performance.now()
    const changes = [{ N: 2 ** 30 }, { N: 2 }, { r: 2 ** 20 }, { p: 2 ** 20 }, { N: '131072' }]
    for (const change of changes) {
      const kdf = { ...json.kdf, ...change }
      await writeFile(hostile, JSON.stringify({ ...json, kdf }), { mode: 0o600 })
      const opening = openKeystore({ path: hostile, passphrase, random })
      await expect(opening).rejects.toMatchObject({ facts: { malformed: true } })
    }
    await writeFile(hostile, ' '.repeat(5_000))
    const large = openKeystore({ path: hostile, passphrase, random })
    await expect(large).rejects.toMatchObject({ facts: { bytes: 5_000 } })
    const memoryMib = process.memoryUsage().rss / 2 ** 20
    expect(memoryMib).toBeLessThan(2_048)
    console.log(`${changes.length} hostile files: ${(performance.now() - beganMs).toFixed(0)} ms`)
  })

  it('costs at least 100 ms of CPU a guess', async () => {
    const costs: number[] = []
    for (let i = 0; i < 3; i++) {
      const before = process.cpuUsage()
      await openKeystore({ path, passphrase, random })
      const { user, system } = process.cpuUsage(before)
      costs.push((user + system) / 1000)
    }
    console.log(`a guess: ${costs.map((ms) => ms.toFixed(0)).join(', ')} ms of CPU`)
    expect(Math.min(...costs)).toBeGreaterThan(100)
    const { N, r, p } = JSON.parse(text).kdf
    expect([N >= 2 ** 17, r, p]).toEqual([true, 8, 1])
  })
})

describe('findPassphrase', () => {
  it('takes the environment, then a private file, then makes one where it may', async () => {
    const generated = join(folder, 'e', 'passphrase')
    const env = { CHRYSALIS_PASSPHRASE: 'from the environment' }
    expect((await findPassphrase({ env, random, generated })).reveal()).toBe('from the environment')

    const file = join(folder, 'pass')
    await writeFile(file, 'from a file\nmore\n', { mode: 0o600 })
    const fromFile = { CHRYSALIS_PASSPHRASE_FILE: file }
    expect((await findPassphrase({ env: fromFile, random })).reveal()).toBe('from a file')
    await chmod(file, 0o644)
    await expect(findPassphrase({ env: fromFile, random })).rejects.toThrow(keyFile)

    const made = (await findPassphrase({ env: {}, random, generated })).reveal()
    expect(made.length).toBeGreaterThanOrEqual(32)
    expect((await findPassphrase({ env: {}, random, generated })).reveal()).toBe(made)
    expect((await stat(generated)).mode & 0o777).toBe(0o600)
    expect(await readFile(generated, 'utf8')).toContain('development network')
    await expect(findPassphrase({ env: {}, random })).rejects.toThrow(keyFile)
  })
})

describe('home', () => {
  it('follows $CHRYSALIS_HOME, then XDG, and ignores a relative XDG path', () => {
    expect(homeFolder({ CHRYSALIS_HOME: '/x' })).toBe('/x')
    expect(homeFolder({ XDG_DATA_HOME: '/data' })).toBe('/data/chrysalis')
    expect(homeFolder({ XDG_DATA_HOME: 'data', HOME: '/h' })).toBe('/h/.local/share/chrysalis')
  })

  it('reads a network by name or path, and names what is wrong', async () => {
    const network = {
      id: 5,
      name: 'localnet',
      toncenter: 'http://127.0.0.1:1',
      schedulers: [],
      development: true,
    }
    const unknown = expect.objectContaining({ code: 'unknown-network' })
    await expect(readNetwork('localnet', folder)).rejects.toThrow(unknown)
    const path = join(folder, 'n.json')
    await writeFile(path, JSON.stringify(network))
    expect(await readNetwork(path, folder)).toEqual(network)
    await writeFile(path, '{')
    await expect(readNetwork(path, folder)).rejects.toMatchObject({ code: 'bad-config' })
    expect(networkFile('/h', 'localnet')).toBe('/h/localnet/network.json')
  })
})
