/**
 * The messages of the registry: their ops, their bodies, and the TON to attach to each.
 *
 * Layouts are those of `contracts/tolk/registry/messages.tolk`. All but pause, unpause, accept and
 * top-up come from the owner: as operations of the timelock (`Timelock.ts`).
 * @module
 */
import { type Address, type Builder, beginCell, type Cell } from '@ton/core'
import { fromHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { NanoTon } from '../base/units.ts'
import { type ItemKind, kindNumber } from './itemConfig.ts'

/** Ops of the messages that the registry takes from people. */
export const REGISTRY_OP = {
  update: 0x2c5a2005,
  prepareUpgrade: 0x2c5a2006,
  applyUpgrade: 0x2c5a2007,
  prepareItemCode: 0x2c5a2008,
  applyItemCode: 0x2c5a2009,
  cancelUpgrade: 0x2c5a200a,
  setGuardian: 0x2c5a200b,
  transferOwner: 0x2c5a200c,
  acceptOwner: 0x2c5a200d,
  pause: 0x2c5a200e,
  unpause: 0x2c5a200f,
  topUp: 0x2c5a2010,
} as const

/** Ops between the registry, items and cases (contracts/tolk/common/protocol.tolk). */
export const REGISTRY_PROTOCOL = {
  enrol: 0x2c5a2001,
  askCode: 0x2c5a2002,
  openCase: 0x2c5a2003,
  closeCase: 0x2c5a2004,
  enrolled: 0x2c5a2011,
  newCode: 0x2c5a2012,
  freeze: 0x2c5a2013,
  settleCase: 0x2c5a2014,
  caseOpened: 0x2c5a2015,
  excess: 0x2c5a2017,
} as const

/** Value to attach to any message of a person, in nanoTON; what is left of it comes back. */
export const REGISTRY_VALUE: NanoTon = 50_000_000n

/** The next version of the parameters (`encodeParameters`). From the owner. */
export function updateBody(parameters: Cell): Cell {
  return op(REGISTRY_OP.update).storeRef(parameters).endCell()
}

/** Shows the hash (hex) of code that may replace the registry's, or a kind's, after the delay. */
export function prepareBody(kind: ItemKind | 'registry', codeHash: string): Cell {
  const hash = Buffer.from(fromHex(codeHash, 32))
  if (kind === 'registry') return op(REGISTRY_OP.prepareUpgrade).storeBuffer(hash).endCell()
  const body = op(REGISTRY_OP.prepareItemCode).storeUint(kindNumber(kind), 8)
  return body.storeBuffer(hash).endCell()
}

/** Puts code into force whose hash was shown long enough ago. */
export function applyBody(kind: ItemKind | 'registry', code: Cell): Cell {
  if (kind === 'registry') return op(REGISTRY_OP.applyUpgrade).storeRef(code).endCell()
  return op(REGISTRY_OP.applyItemCode).storeUint(kindNumber(kind), 8).storeRef(code).endCell()
}

/** Takes back what was prepared. */
export function cancelUpgradeBody(kind: ItemKind | 'registry'): Cell {
  const number = kind === 'registry' ? 0 : kindNumber(kind)
  return op(REGISTRY_OP.cancelUpgrade).storeUint(number, 8).endCell()
}

export function setGuardianBody(guardian: Address): Cell {
  return op(REGISTRY_OP.setGuardian).storeAddress(guardian).endCell()
}

/** Offers the registry; the new owner must accept (`acceptOwnerBody`). */
export function transferOwnerBody(owner: Address): Cell {
  return op(REGISTRY_OP.transferOwner).storeAddress(owner).endCell()
}

export function acceptOwnerBody(): Cell {
  return op(REGISTRY_OP.acceptOwner).endCell()
}

/** Closes registration for a while; from the guardian. */
export function pauseBody(): Cell {
  return op(REGISTRY_OP.pause).endCell()
}

/** Opens registration again; from the guardian or the owner. */
export function unpauseBody(): Cell {
  return op(REGISTRY_OP.unpause).endCell()
}

/** Leaves its value in the registry, for rent; from anyone. */
export function topUpRegistryBody(): Cell {
  return op(REGISTRY_OP.topUp).endCell()
}

/** An item asks to be enrolled. `item` is its configuration's cell. */
export function enrolBody(item: Cell, stake: NanoTon): Cell {
  return op(REGISTRY_PROTOCOL.enrol).storeRef(item).storeCoins(stake).endCell()
}

/** An item asks for code newer than the version it has. */
export function askCodeBody(item: Cell, have: number): Cell {
  if (!Number.isInteger(have) || have < 0 || have > 0xffff) {
    throw new MarketError('bad-input', { field: 'have', most: 0xffff })
  }
  return op(REGISTRY_PROTOCOL.askCode).storeRef(item).storeUint(have, 16).endCell()
}

function op(code: number): Builder {
  return beginCell().storeUint(code, 32)
}
