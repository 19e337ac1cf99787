/**
 * The standard wallet, version 4 revision 2: state, address, and signed transfers.
 *
 * The code is that of the public contract, pinned by hash. It is written out here because the
 * package that also has it costs every importer 300 ms.
 * @module
 */
import {
  type Address,
  beginCell,
  Cell,
  contractAddress,
  internal,
  type StateInit,
  storeMessageRelaxed,
} from '@ton/core'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { WalletMessage } from '../base/ports.ts'
import type { SigningKey } from '../base/signing.ts'

/** Subwallet id of the standard wallet in the basechain. */
export const WALLET_ID = 698_983_191
/** Messages that one transfer carries: four references of one cell. */
export const WALLET_MESSAGES = 4
/** Representation hash of the code, hex. */
export const WALLET_CODE_HASH = 'feb5ff6820e2ff0d9483e7e0d62c817d846789fb4ae580c878866d959dabd5c0'

const PAY_FEES_SEPARATELY = 1
const IGNORE_ERRORS = 2
const SIMPLE_SEND = 0

const WALLET_CODE = Cell.fromBase64(
  'te6ccgECFAEAAtQAART/APSkE/S88sgLAQIBIAIDAgFIBAUE+PKDCNcYINMf0x/THwL4I7vyZO1E0NMf0x/T//QE0VFD' +
    'uvKhUVG68qIF+QFUEGT5EPKj+AAkpMjLH1JAyx9SMMv/UhD0AMntVPgPAdMHIcAAn2xRkyDXSpbTB9QC+wDoMOAhwAHj' +
    'ACHAAuMAAcADkTDjDQOkyMsfEssfy/8QERITAubQAdDTAyFxsJJfBOAi10nBIJJfBOAC0x8hghBwbHVnvSKCEGRzdHK9' +
    'sJJfBeAD+kAwIPpEAcjKB8v/ydDtRNCBAUDXIfQEMFyBAQj0Cm+hMbOSXwfgBdM/yCWCEHBsdWe6kjgw4w0DghBkc3Ry' +
    'upJfBuMNBgcCASAICQB4AfoA9AQw+CdvIjBQCqEhvvLgUIIQcGx1Z4MesXCAGFAEywUmzxZY+gIZ9ADLaRfLH1Jgyz8g' +
    'yYBA+wAGAIpQBIEBCPRZMO1E0IEBQNcgyAHPFvQAye1UAXKwjiOCEGRzdHKDHrFwgBhQBcsFUAPPFiP6AhPLassfyz/J' +
    'gED7AJJfA+ICASAKCwBZvSQrb2omhAgKBrkPoCGEcNQICEekk30pkQzmkD6f+YN4EoAbeBAUiYcVnzGEAgFYDA0AEbjJ' +
    'ftRNDXCx+AA9sp37UTQgQFA1yH0BDACyMoHy//J0AGBAQj0Cm+hMYAIBIA4PABmtznaiaEAga5Drhf/AABmvHfaiaEAQ' +
    'a5DrhY/AAG7SB/oA1NQi+QAFyMoHFcv/ydB3dIAYyMsFywIizxZQBfoCFMtrEszMyXP7AMhAFIEBCPRR8qcCAHCBAQjX' +
    'GPoA0z/IVCBHgQEI9FHyp4IQbm90ZXB0gBjIywXLAlAGzxZQBPoCFMtqEssfyz/Jc/sAAgBsgQEI1xj6ANM/MFIkgQEI' +
    '9Fnyp4IQZHN0cnB0gBjIywXLAlAFzxZQA/oCE8tqyx8Syz/Jc/sAAAr0AMntVA==',
)

/** Initial state of the wallet of a public key (32 bytes). Throws `bad-input`. */
export function walletStateInit(publicKey: Bytes): StateInit {
  if (publicKey.length !== 32) throw new MarketError('bad-input', { expected: 'a public key' })
  const data = beginCell()
    .storeUint(0, 32)
    .storeUint(WALLET_ID, 32)
    .storeBuffer(Buffer.from(publicKey))
    .storeBit(false)
    .endCell()
  return { code: WALLET_CODE, data }
}

/** Address of the wallet of a public key, in workchain 0. Throws `bad-input`. */
export function walletAddress(publicKey: Bytes): Address {
  return contractAddress(0, walletStateInit(publicKey))
}

/**
 * The signed body of an external message that sends 1 to 4 messages in order.
 *
 * Amounts are in nanoTON; fees come from the wallet's balance, and a message it cannot pay for is
 * left out. Throws `bad-input` on another number of messages or a wrong `seqno`.
 *
 * @example
 * const body = walletTransfer(0, nowS + 60, [{ to, value: 1_000_000_000n }], key)
 */
export function walletTransfer(
  seqno: number,
  validUntilS: number,
  messages: readonly WalletMessage[],
  key: SigningKey,
): Cell {
  if (messages.length < 1 || messages.length > WALLET_MESSAGES) {
    throw new MarketError('bad-input', { field: 'messages', least: 1, most: WALLET_MESSAGES })
  }
  if (!isUint32(seqno) || !isUint32(validUntilS)) {
    throw new MarketError('bad-input', { field: 'seqno', expected: 'unsigned 32 bits' })
  }
  const order = beginCell()
    .storeUint(WALLET_ID, 32)
    .storeUint(validUntilS, 32)
    .storeUint(seqno, 32)
    .storeUint(SIMPLE_SEND, 8)
  for (const message of messages) {
    order.storeUint(PAY_FEES_SEPARATELY | IGNORE_ERRORS, 8).storeRef(outMessage(message))
  }
  const signature = key.sign(new Uint8Array(order.endCell().hash()))
  return beginCell().storeBuffer(Buffer.from(signature)).storeBuilder(order).endCell()
}

function outMessage({ to, value, body, init, bounce }: WalletMessage): Cell {
  const message = internal({ to, value, body, init, bounce: bounce ?? true })
  return beginCell().store(storeMessageRelaxed(message)).endCell()
}

function isUint32(value: number): boolean {
  return Number.isInteger(value) && value === value >>> 0
}
