/**
 * Drives a pure machine: one event after the other, also where an effect causes the next event
 * while the last one is still being performed.
 * @module
 */

/** Takes an event; resolves when all it sent has been taken, so awaiting is back-pressure. */
export type Dispatch<Event> = (event: Event) => Promise<void>

/**
 * A dispatcher over `step`, which takes an event and gives its effects, and `perform`, whose
 * failure is answered with the events that `failed` gives: an effect that throws ends a job, never
 * the process.
 */
export function createStepper<Event, Effect>(machine: {
  readonly step: (event: Event) => readonly Effect[]
  readonly perform: (effect: Effect) => Promise<unknown> | undefined
  readonly failed: (effect: Effect, error: unknown) => readonly Event[]
}): { dispatch: Dispatch<Event>; perform: (effects: readonly Effect[]) => Promise<void> } {
  const events: Event[] = []
  let stepping = false

  const performAll = (effects: readonly Effect[]): unknown[] =>
    effects.map((effect) => {
      try {
        return machine.perform(effect)
      } catch (error) {
        events.push(...machine.failed(effect, error))
        return undefined
      }
    })

  const run = (effects: readonly Effect[]): Promise<void> => {
    stepping = true
    const sent = performAll(effects)
    for (let event = events.shift(); event !== undefined; event = events.shift()) {
      sent.push(...performAll(machine.step(event)))
    }
    stepping = false
    return Promise.all(sent).then(() => undefined)
  }

  return {
    dispatch(event) {
      events.push(event)
      return stepping ? Promise.resolve() : run([])
    },
    perform: run,
  }
}
