/**
 * Epoch keys: the KEM keys that requests are sealed to, 10 to 60 minutes each.
 *
 * The provider owns one `Epochs` in memory and nowhere else: after a restart there is a new epoch,
 * and what was sealed to the old one cannot be read by anyone. A key opens until its end plus a
 * short grace, each lease hash once; then its bytes are zeroed. Mutated in place, because erasing
 * is the point; time comes as an argument. The client's side is `checkEpoch`.
 * @module
 */
import { type Bytes, toHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { Kem } from '../base/ports.ts'
import { type Secret, secret } from '../base/secret.ts'

/** The public half, as the epoch key record has it. Times in Unix seconds. */
export interface Epoch {
  readonly epoch: number
  readonly notBeforeS: number
  readonly notAfterS: number
  /** 1,216 bytes. */
  readonly kemPublicKey: Bytes
}

/** All live epochs of a provider, oldest first. */
export interface Epochs {
  readonly lifeS: number
  readonly live: LiveEpoch[]
}

interface LiveEpoch {
  readonly epoch: Epoch
  readonly secretKey: Secret<Bytes>
  /** Lease hashes opened under this key. */
  readonly opened: Set<string>
}

/**
 * No epochs yet; `lifeS` is the life of each key. Throws `bad-config` outside `LIMITS.epochMinS` to
 * `LIMITS.epochMaxS`.
 */
export function createEpochs(lifeS: number = LIMITS.epochMaxS / 2): Epochs {
  if (!Number.isInteger(lifeS) || lifeS < LIMITS.epochMinS || lifeS > LIMITS.epochMaxS) {
    const facts = { setting: 'epoch life', least: LIMITS.epochMinS, most: LIMITS.epochMaxS }
    throw new MarketError('bad-config', facts)
  }
  return { lifeS, live: [] }
}

/**
 * The epoch to name in new accepts at `nowS`, erasing old keys and starting a new one where needed.
 *
 * A key is named during the first half of its life, so that a lease always has the other half.
 * Call it at each accept; where none comes, `eraseEndedEpochs` ends keys in time. `lastS` bounds
 * the end, such as that of the evidence; throws `epoch-expired` where less than
 * `LIMITS.epochMinS` is left of it: renew the evidence first.
 */
export function currentEpoch(epochs: Epochs, nowS: number, kem: Kem, lastS = Infinity): Epoch {
  eraseEndedEpochs(epochs, nowS)
  const newest = epochs.live.at(-1)
  if (newest && stillNamed(newest, nowS) && newest.epoch.notAfterS <= lastS) {
    return newest.epoch
  }
  const notAfterS = Math.min(nowS + epochs.lifeS, lastS)
  if (notAfterS < nowS + LIMITS.epochMinS) throw new MarketError('epoch-expired', { endsS: lastS })
  const { publicKey, secretKey } = kem.generateKeyPair()
  // Seconds as numbers: they grow over restarts, without anything kept on disk.
  const epoch = {
    epoch: Math.max(nowS, (newest?.epoch.epoch ?? 0) + 1),
    notBeforeS: nowS,
    notAfterS,
    kemPublicKey: publicKey,
  }
  epochs.live.push({ epoch, secretKey: secret('epoch key', secretKey), opened: new Set() })
  return epoch
}

/**
 * The secret key that opens a request sealed to `epoch` for a lease; marks the lease as opened,
 * before anything is decrypted, so that a lease costs one decapsulation at most.
 *
 * Throws `epoch-expired` where the key has been erased or never was, `cannot-open` where the lease
 * has been opened before, `limit-exceeded` at `LIMITS.opensPerEpoch`. Do not keep the key.
 */
export function takeEpochKey(
  epochs: Epochs,
  epoch: number,
  leaseHash: Bytes,
  nowS: number,
): Secret<Bytes> {
  eraseEndedEpochs(epochs, nowS)
  const live = epochs.live.find((candidate) => candidate.epoch.epoch === epoch)
  if (!live) throw new MarketError('epoch-expired', { epoch })
  const lease = toHex(leaseHash)
  if (live.opened.has(lease)) throw new MarketError('cannot-open')
  if (live.opened.size >= LIMITS.opensPerEpoch) {
    throw new MarketError('limit-exceeded', { most: LIMITS.opensPerEpoch })
  }
  live.opened.add(lease)
  return live.secretKey
}

/** Erases every key at once: the node stops. */
export function eraseEpochs(epochs: Epochs): void {
  for (const { secretKey } of epochs.live.splice(0)) secretKey.wipe()
}

/**
 * The client's check of an epoch key before it seals. Throws `epoch-expired` where the key's time
 * is over, not yet come (with `LIMITS.clockSkewS` allowed), or longer than `LIMITS.epochMaxS`.
 * That it does not outlive the evidence is the policy's check (`contracts/attest/policy.ts`).
 */
export function checkEpoch(
  epoch: { readonly notBeforeS: number; readonly notAfterS: number },
  nowS: number,
): void {
  const { notBeforeS, notAfterS } = epoch
  const life = notAfterS - notBeforeS
  const early = notBeforeS > nowS + LIMITS.clockSkewS
  if (notAfterS <= nowS || early || life <= 0 || life > LIMITS.epochMaxS) {
    throw new MarketError('epoch-expired', { notBeforeS, notAfterS, nowS })
  }
}

function stillNamed(live: LiveEpoch, nowS: number): boolean {
  const { notBeforeS, notAfterS } = live.epoch
  const halfS = Math.floor((notAfterS - notBeforeS) / 2)
  // A clock set back would stretch a key's life; a full replay set could open nothing more.
  const usable = nowS >= notBeforeS && live.opened.size < LIMITS.opensPerEpoch / 2
  return usable && nowS < notBeforeS + halfS
}

/** Erases every key whose time and grace are over. */
export function eraseEndedEpochs(epochs: Epochs, nowS: number): void {
  const ended = (live: LiveEpoch) => nowS > live.epoch.notAfterS + LIMITS.epochGraceS
  for (const live of epochs.live.filter(ended)) {
    live.secretKey.wipe()
    epochs.live.splice(epochs.live.indexOf(live), 1)
  }
}
