/**
 * `/chrysalis/hello/1`: each side says which network and version it speaks; servers prove that
 * wallet, peer id and identity belong together by a binding signed with all three keys.
 *
 * Every role dials with `greet` and listens with `answerHello`; a role serves its other protocols
 * only to peers that it has greeted.
 * @module
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Address } from '@ton/core'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, FrameStream, Transport } from '../../contracts/base/ports.ts'
import { type SigningKey, verifySignature } from '../../contracts/base/signing.ts'
import { type Hello, HelloSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { fromRefused, toRefused } from '../../contracts/wire/messages.ts'
import { PROTOCOLS, WIRE_VERSION } from '../../contracts/wire/protocols.ts'
import {
  binding as bindingRecord,
  parseRecord,
  recordBytes,
  recordHash,
} from '../../contracts/wire/records.ts'
import { walletAddress } from '../../contracts/wrappers/wallet.ts'
import { messageStream } from './messageStream.ts'
import { peerIdOf } from './peerId.ts'

const AGENT = 'chrysalis/0.1'

/** What a peer has said of itself, checked. */
export interface PeerHello {
  readonly peer: string
  readonly role: 'client' | 'provider' | 'scheduler'
  /** Servers only: the keys that the binding ties together. */
  readonly server?: { readonly identity: Bytes; readonly wallet: Address }
  /** Schedulers only. */
  readonly terms?: {
    readonly fee: number
    readonly strategy: string
    readonly parameterVersion: number
    readonly minCloseDelayS: number
    /** What it takes: `ton`, or the raw address of a minter. TON where it does not say. */
    readonly assets?: readonly string[]
  }
}

/** How this process introduces itself. */
export interface OwnHello {
  readonly networkId: number
  readonly role: PeerHello['role']
  readonly binding?: MessageInitShape<typeof HelloSchema>['binding']
  readonly terms?: PeerHello['terms']
}

/** Signs a server's binding with its three keys. `peer` must be the key of the transport. */
export function signBinding(options: {
  networkId: number
  role: 'provider' | 'scheduler'
  wallet: SigningKey
  peer: SigningKey
  identity: SigningKey
  expiryS: number
}): OwnHello['binding'] {
  const { networkId, role, wallet, peer, identity, expiryS } = options
  const record = bindingRecord.encode({
    network: networkId,
    role,
    wallet: walletAddress(wallet.publicKey),
    peerId: peer.publicKey,
    identity: identity.publicKey,
    expiryS,
  })
  const hash = recordHash(record)
  return {
    record: recordBytes(record),
    walletKey: wallet.publicKey,
    walletSignature: wallet.sign(hash),
    peerSignature: peer.sign(hash),
    identitySignature: identity.sign(hash),
  }
}

/**
 * Greets a dialled peer. Throws `version-mismatch`, `wrong-network`, `bad-signature`, `timeout`,
 * `unreachable`, or what the peer refuses with.
 */
export async function greet(
  deps: { transport: Transport; clock: Clock },
  peer: string,
  own: OwnHello,
  signal?: AbortSignal,
): Promise<PeerHello> {
  const raw = await deps.transport.open(peer, PROTOCOLS.hello, signal)
  const stream = messageStream(HelloSchema, raw, deps.clock)
  await stream.send(ownMessage(own))
  await stream.close()
  const answer = await stream.next(LIMITS.helloMs)
  if (!answer) throw new MarketError('unreachable', { peer, protocol: PROTOCOLS.hello })
  if (answer.refused) throw fromRefused(answer.refused)
  return checkHello(answer, peer, own.networkId, deps.clock)
}

/** Answers a greeting; refuses in words what it does not accept, then throws it. */
export async function answerHello(
  clock: Clock,
  raw: FrameStream,
  own: OwnHello,
): Promise<PeerHello> {
  const stream = messageStream(HelloSchema, raw, clock)
  const hello = await stream.next(LIMITS.helloMs)
  if (!hello) throw new MarketError('bad-frame', { protocol: PROTOCOLS.hello })
  try {
    const peer = checkHello(hello, stream.peer, own.networkId, clock)
    await stream.send(ownMessage(own))
    await stream.close()
    return peer
  } catch (error) {
    if (error instanceof MarketError) {
      await stream.send(ownMessage(own, error)).catch(() => undefined)
      await stream.close().catch(() => undefined)
    }
    throw error
  }
}

function ownMessage(own: OwnHello, refusal?: MarketError) {
  return {
    version: WIRE_VERSION,
    network: own.networkId,
    agent: AGENT,
    role: own.role,
    binding: own.binding,
    scheduler: own.terms && { ...own.terms, assets: [...(own.terms.assets ?? [])] },
    refused: refusal && toRefused(refusal),
  }
}

function checkHello(hello: Hello, peer: string, networkId: number, clock: Clock): PeerHello {
  if (hello.version !== WIRE_VERSION) {
    throw new MarketError('version-mismatch', { ours: WIRE_VERSION, theirs: hello.version })
  }
  if (hello.network !== networkId) {
    throw new MarketError('wrong-network', { ours: networkId, theirs: hello.network })
  }
  if (hello.role === 'client') return { peer, role: 'client' }
  if (hello.role !== 'provider' && hello.role !== 'scheduler') {
    throw new MarketError('bad-frame', { field: 'role' })
  }
  const server = checkBinding(hello, peer, networkId, clock)
  return { peer, role: hello.role, server, terms: hello.scheduler }
}

function checkBinding(hello: Hello, peer: string, networkId: number, clock: Clock) {
  const signed = hello.binding
  if (!signed) throw new MarketError('bad-signature', { missing: 'binding' })
  const cell = parseRecord(signed.record)
  const record = bindingRecord.decode(cell)
  const hash = recordHash(cell)
  const honest =
    record.network === networkId &&
    record.role === hello.role &&
    peerIdOf(record.peerId) === peer &&
    record.wallet.equals(walletAddress(signed.walletKey)) &&
    verifySignature(hash, signed.walletSignature, signed.walletKey) &&
    verifySignature(hash, signed.peerSignature, record.peerId) &&
    verifySignature(hash, signed.identitySignature, record.identity)
  if (!honest) throw new MarketError('bad-signature', { record: 'binding', peer })
  if (record.expiryS < clock.nowMs() / 1000)
    throw new MarketError('bad-signature', { expired: true })
  return { identity: record.identity, wallet: record.wallet }
}
