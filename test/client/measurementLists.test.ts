/**
 * Whose list of measurements judges a placement: the application's, the registry's, network.json's.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { checkEvidence, type EvidenceNeeds, type PlacedBy } from '../../client/checkEvidence.ts'
import { settlePolicy } from '../../client/policy.ts'
import { evidenceDigest, parseEvidence } from '../../contracts/attest/document.ts'
import type { MeasurementList } from '../../contracts/attest/hardwarePolicy.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import { listedDirectory } from '../../node/chain/listedDirectory.ts'
import { CLAIMS } from '../contracts/attest/evidence.ts'
import { MEASUREMENTS, PLAYED_VERIFIERS, playedEvidence } from '../contracts/attest/hardware.ts'

const BYTES = playedEvidence({ ...CLAIMS, tier: 'cpu-tee', compute: 'cpu' })
const { claims } = parseEvidence(BYTES)
const AT_MS = claims.freshAtS * 1_000 + 1_000
const dropped: MeasurementList = { version: 9, list: ['ee'.repeat(32)] }

interface Lists {
  own?: MeasurementList
  network?: MeasurementList
  /** Absent: a network without a registry. */
  registry?: MeasurementList
}

/** The tier that the client sees, or the code with which it refuses. */
async function judged({ own, network, registry }: Lists): Promise<string> {
  const config = {
    id: claims.network,
    development: true,
    ...(network && { measurements: network }),
  } as NetworkConfig
  const hardware = own && { hardware: { measurements: own } }
  const market = registry ? { measurements: registry } : listedDirectory(config).current()
  const by = {
    lease: {
      network: claims.network,
      provider: claims.identity,
      modelHash: claims.modelHash,
      minTier: 'cpu-tee',
    },
    accept: { evidenceDigest: evidenceDigest(BYTES) },
    epochKey: { notAfterS: claims.freshAtS + 600 },
    market,
    owner: undefined,
  } as unknown as PlacedBy
  const { freshSeqno: seqno, freshBlock: hash, freshAtS: atS } = claims
  const needs = {
    networkId: claims.network,
    policy: settlePolicy({ minTier: 'cpu-tee', ...hardware }, config),
    registry: async () => true,
    blocks: { look: async () => ({ seqno, hash, atS }), nowMs: () => AT_MS },
    verifiers: PLAYED_VERIFIERS,
    spec: { minTier: 'cpu-tee' },
    nowMs: AT_MS,
  } as unknown as EvidenceNeeds
  return checkEvidence(BYTES, by, needs).then(
    ({ tier }) => tier,
    ({ code }) => code,
  )
}

describe('the list of measurements that judges', () => {
  const none = { version: 0, list: [] }
  const accepted = 'cpu-tee'
  const refused = 'evidence-measurement'
  it.each<[string, Lists, string]>([
    ["is the registry's", { registry: MEASUREMENTS }, accepted],
    ["is the registry's, which does not name it", { registry: dropped }, refused],
    ["is not network.json's, once dropped", { network: MEASUREMENTS, registry: dropped }, refused],
    ["is not network.json's stricter one", { network: dropped, registry: MEASUREMENTS }, accepted],
    ["is network.json's without a registry", { network: MEASUREMENTS }, accepted],
    ["is network.json's, which does not name it", { network: dropped }, refused],
    ["is nobody's: no machine", {}, refused],
    ['is an own wider one', { own: MEASUREMENTS, registry: dropped }, accepted],
    [
      'is an own wider one of version 0',
      { own: { ...MEASUREMENTS, version: 0 }, registry: dropped },
      accepted,
    ],
    [
      'is an own stricter one of version 0',
      { own: { ...dropped, version: 0 }, registry: MEASUREMENTS },
      refused,
    ],
    ['is an own empty one', { own: none, registry: MEASUREMENTS }, refused],
    ['is an own empty one without a registry', { own: none, network: MEASUREMENTS }, refused],
  ])('%s', async (_, lists, outcome) => {
    expect(await judged(lists)).toBe(outcome)
  })
})
