/**
 * toncenter's JSON of messages: who to whom, how much, and the body as text or as bytes.
 * @module
 */
import { Address, beginCell, type Cell, loadMessage, storeStateInit } from '@ton/core'

/** Addresses as text and the body decoded, or both as tonlib has them. */
export type MessageForm = 'plain' | 'standard'

const TEXT_COMMENT = 0
const ENCRYPTED_COMMENT = 0x2167da4b

export function messageJson(cell: Cell, form: MessageForm): object {
  const { info, init, body } = loadMessage(cell.beginParse())
  const isInternal = info.type === 'internal'
  const { data, decoded } = content(body, () =>
    init ? beginCell().store(storeStateInit(init)).endCell().toBoc().toString('base64') : '',
  )
  // External addresses of messages to and from outside are not told.
  const source = info.type === 'external-in' ? '' : info.src.toString()
  const destination = Address.isAddress(info.dest) ? info.dest.toString() : ''
  const isPlain = form === 'plain'
  return {
    '@type': isPlain ? 'ext.message' : 'raw.message',
    hash: cell.hash().toString('base64'),
    source: isPlain ? source : accountAddress(source),
    destination: isPlain ? destination : accountAddress(destination),
    value: isInternal ? info.value.coins.toString() : '0',
    extra_currencies: [],
    fwd_fee: isInternal ? info.forwardFee.toString() : '0',
    ihr_fee: isInternal ? info.ihrFee.toString() : '0',
    created_lt: info.type === 'external-in' ? '0' : info.createdLt.toString(),
    body_hash: body.hash().toString('base64'),
    msg_data: data,
    ...(isPlain && decoded),
  }
}

function accountAddress(text: string): object {
  return { '@type': 'accountAddress', account_address: text }
}

/** A text comment as text; anything else as the body, beside it the bits of its first cell. */
function content(body: Cell, initState: () => string): { data: object; decoded: object } {
  const slice = body.beginParse()
  const bits = slice.remainingBits
  const opcode = bits >= 32 ? slice.loadUint(32) : undefined
  if (opcode === TEXT_COMMENT || opcode === ENCRYPTED_COMMENT) {
    const bytes = snake(slice.asCell())
    const text = bytes && utf8(bytes)
    if (opcode === TEXT_COMMENT && text !== undefined) {
      const encoded = Buffer.from(text).toString('base64')
      return { data: { '@type': 'msg.dataText', text: encoded }, decoded: { message: text } }
    }
    if (opcode === ENCRYPTED_COMMENT && bytes) {
      const encoded = bytes.toString('base64')
      const data = { '@type': 'msg.dataEncryptedText', text: encoded }
      return { data, decoded: { message: encoded } }
    }
  }
  const data = {
    '@type': 'msg.dataRaw',
    body: body.toBoc().toString('base64'),
    init_state: initState(),
  }
  if (bits % 8 !== 0) return { data, decoded: { message_decode_error: 'not a whole byte' } }
  const message = body
    .beginParse()
    .loadBuffer(bits / 8)
    .toString('base64')
  return { data, decoded: { message } }
}

/** Bytes spread over a chain of cells; undefined where a cell does not hold whole bytes. */
export function snake(cell: Cell, most = Number.MAX_SAFE_INTEGER): Buffer | undefined {
  const parts: Buffer[] = []
  let bytes = 0
  for (let at: Cell | undefined = cell; at && bytes <= most; at = at.refs[0]) {
    if (at.isExotic || at.bits.length % 8 !== 0) return undefined
    const part = at.beginParse().loadBuffer(at.bits.length / 8)
    parts.push(part)
    bytes += part.length
  }
  return Buffer.concat(parts).subarray(0, most)
}

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function utf8(bytes: Buffer): string | undefined {
  try {
    return DECODER.decode(bytes)
  } catch {
    return undefined // not text
  }
}
