/**
 * One way to open the chain of a network, with the API key of the environment, and no other.
 * @module
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openNetworkChain } from '../../../node/chain/networkChain.ts'
import { createClock } from '../../../node/system/clock.ts'
import { filesBelow, ROOT } from '../../support/tree.ts'

it('sends the key of the environment, and none where there is none', async () => {
  const keys: unknown[] = []
  const server = createServer((request, response) => {
    keys.push(request.headers['x-api-key'])
    response.writeHead(404).end('{"ok":false,"error":"no such method","code":404}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const network = { id: -3, toncenter: `http://127.0.0.1:${port}/api/v2/jsonRPC` }
  const clock = createClock()
  await openNetworkChain({ network, clock, env: { CHRYSALIS_TONCENTER_KEY: 'a key' } })
  await openNetworkChain({ network, clock, env: {} })
  expect(keys).toEqual(['a key', undefined])
  server.closeAllConnections()
  server.close()
})

it('is what every verb, role and client uses', () => {
  const files = ['client', 'node', 'scripts'].flatMap((folder) =>
    filesBelow(folder, (path) => path.endsWith('.ts')),
  )
  const users = files.filter((path) =>
    readFileSync(join(ROOT, path), 'utf8').includes('connectChain('),
  )
  expect(users).toEqual(['node/chain/networkChain.ts', 'node/chain/tonClient.ts'])
})
