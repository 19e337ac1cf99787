/**
 * A process that writes to a store as fast as it can and reports what was acknowledged, until it is
 * killed. Forked by the tests of the store with the path as its argument.
 * @module
 */
import { utf8 } from '../../contracts/base/bytes.ts'
import { openSqliteStore } from '../../node/store/sqliteStore.ts'

const store = openSqliteStore(process.argv[2]!)
for (let i = 0; ; i++) {
  const written = [
    store.write([
      { table: 'log', key: `${i}`, value: utf8('entry') },
      { table: 'count', key: 'left', value: utf8(`${i}`) },
    ]),
    store.write([{ table: 'count', key: 'right', value: utf8(`${i}`) }]),
  ]
  await Promise.all(written)
  process.send?.({ acknowledged: i })
}
