/**
 * What sealing costs: a whole agreement, and frames sealed and opened, per CPU-second.
 *
 *   node test/bench/seal.ts [--json]
 *
 * An agreement is everything a job adds on both sides together: the request sealed and opened (two
 * KEM operations, the client's signature), the response key, the response set up and its first
 * frame opened (two more). Run interleaved in the same process: a floor, which is only OpenSSL's
 * part of an agreement, on keys that are imported already, and of a frame; frames through `hpke`'s
 * own asynchronous Seal; the agreement with the portable KEM. Budgets: 2 ms of CPU an agreement and
 * 100,000 frames a CPU-second, sealed and opened, on an idle core; on a shared one read the ratios:
 * the floor knows how fast the hour is. Frames are timed in batches and let go, as a provider does:
 * ten thousand kept alive measure the garbage collector.
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { Kem } from '../../contracts/base/ports.ts'
import { signingKey } from '../../contracts/base/signing.ts'
import type { JobBinding } from '../../contracts/seal/binding.ts'
import { nativeKem } from '../../contracts/seal/kem.ts'
import { seededKem } from '../../contracts/seal/kemSeeded.ts'
import { openRequest, sealRequest } from '../../contracts/seal/request.ts'
import { CONTENT_BYTES } from '../../contracts/seal/response.ts'
import { hpkeSuite, publicKeyOf } from '../../contracts/seal/suite.ts'
import { collect } from '../support/heap.ts'

const ROUNDS = 9
const FRAMES = 10_000
const BATCH = 250
const PORTABLE_AGREEMENTS = 3
const NATIVE_AGREEMENTS = 100

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) }
const clientJobKey = signingKey(random.bytes(32))
const binding: JobBinding = {
  network: -217,
  leaseHash: random.bytes(32),
  acceptHash: random.bytes(32),
  minTier: 'open',
  evidenceDigest: random.bytes(32),
}
const request = random.bytes(700)
const content = new Uint8Array(CONTENT_BYTES)

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean' } } })
  const native = nativeKem()
  const portable = seededKem(random)
  const found = {
    agreementMs: [] as number[],
    floorMs: [] as number[],
    timesFloor: [] as number[],
    portableMs: [] as number[],
    sealMicros: [] as number[],
    openMicros: [] as number[],
    floorSealMicros: [] as number[],
    floorOpenMicros: [] as number[],
    sealTimesFloor: [] as number[],
    openTimesFloor: [] as number[],
    hpkeSealMicros: [] as number[],
  }
  const floor = asymmetricFloor()
  await agreements(native, NATIVE_AGREEMENTS) // warms up
  for (let round = 0; round < ROUNDS; round++) {
    collect() // each pays for its own garbage
    const floorMs = (await cpuMicros(NATIVE_AGREEMENTS, floor)) / 1_000
    collect()
    const agreementMs = (await agreements(native, NATIVE_AGREEMENTS)) / 1_000
    found.floorMs.push(floorMs)
    found.agreementMs.push(agreementMs)
    found.timesFloor.push(agreementMs / floorMs)
    found.portableMs.push((await agreements(portable, PORTABLE_AGREEMENTS)) / 1_000)
    collect()
    const { seal, open } = await frames(native)
    found.sealMicros.push(seal)
    found.openMicros.push(open)
    collect()
    const bare = await bareFrames()
    found.floorSealMicros.push(bare.seal)
    found.floorOpenMicros.push(bare.open)
    found.sealTimesFloor.push(seal / bare.seal)
    found.openTimesFloor.push(open / bare.open)
    found.hpkeSealMicros.push(await hpkeFrames(native))
  }
  report(found, values.json === true)
}

/** The asymmetric operations of `NATIVE_AGREEMENTS`, and nothing around them. */
function asymmetricFloor(): () => Promise<void> {
  const ml = generateKeyPairSync('ml-kem-768')
  const x = generateKeyPairSync('x25519')
  const ed = generateKeyPairSync('ed25519')
  const signature = sign(null, request, ed.privateKey)
  const agreement = () => {
    generateKeyPairSync('ml-kem-768')
    for (let i = 0; i < 3; i++) generateKeyPairSync('x25519')
    for (let i = 0; i < 2; i++) decapsulate(ml.privateKey, encapsulate(ml.publicKey).ciphertext)
    for (let i = 0; i < 4; i++) diffieHellman({ privateKey: x.privateKey, publicKey: x.publicKey })
    sign(null, request, ed.privateKey)
    verify(null, request, ed.publicKey, signature)
  }
  return async () => {
    for (let i = 0; i < NATIVE_AGREEMENTS; i++) agreement()
  }
}

/** CPU microseconds of one whole agreement. */
async function agreements(kem: Kem, count: number): Promise<number> {
  const epoch = kem.generateKeyPair()
  return await cpuMicros(count, async () => {
    for (let i = 0; i < count; i++) await agree(kem, epoch.publicKey, epoch.secretKey)
  })
}

async function agree(kem: Kem, epochPublicKey: Uint8Array, epochSecretKey: Uint8Array) {
  const client = await sealRequest({ kem, epochPublicKey, binding, clientJobKey, request })
  const provider = await openRequest({
    kem,
    epochSecretKey,
    binding,
    clientJobPublicKey: clientJobKey.publicKey,
    sealed: client.sealed,
  })
  await client.response.open(provider.response.seal(content, false))
  return { client: client.response, provider: provider.response }
}

/** CPU microseconds of one frame sealed, and of one opened, transcript included. */
async function frames(kem: Kem): Promise<{ seal: number; open: number }> {
  const epoch = kem.generateKeyPair()
  const job = await agree(kem, epoch.publicKey, epoch.secretKey)
  let seal = 0
  let open = 0
  for (let done = 0; done < FRAMES; done += BATCH) {
    const sealed: Uint8Array[] = []
    seal += await cpuMicros(BATCH, async () => {
      for (let i = 0; i < BATCH; i++) sealed.push(job.provider.seal(content, false))
    })
    open += await cpuMicros(BATCH, async () => {
      for (const frame of sealed) await job.client.open(frame)
    })
  }
  return { seal: seal / (FRAMES / BATCH), open: open / (FRAMES / BATCH) }
}

/** OpenSSL's part of a frame, as node gives it: no counter, no flag, no transcript. */
async function bareFrames(): Promise<{ seal: number; open: number }> {
  const key = createSecretKey(randomBytes(32))
  const nonce = randomBytes(12)
  const tagged = { authTagLength: 16 }
  let tag = Buffer.alloc(0)
  let sealed = Buffer.alloc(0)
  const seal = await cpuMicros(FRAMES, async () => {
    for (let i = 0; i < FRAMES; i++) {
      const cipher = createCipheriv('chacha20-poly1305', key, nonce, tagged)
      sealed = cipher.update(content)
      cipher.final()
      tag = cipher.getAuthTag()
    }
  })
  const open = await cpuMicros(FRAMES, async () => {
    for (let i = 0; i < FRAMES; i++) {
      const decipher = createDecipheriv('chacha20-poly1305', key, nonce, tagged)
      decipher.setAuthTag(tag)
      decipher.update(sealed)
      decipher.final()
    }
  })
  return { seal, open }
}

/** The baseline: the same frames through the library's own context. */
async function hpkeFrames(kem: Kem): Promise<number> {
  const { publicKey } = kem.generateKeyPair()
  const { ctx } = await hpkeSuite(kem).SetupSender(publicKeyOf(publicKey), {})
  const aad = new Uint8Array(1)
  return await cpuMicros(FRAMES, async () => {
    for (let i = 0; i < FRAMES; i++) await ctx.Seal(content, aad)
  })
}

async function cpuMicros(count: number, work: () => Promise<void>): Promise<number> {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / count
}

function report(found: Record<string, number[]>, json: boolean): void {
  const median = (name: string) => found[name]!.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
  const perSecond = (name: string) => Math.round(1e6 / median(name))
  const result = {
    machine: `${cpus()[0]?.model}, ${availableParallelism()} threads, node ${process.version}`,
    load: loadavg()[0]!.toFixed(2),
    agreementCpuMs: Number(median('agreementMs').toFixed(2)),
    agreementBudgetMs: 2,
    floorCpuMs: Number(median('floorMs').toFixed(2)),
    agreementTimesFloor: Number(median('timesFloor').toFixed(2)),
    portableAgreementCpuMs: Number(median('portableMs').toFixed(2)),
    nativeTimesPortable: Number((median('portableMs') / median('agreementMs')).toFixed(1)),
    framesSealedPerCpuSecond: perSecond('sealMicros'),
    framesBudget: 100_000,
    framesOpenedPerCpuSecond: perSecond('openMicros'),
    floorFramesSealedPerCpuSecond: perSecond('floorSealMicros'),
    floorFramesOpenedPerCpuSecond: perSecond('floorOpenMicros'),
    sealTimesFloor: Number(median('sealTimesFloor').toFixed(2)),
    openTimesFloor: Number(median('openTimesFloor').toFixed(2)),
    hpkeFramesSealedPerCpuSecond: perSecond('hpkeSealMicros'),
    syncTimesHpke: Number((median('hpkeSealMicros') / median('sealMicros')).toFixed(1)),
  }
  const lines = Object.entries(result).map(([name, value]) => `${name.padEnd(30)} ${value}`)
  console.log(json ? JSON.stringify(result) : lines.join('\n'))
}

await main()
