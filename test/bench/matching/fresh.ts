/**
 * A module instance of one's own: the same file imported under another query is compiled and
 * optimised apart, so that what one contender taught the compiler does not slow the next.
 * @module
 */

/**
 * @example
 * const { run } = await fresh<typeof import('./loop.ts')>('loop.ts', 'scan')
 */
export async function fresh<Module>(file: string, name: string): Promise<Module> {
  const url = new URL(file, import.meta.url)
  url.searchParams.set('for', name)
  return (await import(url.href)) as Module
}
