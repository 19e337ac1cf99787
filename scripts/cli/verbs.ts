/**
 * The verbs of the command: what each is for, and the file that knows the rest, loaded only when
 * the verb is asked for.
 * @module
 */
import type { Command } from 'commander'

export interface Verb {
  readonly summary: string
  load(): Promise<{ register(command: Command): void }>
}

/** In the order of the help. */
export const VERBS: Readonly<Record<string, Verb>> = {
  dev: {
    summary: 'Start a whole market on this machine: real contracts, no real money.',
    load: () => import('./dev.ts'),
  },
  run: {
    summary: 'Run one job: stream the answer, then print price, provider, tier and receipt.',
    load: () => import('./run.ts'),
  },
  quote: {
    summary: 'Say what a job would cost at most: price, fee, chain fees, longest lock.',
    load: () => import('./quote.ts'),
  },
  models: {
    summary: 'List the models on offer: price, places, tiers, context.',
    load: () => import('./models.ts'),
  },
  market: {
    summary: 'Show the market: parameters, members, models; --chain sums the contracts.',
    load: () => import('./market.ts'),
  },
  balance: {
    summary: 'Show this client’s wallet and channel: deposited, claimed, signed, credit.',
    load: () => import('./balance.ts'),
  },
  channel: {
    summary: 'List, fund and close the payment channels of this client.',
    load: () => import('./channel.ts'),
  },
  status: {
    summary: 'Show whether chain, scheduler and providers can be reached, and what they serve.',
    load: () => import('./status.ts'),
  },
  provider: {
    summary: 'Run a provider.',
    load: () => import('./provider.ts'),
  },
  scheduler: {
    summary: 'Run a scheduler.',
    load: () => import('./scheduler.ts'),
  },
  gateway: {
    summary: 'An OpenAI-compatible endpoint on this machine, served by the market.',
    load: () => import('./gateway.ts'),
  },
  localnet: {
    summary: 'A TON network on this machine: real contracts in the real TVM, free coins.',
    load: () => import('./localnet.ts'),
  },
  deploy: {
    summary: 'Put the market’s contracts on a network: multisig, timelock, registry.',
    load: () => import('./deploy.ts'),
  },
  govern: {
    summary: 'See who rules the market and what waits; propose, sign, execute, cancel, pause.',
    load: () => import('./govern.ts'),
  },
  dispute: {
    summary: 'Contradictions that signatures prove: open a case, decide it, appeal, conclude.',
    load: () => import('./dispute.ts'),
  },
  receipt: {
    summary: 'Receipts of jobs.',
    load: () => import('./receipt.ts'),
  },
  evidence: {
    summary: 'Evidence of machines: verify a file, or show what a provider proves.',
    load: () => import('./evidence.ts'),
  },
  match: {
    summary: 'Decide a recorded stream of events, one decision a line.',
    load: () => import('./match.ts'),
  },
  audit: {
    summary: 'Check what providers say of themselves.',
    load: () => import('./audit.ts'),
  },
  sim: {
    summary: 'Simulate a whole market in one process, by seed.',
    load: () => import('./sim.ts'),
  },
}
