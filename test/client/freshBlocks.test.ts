/**
 * The blocks that evidence names, looked up on the client's own chain: found once, never guessed,
 * and where the chain cannot tell, refused with what to do.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { type FreshBlocks, freshBlocks } from '../../client/freshBlocks.ts'
import type { Claims } from '../../contracts/attest/document.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import { createSimulatedChain, simulatedBlock } from '../../node/chain/simulated.ts'
import { createSimulatedClock } from '../../node/system/simulatedClock.ts'
import { BLOCK_MS, freshAt, NETWORK_ID } from './playedPlacement.ts'

const NOW_S = 1_795_000_000
type Blocks = Pick<Chain, 'block' | 'lastBlock'>

function world(change: (honest: Blocks) => Partial<Blocks> = () => ({})) {
  const clock = createSimulatedClock({ startMs: NOW_S * 1_000 })
  const honest = createSimulatedChain({ clock, networkId: NETWORK_ID, blockMs: BLOCK_MS }).chain()
  const asked: number[] = []
  const changed = { ...honest, ...change(honest) }
  const chain: Blocks = {
    lastBlock: (signal) => changed.lastBlock(signal),
    block: (seqno, signal) => {
      asked.push(seqno)
      return changed.block(seqno, signal)
    },
  }
  const blocks = freshBlocks({ chain, clock })
  return { clock, asked, blocks, look: (atS: number) => look(blocks, freshAt(atS)) }
}

function look(blocks: FreshBlocks, fresh: ReturnType<typeof freshAt>) {
  return blocks.look(fresh as Claims)
}

const down = async () => {
  throw new MarketError('chain-unavailable')
}

describe('a block that evidence names', () => {
  it('is the one of the chain, asked for once', async () => {
    const { asked, look } = world()
    const found = await look(NOW_S - 60)
    expect(found).toEqual(simulatedBlock({ networkId: NETWORK_ID, blockMs: BLOCK_MS }, NOW_S - 60))
    await look(NOW_S - 60)
    expect(asked).toEqual([NOW_S - 60])
  })

  it('is asked for together by all who ask at once', async () => {
    const { asked, look } = world()
    await Promise.all([look(NOW_S), look(NOW_S), look(NOW_S)])
    expect(asked).toEqual([NOW_S])
  })

  it('is given as the chain has it, whatever the claims say, and asked for anew then', async () => {
    const { asked, blocks, look: honest } = world()
    await honest(NOW_S)
    const other = await look(blocks, { ...freshAt(NOW_S), freshBlock: new Uint8Array(32) })
    expect(other.hash).toEqual(freshAt(NOW_S).freshBlock)
    await look(blocks, { ...freshAt(NOW_S), freshAtS: 1 })
    expect(asked).toEqual([NOW_S, NOW_S, NOW_S])
  })

  it('is forgotten when too many others were asked for', async () => {
    const { asked, look } = world()
    for (let i = 0; i <= LIMITS.freshBlocks; i++) await look(NOW_S - i)
    await look(NOW_S - 1)
    expect(asked).toHaveLength(LIMITS.freshBlocks + 1)
    await look(NOW_S)
    expect(asked).toHaveLength(LIMITS.freshBlocks + 2)
  })
})

describe('where there is no such block', () => {
  it('it is refused as invented where the chain is not that far', async () => {
    const { look } = world()
    await expect(look(NOW_S + LIMITS.freshBlocksAhead + 1)).rejects.toMatchObject({
      code: 'evidence-block',
    })
  })

  it('it may be the endpoint that is behind by some blocks: refused, and then found', async () => {
    const { clock, look } = world()
    const soon = NOW_S + LIMITS.freshBlocksAhead
    await expect(look(soon)).rejects.toMatchObject({
      code: 'evidence-unchecked',
      facts: { because: 'your endpoint is behind' },
    })
    await clock.advance(LIMITS.freshBlocksAhead * 1_000)
    expect((await look(soon)).seqno).toBe(soon)
  })

  it('it is not believed where the endpoint has forgotten it', async () => {
    const { look } = world(() => ({ block: async () => undefined }))
    await expect(look(NOW_S - 60)).rejects.toMatchObject({
      code: 'evidence-unchecked',
      facts: { because: 'your endpoint has forgotten the block' },
      action: expect.stringContaining('keeps a day of blocks'),
    })
  })
})

describe('a chain that does not answer', () => {
  it.each([
    ['the block', { block: down }],
    ['the last one', { lastBlock: down }],
  ])('for %s is a refusal, and not remembered', async (_, broken) => {
    let change: Partial<Blocks> = broken
    const { look } = world((honest) => ({
      block: (seqno) => (change.block ?? honest.block)(seqno),
      lastBlock: () => (change.lastBlock ?? honest.lastBlock)(),
    }))
    await expect(look(NOW_S)).rejects.toMatchObject({
      code: 'evidence-unchecked',
      cause: { code: 'chain-unavailable' },
    })
    change = {}
    expect((await look(NOW_S)).seqno).toBe(NOW_S)
  })

  it('is waited for no longer than the limit, and told to stop', async () => {
    let stopped = false
    const { clock, look } = world(() => ({
      block: (_, signal) =>
        new Promise(() => {
          signal!.addEventListener('abort', () => {
            stopped = true
          })
        }),
    }))
    const looking = look(NOW_S).catch((error: unknown) => error)
    expect(await clock.settle(looking, LIMITS.freshBlockMs)).toMatchObject({
      code: 'evidence-unchecked',
      cause: { code: 'timeout' },
    })
    expect(stopped).toBe(true)
  })
})

describe('the time of the client', () => {
  it('is at least that of the last block seen, and moves on', async () => {
    const ahead = { seqno: NOW_S, hash: new Uint8Array(32), atS: NOW_S + 86_400 }
    const { clock, blocks, look } = world(() => ({ lastBlock: async () => ahead }))
    expect(blocks.nowMs()).toBe(NOW_S * 1_000)
    await look(NOW_S)
    expect(blocks.nowMs()).toBe((NOW_S + 86_400) * 1_000)
    await clock.advance(5_000)
    expect(blocks.nowMs()).toBe((NOW_S + 86_405) * 1_000)
  })

  it('is its own where the chain is behind', async () => {
    const { blocks, look } = world((honest) => ({
      lastBlock: async () => ({ ...(await honest.lastBlock()), atS: NOW_S - 500 }),
    }))
    await look(NOW_S)
    expect(blocks.nowMs()).toBe(NOW_S * 1_000)
  })
})
