/**
 * An order of the multisig as a JSON file that travels from signer to signer until enough have
 * signed. What it does is read from the file itself; a signer believes nobody's summary of it.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { Address, Cell } from '@ton/core'
import { fromHex, toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { verifySignature } from '../../contracts/base/signing.ts'
import { parseNano } from '../../contracts/base/units.ts'
import {
  type Order,
  type OrderAction,
  type OrderSignature,
  orderCell,
} from '../../contracts/wrappers/Multisig.ts'
import { parseSigners, signersJson } from './governFiles.ts'

export interface OrderFile {
  readonly order: Order
  /** Each is checked to be over this order when the file is read. */
  readonly signatures: readonly OrderSignature[]
}

type Fields = Readonly<Record<string, unknown>>

/** Writes an order and its signatures, for its owner's eyes. */
export async function writeOrder(path: string, { order, signatures }: OrderFile): Promise<void> {
  const { action, multisig, ...rest } = order
  const json = {
    version: 1,
    ...rest,
    multisig: multisig.toString(),
    ...actionJson(action),
    signatures: signatures.map(({ key, signature }) => {
      return { key: toHex(key), signature: toHex(signature) }
    }),
  }
  await writeFile(path, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600 })
}

function actionJson(action: OrderAction): object {
  if (action.kind === 'signers') return { signers: signersJson(action.signers) }
  const { to, value, body } = action.operation
  return { send: { to: to.toString(), value: `${value}`, body: body.toBoc().toString('base64') } }
}

/** Throws `bad-config` where it is no order, `bad-signature` where a signature is not over it. */
export async function readOrder(path: string): Promise<OrderFile> {
  let fields: Fields
  try {
    fields = JSON.parse(await readFile(path, 'utf8')) as Fields
  } catch (cause) {
    throw new MarketError('bad-config', { file: path, expected: 'an order' }, { cause })
  }
  try {
    return parse(fields)
  } catch (cause) {
    if (cause instanceof MarketError && cause.code === 'bad-signature') throw cause
    throw new MarketError('bad-config', { file: path, expected: 'an order' }, { cause })
  }
}

function parse(fields: Fields): OrderFile {
  const order: Order = {
    network: Number(fields.network),
    multisig: Address.parse(String(fields.multisig)),
    seqno: Number(fields.seqno),
    validUntilS: Number(fields.validUntilS),
    action: actionOf(fields),
  }
  const hash = new Uint8Array(orderCell(order).hash())
  const signatures = (fields.signatures as Record<string, string>[]).map((each) => {
    const [key, signature] = [fromHex(each.key!, 32), fromHex(each.signature!, 64)]
    if (!verifySignature(hash, signature, key)) throw new MarketError('bad-signature', {})
    return { key, signature }
  })
  return { order, signatures }
}

function actionOf(fields: Fields): OrderAction {
  if ('signers' in fields) return { kind: 'signers', signers: parseSigners(fields.signers) }
  const send = fields.send as Record<string, string>
  const operation = {
    to: Address.parse(send.to!),
    value: parseNano(send.value!),
    body: Cell.fromBase64(send.body!),
  }
  return { kind: 'send', operation }
}
