/**
 * The lock file installs everywhere: it is complete, says what `npm ci` needs, names no private
 * host, and the packages with install scripts are exactly those that were decided about.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { complete, type Lock, missing, platformOf } from '../scripts/lock/complete.ts'
import { ROOT } from './support/tree.ts'

const text = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
const read = (): Lock => JSON.parse(text)
const { packages } = read()
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const entries = Object.entries(packages).filter(([path]) => path !== '')
/** What npm links instead of downloading: the stand-ins of GPU binaries. */
const isLocal = (path: string): boolean =>
  packages[path]?.link === true || path.endsWith('scripts/lock/empty')

describe('package-lock.json', () => {
  it('has an entry for every optional dependency', () => {
    expect(missing(read())).toEqual([])
  })

  it('is what `npm run lock` leaves', () => {
    const lock = read()
    expect(complete(lock)).toEqual({ added: [], dropped: 0 })
    expect(`${JSON.stringify(lock, null, 2)}\n`).toBe(text)
  })

  it('names a version for every package, and a digest or a platform', () => {
    const bare = entries.filter(
      ([path, { version, integrity, optional, os, cpu }]) =>
        !isLocal(path) && !(version && (integrity || (optional && os && cpu))),
    )
    expect(bare).toEqual([])
    expect(entries.length).toBeGreaterThan(100)
  })

  it('names no host', () => {
    const hosts = entries.filter(([path, { resolved }]) => resolved && !isLocal(path))
    expect(hosts).toEqual([])
    expect(text).not.toMatch(/"resolved": "https?:/)
  })

  it('agrees with package.json', () => {
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) {
      expect(read().packages[''], kind).toMatchObject({ [kind]: manifest[kind] })
    }
  })

  it('has install scripts only where package.json decides about them', () => {
    const scripted = entries.filter(([, { hasInstallScript }]) => hasInstallScript)
    const names = scripted.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13))
    expect(names.sort()).toEqual(Object.keys(manifest.allowScripts).sort())
  })
})

describe('completing', () => {
  const incomplete = (): Lock => ({
    packages: {
      '': {},
      'node_modules/tool': {
        version: '1.2.3',
        dev: true,
        resolved: 'https://registry.example/tool.tgz',
        optionalDependencies: { '@tool/linux-x64': '1.2.3', '@tool/win-arm64': '1.2.3' },
      },
      'node_modules/tool/node_modules/@tool/linux-x64': { version: '1.2.3' },
    },
  })

  it('adds what is missing, drops addresses, and then has nothing to do', () => {
    const lock = incomplete()
    const name = '@tool/win-arm64'
    const added = [{ parent: 'node_modules/tool', name, version: '1.2.3' }]
    expect(missing(lock)).toEqual(added)
    expect(complete(lock)).toEqual({ added, dropped: 1 })
    expect(lock.packages[`node_modules/${name}`]).toEqual({
      version: '1.2.3',
      os: ['win32'],
      cpu: ['arm64'],
      dev: true,
      optional: true,
    })
    expect(lock.packages['node_modules/tool']).not.toHaveProperty('resolved')
    const once = JSON.stringify(lock)
    expect(complete(lock)).toEqual({ added: [], dropped: 0 })
    expect(JSON.stringify(lock)).toBe(once)
  })

  it('reads the platform from the name, and refuses one that has none', () => {
    expect(platformOf('@a/cli-linux-arm64-musl')).toEqual({
      os: ['linux'],
      cpu: ['arm64'],
      libc: ['musl'],
    })
    expect(platformOf('@a/mac-arm64-metal')).toEqual({ os: ['darwin'], cpu: ['arm64'] })
    expect(platformOf('@a/buf-linux-armv7')).toEqual({ os: ['linux'], cpu: ['arm'] })
    expect(() => platformOf('@a/universal')).toThrow('by hand')
  })
})
