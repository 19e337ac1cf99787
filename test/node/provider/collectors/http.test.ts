/**
 * Collateral over HTTP, from a server of the test's own that answers as Intel's and AMD's documents
 * say: adopted where it verifies, and whatever else a server does ends in a refusal.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Bytes, toHex, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { collateralCache } from '../../../../node/provider/collectors/collateral.ts'
import {
  revocationList,
  tdxCollateral,
} from '../../../../node/provider/collectors/collateralKinds.ts'
import { httpSource } from '../../../../node/provider/collectors/http.ts'
import { type PcsPlace, pcsSource } from '../../../../node/provider/collectors/pcs.ts'
import { readSources } from '../../../../node/provider/collectors/sources.ts'
import { silentLogger } from '../../../../node/system/logger.ts'
import { createSimulatedClock } from '../../../../node/system/simulatedClock.ts'
import { AMD_AT_MS, amdTree } from '../../../support/amdTree.ts'
import { AT_MS, FMSPC, intelTree, TEST_ROOTS } from '../../../support/intelTree.ts'
import { recordedMachine } from '../../../support/recordedMachine.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void
/** Signed anew for each tree: one for all. */
const INTEL = intelTree()
const answers = new Map<string, Answer>()
const asked: string[] = []
let url = ''
const server = createServer((request, response) => {
  asked.push(request.url!)
  const answer = answers.get(request.url!.split('?')[0]!)
  if (answer) answer(request, response)
  else response.writeHead(404).end()
})

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
})
beforeEach(() => {
  answers.clear()
  asked.length = 0
})
afterAll(() => void server.close())

const clock = (startMs: number) => createSimulatedClock({ startMs })
const deps = { fetch, clock: clock(0) }
const sending =
  (body: Bytes | string, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(200, headers).end(body)

/** Answers as PCS, version 4 of its API; `hex` as a PCCS writes lists. */
function servePcs({ parts } = INTEL, hex = false): void {
  const list = (der: Bytes) => (hex ? toHex(der) : der)
  const chain = (name: string, pem: string) => ({ [name]: encodeURIComponent(pem) })
  const text = (name: string, json: string, signature: Bytes) =>
    `{"${name}":${json},"signature":"${toHex(signature)}"}`
  answers.set(
    '/sgx/certification/v4/pckcrl',
    sending(list(parts.pckCrl), chain('SGX-PCK-CRL-Issuer-Chain', parts.pckCrlChain)),
  )
  answers.set(
    '/tdx/certification/v4/tcb',
    sending(
      text('tcbInfo', parts.tcbInfo, parts.tcbInfoSignature),
      chain('TCB-Info-Issuer-Chain', parts.tcbInfoChain),
    ),
  )
  answers.set(
    '/tdx/certification/v4/qe/identity',
    sending(
      text('enclaveIdentity', parts.qeIdentity, parts.qeIdentitySignature),
      chain('SGX-Enclave-Identity-Issuer-Chain', parts.qeIdentityChain),
    ),
  )
  answers.set('/root.der', sending(list(parts.rootCrl)))
}

const place = (more: Partial<PcsPlace> = {}): PcsPlace => ({
  url: `${url}/`,
  rootCrl: `${url}/root.der`,
  fmspc: FMSPC,
  ca: 'platform',
  ...more,
})

function cacheOf(
  source: () => Promise<Bytes>,
  check: ReturnType<typeof tdxCollateral>,
  atMs: number,
) {
  const { files } = recordedMachine({})
  const time = clock(atMs)
  const args = { files, logger: silentLogger, source, check, folder: '/kept', name: 'x' }
  return { cache: collateralCache({ ...args, clock: time }), time }
}

describe("Intel's collateral over HTTP", () => {
  it.each([false, true])(
    'is that of the service, byte for byte (lists in hex: %s)',
    async (hex) => {
      servePcs(INTEL, hex)
      const { collateral } = INTEL
      expect(await pcsSource(deps, place({ update: 'early' }))()).toEqual(collateral)
      expect(asked).toEqual([
        '/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
        `/tdx/certification/v4/tcb?fmspc=${FMSPC}&update=early`,
        '/tdx/certification/v4/qe/identity?update=early',
        '/root.der',
      ])
    },
  )

  it('is adopted where it verifies, and asked for again a day later', async () => {
    servePcs()
    const { cache, time } = cacheOf(pcsSource(deps, place()), tdxCollateral(TEST_ROOTS), AT_MS)
    expect(await cache.current()).toEqual(INTEL.collateral)
    await cache.current()
    expect(asked).toHaveLength(4)
    await time.advance(LIMITS.collateralRenewS * 1_000)
    await cache.current()
    expect(asked).toHaveLength(8)
  })

  it('of another root, or altered on the way, is not', async () => {
    servePcs()
    const strict = cacheOf(pcsSource(deps, place()), tdxCollateral(), AT_MS)
    await expect(strict.cache.current()).rejects.toMatchObject({ code: 'evidence-root' })
    const { parts } = INTEL
    servePcs({ ...INTEL, parts: { ...parts, tcbInfo: parts.tcbInfo.replace('17', '18') } })
    const altered = cacheOf(pcsSource(deps, place()), tdxCollateral(TEST_ROOTS), AT_MS)
    await expect(altered.cache.current()).rejects.toMatchObject({ code: 'evidence-collateral' })
  })

  it.each<[string, string, Answer]>([
    ['no JSON', '/tdx/certification/v4/tcb', sending('hello')],
    [
      'another object',
      '/tdx/certification/v4/tcb',
      sending('{"enclaveIdentity":{},"signature":""}'),
    ],
    ['no chain', '/sgx/certification/v4/pckcrl', sending('')],
  ])('is refused where there is %s', async (_, path, answer) => {
    servePcs()
    answers.set(path, answer)
    await expect(pcsSource(deps, place())()).rejects.toMatchObject({ code: 'unreachable' })
  })

  it.each<[string, Partial<PcsPlace>]>([
    ['a URL of another scheme', { url: 'file:///etc' }],
    ['a password in a URL', { rootCrl: 'https://a:b@host/' }],
    ['an FMSPC of another length', { fmspc: 'b0c0' }],
  ])('is not asked for with %s', (_, more) => {
    expect(() => pcsSource(deps, place(more))).toThrow(
      expect.objectContaining({ code: 'bad-config' }),
    )
  })
})

describe('one file over HTTP', () => {
  const tree = amdTree()
  const source = () => httpSource(deps, `${url}/crl`)
  const { ark } = tree.collateral()

  it("may be AMD's list", async () => {
    const crl = tree.crl()
    answers.set('/crl', sending(crl))
    const { cache } = cacheOf(source(), revocationList([ark], [tree.ark.key.keyHash]), AMD_AT_MS)
    expect(await cache.current()).toEqual(crl)
  })

  it('is refused with another status, a redirect, too many bytes', async () => {
    await expect(source()()).rejects.toMatchObject({
      code: 'unreachable',
      facts: { because: 'status 404' },
    })
    answers.set('/crl', (_, response) => void response.writeHead(302, { location: '/x' }).end())
    await expect(source()()).rejects.toMatchObject({ code: 'unreachable' })
    expect(asked).toEqual(['/crl', '/crl'])
    answers.set('/crl', sending(new Uint8Array(LIMITS.collateralBytes + 1)))
    await expect(source()()).rejects.toMatchObject({ facts: { because: 'the answer is too long' } })
    answers.set('/crl', sending(new Uint8Array(LIMITS.collateralBytes)))
    expect(await source()()).toHaveLength(LIMITS.collateralBytes)
  })

  it('is refused where the server says nothing in time, or is not there', async () => {
    const silent = clock(0)
    answers.set('/crl', () => undefined)
    const waiting = httpSource({ fetch, clock: silent }, `${url}/crl`)()
    const ended = expect(waiting).rejects.toMatchObject({ code: 'unreachable' })
    await silent.advance(LIMITS.httpMs)
    await ended
    await expect(httpSource(deps, 'http://127.0.0.1:9/crl')()).rejects.toMatchObject({
      code: 'unreachable',
    })
  })
})

describe('sources.json', () => {
  const read = (json?: unknown) => {
    const machine = recordedMachine({})
    if (json !== undefined) machine.kept.set('/c/sources.json', utf8(JSON.stringify(json)))
    return readSources(machine.files, '/c')
  }
  const tdx = { url: 'https://pcs', rootCrl: 'https://root', fmspc: FMSPC, ca: 'platform' }

  it('names servers; without it all comes from files', async () => {
    expect(await read()).toEqual({ files: {} })
    const files = { 'amd.crl': 'https://kds/vcek/v1/Milan/crl' }
    expect(await read({ tdx, ...files })).toEqual({ pcs: tdx, files })
  })

  it.each<[string, unknown]>([
    ['no object', []],
    ['an unknown name', { 'amd.der': 'https://x' }],
    ['a URL that is none', { 'amd.crl': 'x' }],
    ['a number for a URL', { 'amd.crl': 1 }],
    ['an unknown authority', { tdx: { ...tdx, ca: 'root' } }],
    ['an unknown track', { tdx: { ...tdx, update: 'late' } }],
    ['an unknown setting', { tdx: { ...tdx, key: '1' } }],
    ['a missing URL', { tdx: { ...tdx, url: undefined } }],
  ])('is refused with %s', async (_, json) => {
    await expect(read(json)).rejects.toMatchObject({ code: 'bad-config' })
  })
})
