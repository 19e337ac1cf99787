/**
 * The wallet against a chain that loses, delays, refuses and goes away.
 * @module
 */
import { type Cell, type StateInit, TupleReader } from '@ton/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Chain, ChainTransaction, Wallet } from '../../../contracts/base/ports.ts'
import { signingKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import { walletAddress, walletTransfer } from '../../../contracts/wrappers/wallet.ts'
import { createWallet } from '../../../node/chain/wallet.ts'
import { createSimulatedClock, type SimulatedClock } from '../../../node/system/simulatedClock.ts'

const START_MS = 1_800_000_000_000
const key = signingKey(new Uint8Array(32).fill(5))
const to = walletAddress(signingKey(new Uint8Array(32).fill(6)).publicKey)
const GIFT = { to, value: TON }

/** A chain that holds one wallet; tests set what happens to what is sent. */
interface Script {
  seqno: number
  balance: bigint
  status: 'none' | 'uninit' | 'active'
  /** Called for each external message; `run` makes it happen. */
  onSend: (body: Cell, run: () => void) => void
  sent: { body: Cell; init: StateInit | undefined }[]
  ran: ChainTransaction[]
  down: boolean
}

let clock: SimulatedClock
let script: Script
let wallet: Wallet

function scriptedChain(): Chain {
  const outage = () => {
    if (script.down) throw new MarketError('chain-unavailable')
  }
  return {
    networkId: 1,
    async now() {
      outage()
      return Math.floor(clock.nowMs() / 1_000)
    },
    async lastBlock() {
      throw new MarketError('internal')
    },
    async block() {
      throw new MarketError('internal')
    },
    async account() {
      outage()
      return { status: script.status, balance: script.balance }
    },
    async getter() {
      return new TupleReader([{ type: 'int', value: BigInt(script.seqno) }])
    },
    async sendExternal(_to, body, init) {
      outage()
      script.sent.push({ body, init })
      script.onSend(body, () => runTransfer(body, body.refs.length))
    },
    async transactions() {
      outage()
      return script.ran
    },
  }
}

function runTransfer(body: Cell, messages: number): void {
  script.seqno++
  script.status = 'active'
  const out = Array.from({ length: messages }, () => ({ value: TON, destination: 'x' }))
  const facts = { hash: '', lt: BigInt(script.seqno), at: 0, fees: 1n, exitCode: 0, aborted: false }
  script.ran.unshift({ ...facts, in: { value: 0n, body }, out })
}

/** A transfer of the same wallet and number that this process did not make. */
const strangersTransfer = () =>
  walletTransfer(script.seqno, 2 ** 32 - 1, [{ to, value: script.balance }], key)

const seqnoIn = (body: Cell) =>
  body
    .beginParse()
    .skip(512 + 64)
    .loadUint(32)
const sending = (limitMs = 1_000_000) => clock.settle(wallet.send([GIFT]), limitMs)

beforeEach(() => {
  clock = createSimulatedClock({ startMs: START_MS })
  script = {
    seqno: 4,
    balance: 10n * TON,
    status: 'active',
    onSend: (_body, run) => run(),
    sent: [],
    ran: [],
    down: false,
  }
  wallet = createWallet({ chain: scriptedChain(), key, clock })
})

describe('a transfer', () => {
  it('names the next number and deploys nothing that is there', async () => {
    await sending()
    expect(script.sent).toHaveLength(1)
    expect(seqnoIn(script.sent[0]!.body)).toBe(4)
    expect(script.sent[0]!.init).toBeUndefined()
  })

  it('carries the state where the wallet is not deployed', async () => {
    script.status = 'uninit'
    script.seqno = 0
    await sending()
    expect(script.sent[0]!.init).toBeDefined()
    expect(seqnoIn(script.sent[0]!.body)).toBe(0)
  })

  it('is sent again, the same bytes, until it is seen', async () => {
    let lost = 2
    script.onSend = (_body, run) => {
      if (lost-- <= 0) run()
    }
    await sending()
    expect(script.sent).toHaveLength(3)
    expect(script.sent.every(({ body }) => body.equals(script.sent[0]!.body))).toBe(true)
    expect(clock.nowMs() - START_MS).toBeGreaterThanOrEqual(2 * LIMITS.walletResendMs)
  })

  it('is signed anew once it is void', async () => {
    script.onSend = (body, run) => {
      if (!body.equals(script.sent[0]!.body)) run()
    }
    await sending()
    const different = new Set(script.sent.map(({ body }) => body.hash().toString('hex')))
    expect(different.size).toBe(2)
    expect(clock.nowMs() - START_MS).toBeGreaterThan(1_000 * LIMITS.walletValidS)
    expect(script.ran).toHaveLength(1)
  })

  it('is signed anew where another process took its number', async () => {
    let stranger = true
    script.onSend = (_body, run) => {
      if (stranger) runTransfer(strangersTransfer(), 1)
      else run()
      stranger = false
    }
    await sending()
    expect(script.sent.map(({ body }) => seqnoIn(body))).toEqual([4, 5])
  })

  it('is given up where another process always takes its number', async () => {
    script.onSend = () => runTransfer(strangersTransfer(), 1)
    await expect(sending()).rejects.toMatchObject({ code: 'contract-failed' })
    expect(script.sent).toHaveLength(LIMITS.chainTries)
  })

  it('is looked for after an outage, not sent blindly again', async () => {
    script.onSend = (_body, run) => {
      run()
      script.down = true
      clock.after(30_000, () => {
        script.down = false
      })
    }
    await sending()
    expect(script.ran).toHaveLength(1)
    expect(script.sent).toHaveLength(1)
  })

  it('whose transaction shows late is waited for, not paid twice', async () => {
    const { ran } = script
    script.onSend = (_body, run) => {
      run()
      script.ran = []
      clock.after(60_000, () => {
        script.ran = ran
      })
    }
    await sending()
    expect(ran).toHaveLength(1)
    expect(new Set(script.sent.map(({ body }) => seqnoIn(body)))).toEqual(new Set([4]))
  })

  it('refused when sent again is waited for: an earlier sending may have run', async () => {
    script.onSend = (_body, run) => {
      if (script.sent.length === 2) {
        clock.after(5_000, run) // the first sending, seen late
        throw new MarketError('contract-failed', { exitCode: 33 })
      }
    }
    await sending()
    expect(script.sent).toHaveLength(2)
    expect(script.ran).toHaveLength(1)
  })

  it('that ran although the answer was a refusal is done', async () => {
    script.onSend = (_body, run) => {
      run()
      throw new MarketError('contract-failed', { exitCode: 33 })
    }
    await sending()
    expect(script.ran).toHaveLength(1)
  })

  it('that the wallet refuses fails with its exit code', async () => {
    script.onSend = () => {
      throw new MarketError('contract-failed', { exitCode: 35 })
    }
    const refused = { code: 'contract-failed', facts: { exitCode: 35 } }
    await expect(sending()).rejects.toMatchObject(refused)
    expect(script.sent).toHaveLength(1)
  })

  it('whose message was left out for want of money fails', async () => {
    script.onSend = (body) => runTransfer(body, 0)
    await expect(sending()).rejects.toMatchObject({
      code: 'wallet-empty',
      facts: { sent: 0, asked: 1 },
    })
  })

  it('above the balance is not sent', async () => {
    script.balance = TON - 1n
    await expect(sending()).rejects.toMatchObject({ code: 'wallet-empty' })
    expect(script.sent).toHaveLength(0)
  })

  it('whose outcome stays unknown fails after a bounded time', async () => {
    script.onSend = () => {
      script.down = true
    }
    await expect(sending()).rejects.toMatchObject({ code: 'timeout' })
    expect(clock.nowMs() - START_MS).toBeLessThan(2_100 * LIMITS.walletValidS)
  })

  it('ends when aborted', async () => {
    script.onSend = () => {}
    const stopper = new AbortController()
    const aborted = wallet.send([GIFT], stopper.signal)
    clock.after(1_000, () => stopper.abort(new Error('enough')))
    await expect(clock.settle(aborted, 100_000)).rejects.toThrow('enough')
  })
})

describe('transfers asked for together', () => {
  it('go one after the other, past one that failed', async () => {
    script.onSend = (body, run) => {
      if (body.refs.length === 2) throw new MarketError('contract-failed', { exitCode: 1 })
      run()
    }
    const sends = Promise.allSettled([
      wallet.send([GIFT]),
      wallet.send([GIFT, GIFT]),
      wallet.send([GIFT]),
    ])
    const outcomes = await clock.settle(sends, 1_000_000)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(script.sent.map(({ body }) => seqnoIn(body))).toEqual([4, 5, 5])
  })
})
