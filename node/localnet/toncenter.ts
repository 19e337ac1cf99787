/**
 * The methods of toncenter's HTTP API v2, over a ledger: what an unmodified `TonClient`, a wallet
 * or an explorer calls. `toncenter.md` lists them all and what differs.
 * @module
 */
import { accountMethods } from './accountMethods.ts'
import { addressMethods } from './addressMethods.ts'
import { blockMethods } from './blockMethods.ts'
import { configMethods } from './configMethods.ts'
import type { Ledger } from './ledger.ts'
import type { Methods } from './methods.ts'
import { runMethods } from './runMethods.ts'
import { sendMethods } from './sendMethods.ts'
import { tokenMethods } from './tokenMethods.ts'
import { transactionMethods } from './transactionMethods.ts'
import { unservedMethods } from './unservedMethods.ts'

export function toncenterMethods(ledger: Ledger, networkId: number): Methods {
  return {
    anyVerb: {
      ...addressMethods(),
      ...accountMethods(ledger),
      ...tokenMethods(ledger),
      ...blockMethods(ledger, networkId),
      ...transactionMethods(ledger),
      ...configMethods(ledger),
      ...unservedMethods(),
    },
    postOnly: { ...runMethods(ledger), ...sendMethods(ledger) },
  }
}
