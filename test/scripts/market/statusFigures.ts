/**
 * Figures of a scheduler and a provider for the tests of what is shown of them.
 * @module
 */
import type { NetworkConfig } from '../../../contracts/base/network.ts'
import type { ProviderStatus } from '../../../node/provider/provider.ts'
import type { SchedulerStatus } from '../../../node/scheduler/scheduler.ts'

export const PROVIDER_A = 'a1'.repeat(32)
export const PROVIDER_B = 'b2'.repeat(32)
export const CHANNEL = `0:${'c3'.repeat(32)}`

export const NETWORK: NetworkConfig = {
  id: -18_081,
  name: 'localnet',
  toncenter: 'http://127.0.0.1:18081/api/v2/jsonRPC',
  schedulers: [],
  development: true,
}

/** Two providers, three slots of two models, two channels; amounts above what a double holds. */
export const SCHEDULER: SchedulerStatus = {
  identity: 'd4'.repeat(32),
  addresses: ['/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWScheduler'],
  providers: [
    { identity: PROVIDER_A, peer: '12D3KooWFirst', payable: true },
    { identity: PROVIDER_B, peer: '12D3KooWSecond', payable: true },
  ],
  slots: [
    {
      ...{ provider: PROVIDER_A, model: 'tiny-chat', tick: 40, capacity: 4 },
      ...{ tier: 'open', demo: true, asset: 'ton' },
    },
    {
      ...{ provider: PROVIDER_B, model: 'tiny-chat', tick: 42, capacity: 3 },
      ...{ tier: 'open', demo: true, asset: 'ton' },
    },
    {
      ...{ provider: PROVIDER_B, model: 'llama', tick: 0, capacity: 2 },
      ...{ tier: 'simulated', demo: false, asset: 'ton' },
    },
  ],
  openJobs: 5,
  waiting: 2,
  clientChannels: [
    {
      channel: CHANNEL,
      asset: 'ton',
      deposit: 2n ** 60n + 1n,
      cumulative: 40n,
      spent: 30n,
      claimed: 20n,
    },
    {
      channel: `0:${'e5'.repeat(32)}`,
      asset: 'ton',
      deposit: 2n,
      cumulative: 4n,
      spent: 3n,
      claimed: 1n,
    },
  ],
}

export const PROVIDER: ProviderStatus = {
  identity: PROVIDER_A,
  tier: 'open',
  schedulers: [{ identity: SCHEDULER.identity, connected: true, listed: ['tiny-chat'] }],
  slots: [{ model: 'tiny-chat', tick: 40, places: 4, running: 3 }],
  earned: 1_234_567_890n,
  claimed: 1_000_000_000n,
  jettons: [],
  jobs: 7,
}
