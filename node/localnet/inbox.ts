/**
 * What came from outside and waits for the next block: external messages that were accepted, and
 * grants of the faucet.
 *
 * Lives in memory, as on any network: a message that was in no block when the process ended is sent
 * again by whoever cares.
 * @module
 */
import type { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import type { Input } from './block.ts'
import type { StoredTransaction } from './history.ts'

/** New money on its way to an address. */
export interface Grant {
  readonly to: Address
  readonly amount: NanoTon
  /** Told once a block has run it. */
  readonly done: (outcome: StoredTransaction | MarketError) => void
}

export interface Inbox {
  readonly size: number
  /** External messages that wait. */
  readonly messages: readonly Input[]
  readonly grants: readonly Grant[]
  /** Throws `limit-exceeded`. */
  checkRoom(): void
  has(message: Input): boolean
  addMessage(message: Input): void
  addGrant(grant: Grant): void
  /** Takes out the oldest ones. */
  drop(messages: number, grants: number): void
  /** Forgets the messages: the state they were accepted for is gone. */
  clear(): void
}

export function createInbox(): Inbox {
  const messages = new Map<string, Input>()
  const grants: Grant[] = []
  const keyOf = ({ cell }: Input) => cell.hash().toString('hex')
  const dropMessages = (count: number) => {
    for (const key of [...messages.keys()].slice(0, count)) messages.delete(key)
  }
  return {
    get size() {
      return messages.size + grants.length
    },
    get messages() {
      return [...messages.values()]
    },
    grants,
    checkRoom() {
      if (this.size < LIMITS.localnetInbox) return
      throw new MarketError('limit-exceeded', { limit: 'localnetInbox' })
    },
    has: (message) => messages.has(keyOf(message)),
    addMessage(message) {
      messages.set(keyOf(message), message)
    },
    addGrant: (grant) => {
      grants.push(grant)
    },
    drop(taken, granted) {
      dropMessages(taken)
      grants.splice(0, granted)
    },
    clear: () => messages.clear(),
  }
}
