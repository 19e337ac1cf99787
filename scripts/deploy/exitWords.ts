/**
 * Exit codes of the contracts that governance talks to, in words: what a person is told where one
 * of them refused a message. The numbers are those of the wrappers; each contract has its own.
 * @module
 */
import { ITEM_EXIT } from '../../contracts/wrappers/bondedItem.ts'
import { MULTISIG_EXIT } from '../../contracts/wrappers/Multisig.ts'
import { REGISTRY_EXIT } from '../../contracts/wrappers/Registry.ts'
import { TIMELOCK_EXIT } from '../../contracts/wrappers/Timelock.ts'

const WORDS = new Map<number, string>([
  [REGISTRY_EXIT.notOwner, 'the message does not come from the owner'],
  [REGISTRY_EXIT.notGuardian, 'the message does not come from the guardian'],
  [REGISTRY_EXIT.notItem, 'the sender is not the item that it names'],
  [REGISTRY_EXIT.kind, 'there is no such kind of item'],
  [REGISTRY_EXIT.noNewerCode, 'the item runs the newest code already'],
  [REGISTRY_EXIT.version, 'the parameters are not of the next version'],
  [REGISTRY_EXIT.bounds, 'the parameters are out of their bounds'],
  [REGISTRY_EXIT.notPrepared, 'this code was not prepared'],
  [REGISTRY_EXIT.tooEarly, 'the delay of prepared code, or the rest after a pause, is not over'],
  [REGISTRY_EXIT.tooLate, 'what was prepared has lapsed'],
  [REGISTRY_EXIT.alreadyPrepared, 'other code is prepared, and must be cancelled first'],
  [REGISTRY_EXIT.notOffered, 'the registry was not offered to the sender'],
  [REGISTRY_EXIT.notPaused, 'registration is open already'],
  [REGISTRY_EXIT.tooLittleValue, 'too little value came with the message'],
  [REGISTRY_EXIT.wrongNetwork, 'the registry is of another network'],
  [REGISTRY_EXIT.otherRegistry, 'the item is of another registry'],
  [ITEM_EXIT.notOwner, 'the message does not come from the owner of the item'],
  [ITEM_EXIT.notRegistry, 'the message does not come from the registry of the item'],
  [ITEM_EXIT.notEnrolled, 'the item is not enrolled'],
  [ITEM_EXIT.tooLittleValue, 'too little value came with the message'],
  [ITEM_EXIT.notAsked, 'nobody asked for code within the last hour'],
  [ITEM_EXIT.oldCode, 'the code is no newer'],
  [TIMELOCK_EXIT.notMultisig, 'the message does not come from the multisig'],
  [TIMELOCK_EXIT.notItself, 'the delay changes by a queued operation only'],
  [TIMELOCK_EXIT.full, 'as many operations wait as may wait'],
  [TIMELOCK_EXIT.oldId, 'an operation with this number, or a later one, was queued before'],
  [TIMELOCK_EXIT.unknownId, 'no operation with this number waits'],
  [TIMELOCK_EXIT.eta, 'the time is earlier than the delay allows, or too far away'],
  [TIMELOCK_EXIT.tooEarly, 'the operation is not due'],
  [TIMELOCK_EXIT.tooLate, 'the operation is void: nobody executed it in its time'],
  [TIMELOCK_EXIT.delay, 'a delay is 1 to 30 days'],
  [TIMELOCK_EXIT.noFunds, 'value and spare balance do not cover what is to be sent'],
  [MULTISIG_EXIT.wrongNetwork, 'the order is of another network'],
  [MULTISIG_EXIT.wrongMultisig, 'the order is of another multisig'],
  [MULTISIG_EXIT.seqno, 'another order was handed in before'],
  [MULTISIG_EXIT.expired, 'the order has expired'],
  [MULTISIG_EXIT.notSigner, 'somebody signed who is no signer'],
  [MULTISIG_EXIT.badSignature, 'a signature is not over this order'],
  [MULTISIG_EXIT.threshold, 'too few have signed'],
  [MULTISIG_EXIT.signers, 'no signers, too many, or a threshold that they cannot reach'],
  [MULTISIG_EXIT.noValue, 'value and spare balance do not cover what is to be sent'],
  [0xffff, 'the contract does not know the message'],
  // Of the TVM itself.
  [0, 'nothing stands there that could take it'],
  [-14, 'the message brought too little gas'],
])

/** Why a contract refused, in words. */
export function exitWords(exitCode: number): string {
  return WORDS.get(exitCode) ?? 'a reason that this software does not know'
}
