/**
 * The one error of Chrysalis: a stable code, typed facts, and an action the reader can take.
 *
 * Every code stands in `CATALOGUE` once, with the sentence a person sees, what to do about it, the
 * HTTP status and the process exit code. `docs/errors.md` is the same table for readers; a test
 * keeps the two equal.
 * @module
 */

/** Facts of an error: small, printable, never a prompt, an answer or a key. */
export type Facts = Readonly<Record<string, string | number | bigint | boolean | undefined>>

interface Entry {
  readonly message: string
  readonly action: string
  /** HTTP status where the error leaves through an HTTP surface. */
  readonly status: number
  /** Exit code of the command. */
  readonly exit: number
}

const entry = (status: number, exit: number, message: string, action: string): Entry => ({
  message,
  action,
  status,
  exit,
})

/** Exit codes: 2 input, 3 refused by the market, 4 money, 5 not proved, 6 unreachable, 7 fault. */
export const CATALOGUE = {
  // Input of a person or a program.
  'bad-input': entry(400, 2, 'The input is not valid.', 'Correct the named field and try again.'),
  'bad-config': entry(400, 2, 'The configuration is not valid.', 'Correct the named setting.'),
  'unknown-network': entry(
    404,
    2,
    'No such network is known here.',
    'Name a network.json with --network, or start a localnet with `chrysalis dev`.',
  ),
  'bad-key': entry(
    401,
    2,
    'The API key is missing or wrong.',
    'Send `Authorization: Bearer KEY` with the key that the gateway printed when it started.',
  ),
  'bad-host': entry(
    403,
    2,
    'The request names a host that is not this machine.',
    'Call the gateway as http://127.0.0.1 or http://localhost.',
  ),
  paused: entry(
    409,
    2,
    'The localnet is paused: it makes no blocks.',
    'Post to `/control/resume` first.',
  ),
  'not-found': entry(404, 2, 'There is nothing at this address.', 'Check the path.'),
  'too-large': entry(413, 2, 'The request is larger than allowed.', 'Send a smaller request.'),
  'prompt-too-long': entry(
    400,
    2,
    'The prompt does not fit the context of the model.',
    'Shorten the prompt, lower maxTokens, or choose a model with a larger context.',
  ),
  'key-file': entry(
    500,
    2,
    'The key file cannot be used.',
    'Check that it belongs to you, has mode 0600, and that the passphrase is right.',
  ),
  // Refused by the market.
  'no-model': entry(
    404,
    3,
    'No provider of this market serves the model.',
    'Run `chrysalis models` and choose one that is listed.',
  ),
  price: entry(
    402,
    3,
    'No provider serves the model at or below your price cap.',
    'Raise the price cap (maxTick) to the lowest tick named here, or wait.',
  ),
  requirements: entry(
    409,
    3,
    'No provider meets the requirements.',
    'Relax the requirement named here.',
  ),
  'queue-full': entry(
    429,
    3,
    'The waiting queue is full.',
    'Wait a little and try again, or use another scheduler.',
  ),
  expired: entry(
    504,
    3,
    'No place became free before the deadline.',
    'Allow a later deadline, raise the price cap, or try again.',
  ),
  'no-provider': entry(
    503,
    3,
    'Every attempt failed before an answer began.',
    'Try again; nothing was charged for the attempts that failed.',
  ),
  'provider-lost': entry(
    502,
    3,
    'The provider was lost in the middle of the answer.',
    'What was delivered is in this error and was paid; submit again, or ask for `resume`.',
  ),
  'scheduler-lost': entry(
    502,
    3,
    'The connection to the scheduler was lost.',
    'Try again; undelivered prepayment stays credit on your channel.',
  ),
  'backend-failed': entry(
    502,
    3,
    'The model server of the provider failed.',
    'Try again; undelivered prepayment stays credit on your channel.',
  ),
  busy: entry(503, 3, 'The provider has no free place.', 'Try again, or let the scheduler choose.'),
  'duplicate-job': entry(
    409,
    3,
    'A job with this id has been submitted before.',
    'Use a new job id, or read the result of the first one.',
  ),
  'too-many-jobs': entry(
    429,
    3,
    'Too many jobs are open on this channel.',
    'Wait for one to end before you submit another.',
  ),
  aborted: entry(499, 3, 'The job was aborted.', 'Nothing: what was delivered is paid for.'),
  timeout: entry(504, 3, 'The other side did not answer in time.', 'Try again.'),
  // Money.
  'no-funds': entry(
    402,
    4,
    'The free balance does not cover the job.',
    'Top up the channel, lower maxTokens, or wait until open jobs end.',
  ),
  'no-channel': entry(
    402,
    4,
    'There is no usable payment channel.',
    'Open one with a deposit, and wait until it is final on chain.',
  ),
  'bad-channel': entry(
    402,
    4,
    'The channel is not one that a payee can trust.',
    'Open a channel with the pinned code, your own payee, and a close delay of at least its least.',
  ),
  'bad-asset': entry(
    402,
    4,
    'The asset is not one that is listed here.',
    'Pay in TON, or in a jetton that the network and the scheduler list, by its minter.',
  ),
  'channel-closing': entry(
    402,
    4,
    'The channel is closing.',
    'Open another channel; this one still pays what was signed.',
  ),
  exposure: entry(
    402,
    4,
    'The payment would exceed the exposure limit.',
    'Consent to the larger exposure explicitly, or send a smaller job.',
  ),
  unpaid: entry(
    402,
    4,
    'The next window is not paid for.',
    'Send a voucher; work goes on when it arrives.',
  ),
  'bad-voucher': entry(
    402,
    4,
    'The voucher was refused.',
    'Sign a voucher for this channel and network, above the last one and within the deposit.',
  ),
  'account-conflict': entry(
    409,
    4,
    'The two sides disagree about the account of a channel.',
    'Stop using the channel and keep both signed statements: they are evidence.',
  ),
  'account-in-use': entry(
    409,
    4,
    'Another live connection already uses this channel.',
    'Stop the other instance: one key must have one running node.',
  ),
  'voucher-withheld': entry(
    402,
    4,
    'Payment stopped before the answer was complete.',
    'Nothing is owed; pay the next window in time to receive the rest.',
  ),
  // Not proved.
  'bad-signature': entry(
    400,
    5,
    'A signature does not match.',
    'Do not trust this record; ask another party for it.',
  ),
  'bad-lease': entry(
    409,
    5,
    'The lease or its accept is not what was asked for.',
    'Use another scheduler and keep the lease: it is evidence.',
  ),
  'bad-receipt': entry(
    409,
    5,
    'The receipt does not match the job.',
    'Keep the receipt and the job record: the difference can be shown.',
  ),
  'bad-contradiction': entry(
    400,
    2,
    'The contradiction file is malformed.',
    'Export it again with `chrysalis dispute export`.',
  ),
  'no-contradiction': entry(
    422,
    5,
    'The two statements do not contradict one another.',
    'Open no case with it: the reason says what an honest party may have done.',
  ),
  'evidence-malformed': entry(
    403,
    5,
    'The evidence cannot be read: it is not in the format it claims.',
    'Choose another provider, or ask this one to collect its evidence again.',
  ),
  'evidence-signature': entry(
    403,
    5,
    'A signature in the evidence is wrong: it was altered or forged.',
    'Do not use this provider; keep the document if you want to show it.',
  ),
  'evidence-root': entry(
    403,
    5,
    'The evidence does not lead to a root of the hardware vendor.',
    'Do not use this provider: test and simulated roots prove nothing here.',
  ),
  'evidence-expired': entry(
    403,
    5,
    'The evidence, or what vouches for it, is not valid at this time.',
    'Ask for fresh evidence and collateral, or name the time with --at.',
  ),
  'evidence-revoked': entry(
    403,
    5,
    'The platform behind the evidence has been revoked by its vendor.',
    'Do not use this provider.',
  ),
  'evidence-collateral': entry(
    403,
    5,
    'What the vendor publishes about the platform is missing, forged or of another platform.',
    'Supply the collateral of this platform, in the command with --collateral: of Intel TCB ' +
      'info, identities and revocation lists; of AMD the VCEK or VLEK certificate and its chain.',
  ),
  'evidence-rollback': entry(
    403,
    5,
    'The collateral is older than what was seen before.',
    'Supply the newest collateral: an old one can hide a revocation.',
  ),
  'evidence-debug': entry(
    403,
    5,
    'The protected machine runs in debug mode: its owner can read its memory.',
    'Do not use this provider for anything private.',
  ),
  'evidence-isolation': entry(
    403,
    5,
    'The protected machine is set up so that its owner could get in, or move it away.',
    'Do not use this provider for anything private.',
  ),
  'evidence-tcb': entry(
    403,
    5,
    'The platform lacks security updates that your policy asks for.',
    'Choose another provider, or accept the named TCB state in your policy.',
  ),
  'evidence-measurement': entry(
    403,
    5,
    'The machine runs software that is not on the accepted list.',
    'Choose another provider, or accept the named measurement in your policy.',
  ),
  'evidence-binding': entry(
    403,
    5,
    'The evidence is genuine but says nothing about this provider: it is bound to other claims.',
    'Do not use this provider: it may be showing the evidence of another machine.',
  ),
  'evidence-platform': entry(
    403,
    5,
    'The machine is not one of those your policy allows.',
    'Choose another provider, or add the named platform to your policy.',
  ),
  'evidence-kind': entry(
    403,
    5,
    'Nothing here can verify this kind of evidence.',
    'Update this program, or choose another provider.',
  ),
  'evidence-tier': entry(
    403,
    5,
    'The evidence proves less than the provider claims.',
    'Do not use this provider: it says more of itself than it can show.',
  ),
  'evidence-vendor': entry(
    403,
    5,
    'The hardware is of a vendor that your policy does not accept.',
    'Choose another provider, or accept the named vendor in your policy.',
  ),
  'evidence-age': entry(
    403,
    5,
    'The evidence is older than your policy takes.',
    'Choose another provider, or ask this one to collect its evidence again.',
  ),
  'evidence-block': entry(
    403,
    5,
    'The evidence names a block that is not on your chain: it is invented or of another network.',
    'Choose another provider; if all are refused, see that your toncenter is of this network.',
  ),
  'evidence-unchecked': entry(
    503,
    6,
    'Your access to the chain cannot tell how fresh the evidence is, so nothing was sent.',
    'See that the toncenter of network.json answers and keeps a day of blocks, then try again.',
  ),
  'evidence-outlived': entry(
    403,
    5,
    'The key of the provider would live longer than the evidence that vouches for it.',
    'Choose another provider: this one must renew its evidence first.',
  ),
  'tier-too-low': entry(
    403,
    5,
    'The provider proves less than your policy asks.',
    'Accept a lower tier by name, or choose another provider.',
  ),
  'unknown-provider': entry(
    403,
    5,
    'The identity of the provider is not registered.',
    'Use a scheduler whose providers are registered on this network.',
  ),
  'epoch-expired': entry(
    410,
    5,
    'The key of the provider is past its time.',
    'Try again: a new attempt gets the current key.',
  ),
  'seal-broken': entry(
    502,
    5,
    'The sealed channel was altered or cut short.',
    'Try again; what was delivered before the break is in this error.',
  ),
  'cannot-open': entry(
    400,
    5,
    'The sealed request could not be opened.',
    'Try again: a new attempt seals to the current key.',
  ),
  'bad-model': entry(
    409,
    5,
    'The model is not the one that was claimed.',
    'Check the file against the hash in its card, and name the model you serve.',
  ),
  // Network and peers.
  unreachable: entry(
    503,
    6,
    'The other side cannot be reached.',
    'Check that it runs and that its address is right.',
  ),
  'bad-frame': entry(
    400,
    6,
    'A malformed message was received.',
    'Check that both sides run compatible versions.',
  ),
  'limit-exceeded': entry(
    429,
    6,
    'A limit was exceeded.',
    'Stay within the bound named here; docs/limits lists them.',
  ),
  'version-mismatch': entry(
    426,
    6,
    'The two sides speak different versions.',
    'Upgrade the older one.',
  ),
  stalled: entry(
    504,
    6,
    'The other side stopped reading or writing.',
    'Try again; check the connection.',
  ),
  // Chain and disk.
  'wallet-empty': entry(
    402,
    4,
    'The wallet holds too little TON for this transaction.',
    'Send TON to its address; a localnet has a faucet.',
  ),
  'chain-unavailable': entry(
    503,
    6,
    'The TON network cannot be reached.',
    'Check the endpoint in network.json; work goes on within what is already proved.',
  ),
  'wrong-network': entry(
    409,
    2,
    'The chain has another network id than expected.',
    'Point the network.json at the right endpoint.',
  ),
  'no-registry': entry(
    404,
    2,
    'There is no registry at the address that the network names.',
    'Check `registry` in network.json; on a network that was reset take it out, then deploy: ' +
      'chrysalis deploy.',
  ),
  'no-case': entry(
    404,
    2,
    'There is no case at this address.',
    'Check the address and the network; `chrysalis market --chain` names the open cases it finds.',
  ),
  'registration-refused': entry(
    409,
    4,
    'The registry did not take this node: registration is paused, or the stake is too small.',
    'Look with `chrysalis market --chain`; try again when registration is open.',
  ),
  'contract-failed': entry(
    409,
    4,
    'The contract refused the message.',
    'Read the exit code in this error in docs/errors.md.',
  ),
  'store-failed': entry(
    500,
    7,
    'The store failed; the process stops so that nothing is acknowledged falsely.',
    'Check disk space and permissions, then start again.',
  ),
  'store-locked': entry(
    409,
    7,
    'Another process uses this store.',
    'Stop the other process, or choose another --home.',
  ),
  'port-in-use': entry(
    409,
    7,
    'The port is in use.',
    'Stop the program that holds it, or choose another with --port (0 for any).',
  ),
  'no-device': entry(
    503,
    7,
    'The hardware that evidence was asked of is not here, or not ready.',
    'Provide what this error says is needed, then start again.',
  ),
  'engine-failed': entry(
    503,
    7,
    'The inference engine could not start or died.',
    'See the log; the provider starts it again by itself.',
  ),
  internal: entry(
    500,
    7,
    'Something that must not happen happened.',
    'Report it with the code and the facts shown here.',
  ),
} as const satisfies Record<string, Entry>

/** A stable code of the catalogue. */
export type ErrorCode = keyof typeof CATALOGUE

/** What a surface prints or sends of an error: never a cause, never a stack. */
export interface ErrorReport {
  readonly code: ErrorCode
  readonly message: string
  readonly action: string
  readonly facts?: Record<string, string | number | boolean>
}

/**
 * An error that a user can act on.
 *
 * @example
 * throw new MarketError('no-funds', { needed: 12n, free: 3n })
 */
export class MarketError extends Error {
  override readonly name = 'MarketError'
  readonly code: ErrorCode
  readonly facts: Facts
  readonly action: string

  constructor(
    code: ErrorCode,
    facts: Facts = {},
    options: { cause?: unknown; action?: string } = {},
  ) {
    super(sentence(code, facts), options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.facts = facts
    this.action = options.action ?? CATALOGUE[code].action
  }

  /** HTTP status of this error. */
  get status(): number {
    return CATALOGUE[this.code].status
  }

  /** Exit code of a command that ends with this error. */
  get exit(): number {
    return CATALOGUE[this.code].exit
  }

  /** The printable form: amounts as decimal strings. */
  report(): ErrorReport {
    const facts = Object.fromEntries(
      Object.entries(this.facts)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [key, typeof value === 'bigint' ? value.toString() : value]),
    ) as Record<string, string | number | boolean>
    const base = { code: this.code, message: this.message, action: this.action }
    return Object.keys(facts).length > 0 ? { ...base, facts } : base
  }
}

/** Any thrown value as a MarketError: itself where it is one, `internal` around it otherwise. */
export function asMarketError(thrown: unknown, code: ErrorCode = 'internal'): MarketError {
  if (thrown instanceof MarketError) return thrown
  return new MarketError(code, { detail: plainMessage(thrown).slice(0, 300) }, { cause: thrown })
}

/** Errors of the language and of node's argument checks: they quote the value they dislike. */
const QUOTING = ['SyntaxError', 'TypeError', 'RangeError', 'URIError', 'EvalError']

/**
 * What may be said of a thrown value outside the process: its message, but the class and code only
 * where the message is of a kind that quotes values, or where it is no error at all.
 */
export function plainMessage(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `a ${typeof thrown} was thrown`
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
  if (!QUOTING.includes(thrown.name) && !code?.startsWith('ERR_INVALID')) return thrown.message
  return code === undefined ? thrown.name : `${thrown.name} ${code}`
}

/** True where a string is a code of the catalogue (a code that came over the wire). */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CATALOGUE, code)
}

function sentence(code: ErrorCode, facts: Facts): string {
  const shown = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${value}`)
  const { message } = CATALOGUE[code]
  return shown.length > 0 ? `${message} (${shown.join(', ')})` : message
}
