/**
 * The registry as a model in TypeScript: what each message must do, in a few lines each, and what
 * the account must hold afterwards, to the nanoTON.
 *
 * Written from the README of the contract and not from its source, so that both must be wrong in
 * the same way to agree. Rent and gas are priced by the chain's own formulas; how much gas a
 * message used, and how large the state is, the test tells.
 * @module
 */
import { CHAIN_PRICES } from '../../contracts/base/chainPrices.ts'
import { TON } from '../../contracts/base/units.ts'
import { ITEM_KINDS, type ItemKind } from '../../contracts/wrappers/itemConfig.ts'
import { REGISTRY_EXIT } from '../../contracts/wrappers/Registry.ts'
import type { RegistryView } from '../../contracts/wrappers/registryView.ts'
import { type CellSize, gasFee, storageFee } from '../../node/chain/simulatedFees.ts'
import { DAY_S } from './sandboxChain.ts'

const PRICES = CHAIN_PRICES['sandbox-0.41']
const LEAST_STAKE = { provider: 50n * TON, scheduler: 100n * TON, gpu: 20n * TON } as const
const LEAST_BOND = 5n * TON

type Upgradable = ItemKind | 'registry'

/** A message, as the model understands it. Names stand for addresses, and for code. */
export type RegistryAct =
  | { readonly op: 'enrol'; readonly kind: ItemKind; readonly item: string; readonly stake: bigint }
  | { readonly op: 'askCode'; readonly kind: ItemKind; readonly have: number }
  | { readonly op: 'openCase'; readonly amount: bigint; readonly bond: bigint }
  | { readonly op: 'closeCase' }
  | { readonly op: 'update'; readonly version: number; readonly window: number }
  | { readonly op: 'prepare'; readonly kind: Upgradable; readonly code: string }
  | { readonly op: 'apply'; readonly kind: Upgradable; readonly code: string }
  | { readonly op: 'cancel'; readonly kind: Upgradable }
  | { readonly op: 'setGuardian' | 'transferOwner'; readonly to: string }
  | { readonly op: 'acceptOwner' | 'pause' | 'unpause' | 'topUp' | 'unknown' }

/** Who a message came from: a person's name, or the item or case that it names itself. */
export type Sender = string | 'itself'

interface KindState {
  items: string[]
  version: number
  code: string
}

export class RegistryModel {
  owner = 'owner'
  guardian = 'guardian'
  offered: string | undefined
  pausedUntilS = 0
  version = 1
  readonly windows = new Map([[1, 256]])
  readonly prepared = new Map<Upgradable, { code: string; fromS: number }>()
  readonly kinds: Readonly<Record<ItemKind, KindState>>
  balance: bigint
  private paidS: number

  constructor(balance: bigint, nowS: number) {
    this.balance = balance
    this.paidS = nowS
    const blank = (kind: ItemKind): KindState => ({ items: [], version: 0, code: kind })
    this.kinds = { provider: blank('provider'), scheduler: blank('scheduler'), gpu: blank('gpu') }
  }

  /** What the account holds after a transaction; `kept` is what stays of the message's value. */
  settle(size: CellSize, nowS: number, kept: bigint): void {
    this.balance += kept - storageFee(PRICES, size, this.paidS, nowS)
    this.paidS = nowS
  }

  /** What stays of a message's value: all but its gas of a top-up, nothing of any other. */
  keeps({ op }: RegistryAct, exit: number, value: bigint, gas: bigint): bigint {
    return op === 'topUp' && exit === 0 ? value - gasFee(PRICES, gas) : 0n
  }

  /** Exit code of a message, which is carried out where it is 0. */
  play(from: Sender, act: RegistryAct, nowS: number): number {
    switch (act.op) {
      case 'enrol':
        return this.enrol(from, act, nowS)
      case 'askCode':
        if (from !== 'itself') return REGISTRY_EXIT.notItem
        return act.have < this.kinds[act.kind].version ? 0 : REGISTRY_EXIT.noNewerCode
      case 'openCase':
        if (from !== 'itself') return REGISTRY_EXIT.notCase
        return act.amount > 0n && act.bond >= LEAST_BOND ? 0 : REGISTRY_EXIT.bond
      case 'closeCase':
        return from === 'itself' ? 0 : REGISTRY_EXIT.notCase
      case 'acceptOwner':
        if (this.offered === undefined || from !== this.offered) return REGISTRY_EXIT.notOffered
        this.owner = from
        this.offered = undefined
        return 0
      case 'pause':
        return this.pause(from, nowS)
      case 'unpause':
        if (from !== this.guardian && from !== this.owner) return REGISTRY_EXIT.notGuardian
        if (nowS >= this.pausedUntilS) return REGISTRY_EXIT.notPaused
        this.pausedUntilS = nowS
        return 0
      case 'topUp':
        return 0
      case 'unknown':
        return REGISTRY_EXIT.unknownMessage
      default:
        return from === this.owner ? this.own(act, nowS) : REGISTRY_EXIT.notOwner
    }
  }

  /** The part of the view that the model knows, in its own words. */
  view(): unknown {
    const kinds = ITEM_KINDS.map((kind) => {
      const { items, version, code } = this.kinds[kind]
      return [items.length, items.at(-1), version, code, this.prepared.get(kind)?.fromS]
    })
    const { owner, guardian, offered, pausedUntilS, version } = this
    const own = this.prepared.get('registry')?.fromS
    return { owner, guardian, offered, pausedUntilS, version, own, kinds, lost: 0 }
  }

  private enrol(
    from: Sender,
    { kind, item, stake }: Extract<RegistryAct, { op: 'enrol' }>,
    nowS: number,
  ): number {
    if (nowS < this.pausedUntilS) return REGISTRY_EXIT.paused
    if (from !== 'itself') return REGISTRY_EXIT.notItem
    if (stake < LEAST_STAKE[kind]) return REGISTRY_EXIT.stake
    this.kinds[kind].items.push(item)
    return 0
  }

  private pause(from: Sender, nowS: number): number {
    if (from !== this.guardian) return REGISTRY_EXIT.notGuardian
    const rested = this.pausedUntilS === 0 || nowS >= this.pausedUntilS + 14 * DAY_S
    if (!rested) return REGISTRY_EXIT.tooEarly
    this.pausedUntilS = nowS + 14 * DAY_S
    return 0
  }

  private own(act: RegistryAct, nowS: number): number {
    if (act.op === 'update') {
      if (act.version !== this.version + 1) return REGISTRY_EXIT.version
      if (act.window < 1 || act.window > 1 << 20) return REGISTRY_EXIT.bounds
      this.version = act.version
      this.windows.set(act.version, act.window)
      this.windows.delete(act.version - 16)
    } else if (act.op === 'prepare') {
      if (this.prepared.has(act.kind)) return REGISTRY_EXIT.alreadyPrepared
      this.prepared.set(act.kind, { code: act.code, fromS: nowS + 30 * DAY_S })
    } else if (act.op === 'cancel') {
      return this.prepared.delete(act.kind) ? 0 : REGISTRY_EXIT.notPrepared
    } else if (act.op === 'apply') {
      return this.apply(act, nowS)
    } else if (act.op === 'setGuardian') {
      this.guardian = act.to
      this.pausedUntilS = 0
    } else if (act.op === 'transferOwner') {
      this.offered = act.to
    }
    return 0
  }

  private apply({ kind, code }: Extract<RegistryAct, { op: 'apply' }>, nowS: number): number {
    const prepared = this.prepared.get(kind)
    if (prepared?.code !== code) return REGISTRY_EXIT.notPrepared
    if (nowS < prepared.fromS) return REGISTRY_EXIT.tooEarly
    if (nowS >= prepared.fromS + 30 * DAY_S) return REGISTRY_EXIT.tooLate
    this.prepared.delete(kind)
    if (kind !== 'registry') {
      this.kinds[kind].version++
      this.kinds[kind].code = code
    }
    return 0
  }
}

/** What the contract answers in the model's words; `nameOf` names addresses and hashes. */
export function inModelWords(view: RegistryView, nameOf: (what: string) => string): unknown {
  const address = (it?: { toRawString(): string }) => it && nameOf(it.toRawString())
  const kinds = ITEM_KINDS.map((kind) => {
    const { count, last, codeVersion, codeHash, prepared } = view.kinds[kind]
    return [count, address(last), codeVersion, nameOf(codeHash), prepared?.fromS]
  })
  return {
    ...{ owner: address(view.owner), guardian: address(view.guardian) },
    ...{ offered: address(view.offered), pausedUntilS: view.pausedUntilS },
    ...{ version: view.parametersVersion, own: view.prepared?.fromS, kinds, lost: view.lost },
  }
}
