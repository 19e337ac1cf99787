/**
 * Preloaded into a provider by `test/market/canary.test.ts`: when it asks its model server it
 * breaks in the way that `CRASH` names, with errors that quote the prompt as badly as can be.
 * @module
 */
const ask = globalThis.fetch

globalThis.fetch = (url, options) => {
  const said = String(options?.body)
  if (!said.includes('messages')) return ask(url, options)
  const error = new Error(`broke on ${said}`, { cause: new TypeError(said) })
  Object.assign(error, { request: said, code: said, name: said })
  error.stack += `\n    at ${said} (file:///x.ts:1:1)`
  setTimeout(() => {
    if (process.env.CRASH === 'exception') throw error
    if (process.env.CRASH === 'text') throw said
    if (process.env.CRASH === 'rejection') Promise.reject(error)
    if (process.env.CRASH === 'object') Promise.reject({ said })
    if (process.env.CRASH === 'parse') JSON.parse(JSON.parse(said).messages[0].content)
  }, 0)
  return new Promise(() => undefined)
}
