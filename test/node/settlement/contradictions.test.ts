/**
 * A payee that takes back its word: the payer stops, and keeps what opens a case. An honest payee
 * never leaves anything that does.
 * @module
 */
import { beforeEach, expect, it } from 'vitest'
import { toHex } from '../../../contracts/base/bytes.ts'
import type { SigningKey } from '../../../contracts/base/signing.ts'
import { acknowledgementHash } from '../../../contracts/money/acknowledgement.ts'
import { verifyContradiction } from '../../../contracts/money/contradiction.ts'
import { AccountMessageSchema } from '../../../contracts/wire/generated/chrysalis_pb.ts'
import { PROTOCOLS } from '../../../contracts/wire/protocols.ts'
import { channelAddress } from '../../../contracts/wrappers/Channel.ts'
import { messageStream } from '../../../node/net/messageStream.ts'
import { keptContradictions } from '../../../node/settlement/contradictions.ts'
import { openPayerAccount } from '../../../node/settlement/payerAccount.ts'
import { createRoleWorld, type HandClient } from '../../support/roleWorld.ts'

const JOB = 'ab'.repeat(16)

let world: ReturnType<typeof createRoleWorld>
let client: HandClient

beforeEach(async () => {
  world = createRoleWorld('contradictions')
  await world.run(world.scheduler.start())
  client = await world.client('client')
})

const kept = () => keptContradictions(client.needs.store)

it('an honest payee leaves nothing that opens a case', async () => {
  for (const amount of [700n, 1_300n, 90n]) {
    await world.run(client.account.grant(JOB, amount))
    await world.clock.advance(100)
  }
  expect(client.account.state().acked.cumulative).toBe(2_090n)
  expect(kept()).toEqual([])
})

it('one that acknowledges less than before is caught, with both statements', async () => {
  const said = [700n, 400n]
  const { account, key } = await withLiar(() => said.shift()!)
  await world.run(account.grant(JOB, 700n))
  await world.clock.advance(100)
  expect(kept()).toEqual([])
  await world.run(account.grant(JOB, 200n))
  await world.clock.advance(100)
  expect(account.state().conflicted).toBe(true)
  const [found, ...others] = kept()
  expect(others).toEqual([])
  expect(verifyContradiction(found!.file, client.config.network)).toMatchObject({
    ...{ kind: 'acknowledgements', role: 'payee', signer: toHex(key.publicKey) },
    lossAtMost: 300n,
  })
  await expect(world.run(account.grant(JOB, 1n))).rejects.toMatchObject({
    code: expect.any(String),
  })
})

it('one that acknowledges too little at once lies, but has not contradicted itself', async () => {
  const { account } = await withLiar(() => 400n)
  await world.run(account.grant(JOB, 700n))
  await world.clock.advance(100)
  expect(account.state().conflicted).toBe(true)
  expect(kept()).toEqual([])
})

/** An account whose payee acknowledges whatever `sum` says, signed. */
async function withLiar(sum: () => bigint) {
  const { needs, options, config, transport } = client
  const liar = world.machine('liar').boot()
  const key: SigningKey = liar.keystore.key('identity')
  const channel = channelAddress(config)
  await liar.transport.handle(PROTOCOLS.account, async (raw) => {
    const stream = messageStream(AccountMessageSchema, raw, world.clock)
    await stream.next()
    const books = { sequence: 0n, cumulative: '0', spent: '0', identity: key.publicKey }
    await stream.send({ kind: { case: 'opened', value: books } })
    for await (const { kind } of stream) {
      if (kind.case !== 'pay') continue
      const sequence = Number(kind.value.sequence)
      const statement = { sequence, cumulative: sum(), credit: 0n }
      const signature = key.sign(acknowledgementHash(config.network, channel, statement))
      const value = {
        ...{ sequence: kind.value.sequence, cumulative: `${statement.cumulative}` },
        ...{ credit: '0', signature },
      }
      await stream.send({ kind: { case: 'ack', value } })
    }
  })
  await world.run(client.account.close())
  const peer = await world.run(transport.dial(liar.transport.addresses()))
  const lied = { ...options, peer, payeeIdentity: key.publicKey }
  return { key, account: await world.run(openPayerAccount(needs, lied)) }
}
