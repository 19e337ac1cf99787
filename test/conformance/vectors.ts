/**
 * Where published vectors are read from: `VECTORS_DIR`, which may be absent.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bytes, fromHex } from '../../contracts/base/bytes.ts'

const DIR = process.env.VECTORS_DIR ?? '../shared/vectors'

/** Whether there are vectors at all; where there are none, says so once a test file. */
export const present = existsSync(DIR)
if (!present) console.warn(`conformance: skipped, no vectors in ${DIR} (set VECTORS_DIR)`)

/** The bytes of a vector file, `wycheproof/x25519_test.json` for one. */
export function readBytes(file: string): Bytes {
  return new Uint8Array(readFileSync(join(DIR, file)))
}

/** A vector file of JSON; its shape is what whoever asks says. */
export function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(DIR, file), 'utf8')) as T
}

/** One test of Wycheproof: hex in fields that depend on the primitive. */
export type WycheproofTest<Fields extends string> = Readonly<Record<Fields, string>> & {
  readonly tcId: number
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly flags?: readonly string[]
}

/** All tests of a Wycheproof file, each with its group. */
export function wycheproof<Fields extends string, Group = object>(name: string) {
  type Test = WycheproofTest<Fields>
  const file = readJson<{ testGroups: (Group & { tests: Test[] })[] }>(`wycheproof/${name}`)
  return file.testGroups.flatMap((group) => group.tests.map((test) => ({ group, test })))
}

/** Hex fields as bytes. */
export function bytesOf<Field extends string>(
  test: Readonly<Record<Field, string>>,
  ...fields: readonly Field[]
): Bytes[] {
  return fields.map((field) => fromHex(test[field]))
}
