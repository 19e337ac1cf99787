/**
 * The obvious twin of the `exact` matcher, from section 9 of the design and nothing else: it keeps
 * lists of plain records, filters and sorts them whole for every question, computes scores in
 * bigints, and after every event that may free a place tries every waiting job on every slot.
 * @module
 */
import type { Decision, JobEvent, MatchEvent, OfferEvent } from '../../../node/matching/events.ts'

type Offered = Required<Omit<OfferEvent, 'type' | 'at'>>
type Place = { -readonly [Field in keyof Offered]: Offered[Field] } & {
  index: number
  running: number
  draining: boolean
}
interface Waiting {
  event: JobEvent
  arrival: number
}

const ORDER = ['simulated', 'open', 'cpu-tee', 'gpu-tee']
const RETRY = ['offer', 'load', 'done', 'fail', 'leave']

export class Twin {
  places: Place[] = []
  waiting: Waiting[] = []
  running = new Map<string, Place>()
  charged = new Map<string, number>()
  appeared = 0
  arrived = 0
  now = 0
  readonly prices: readonly bigint[]
  readonly salt: number
  readonly limit: number

  constructor(prices: readonly bigint[], salt: number, limit: number) {
    this.prices = prices
    this.salt = salt
    this.limit = limit
  }

  apply(event: MatchEvent): Decision[] {
    this.now = event.at ?? this.now
    const late = this.waiting
      .filter(({ event }) => (event.deadline ?? Number.POSITIVE_INFINITY) <= this.now)
      .sort((a, b) => a.event.deadline! - b.event.deadline! || a.arrival - b.arrival)
    this.waiting = this.waiting.filter((one) => !late.includes(one))
    const decisions: Decision[] = late.map(({ event: { id } }) => ({ job: id, expired: true }))
    if (event.type === 'job') decisions.push(this.submit(event))
    else this.change(event)
    while (RETRY.includes(event.type)) {
      const turn = this.waiting
        .filter((one) => this.choice(one.event) && this.firstOfItsTenant(one))
        .sort((a, b) => this.count(a.event) - this.count(b.event) || a.arrival - b.arrival)[0]
      if (!turn) break
      this.waiting = this.waiting.filter((one) => one !== turn)
      decisions.push(this.place(turn.event, this.choice(turn.event)!))
    }
    return decisions
  }

  change(event: Exclude<MatchEvent, JobEvent>): void {
    if (event.type === 'cancel') {
      this.waiting = this.waiting.filter(({ event: { id } }) => id !== event.id)
    } else if (event.type === 'done' || event.type === 'fail') {
      const place = this.running.get(event.id)
      if (place) place.running = Math.max(place.running - 1, 0)
      this.running.delete(event.id)
    } else if (event.type === 'offer') {
      this.offer(event)
    } else {
      const place = this.places.find((one) => 'slot' in event && one.slot === event.slot)
      if (!place) return
      if (event.type === 'load') place.running = event.running
      if (event.type === 'service') place.serviceMs = event.serviceMs
      if (event.type === 'drain') place.draining = true
      if (event.type === 'leave') {
        this.places = this.places.filter((one) => one !== place)
        for (const [id, on] of this.running) if (on === place) this.running.delete(id)
      }
    }
  }

  offer({ at: _, type: __, ...said }: OfferEvent): void {
    const known = this.places.find(({ slot }) => slot === said.slot)
    if (known) {
      Object.assign(known, said, { draining: false })
      return
    }
    const base = { provider: said.slot, serviceMs: 0, tier: 'simulated', region: '', gpu: '' }
    const rest = { memoryGiB: 0, index: this.appeared++, running: 0, draining: false }
    this.places.push({ ...base, ...rest, ...said } as Place)
  }

  submit(event: JobEvent): Decision {
    const job = event.id
    if (this.running.has(job) || this.waiting.some(({ event: { id } }) => id === job)) {
      return { job, refused: 'duplicate-job' }
    }
    const arrival = this.arrived++
    const choice = this.choice(event)
    if (choice) return this.place(event, choice)
    let left = this.places.filter(({ model }) => model === event.model)
    if (left.length === 0) return { job, refused: 'no-model' }
    for (const [first, passes] of this.filters(event)) {
      left = left.filter(passes)
      if (left.length === 0) return { job, refused: 'requirements', first }
    }
    const lowestTick = Math.min(...left.map(({ tick }) => tick))
    if (lowestTick > (event.maxTick ?? 95)) return { job, refused: 'price', lowestTick }
    if (this.waiting.length >= this.limit) return { job, refused: 'queue-full' }
    if ((event.deadline ?? Number.POSITIVE_INFINITY) <= this.now) return { job, expired: true }
    const tenants = this.waiting.map(({ event: other }) => other.tenant ?? '')
    if (tenants.length > 0 && !tenants.includes(event.tenant ?? '')) {
      const least = Math.min(...tenants.map((tenant) => this.charged.get(tenant) ?? 0))
      this.charged.set(event.tenant ?? '', Math.max(least, this.count(event)))
    }
    this.waiting.push({ event, arrival })
    return { job, queued: true }
  }

  filters(job: JobEvent) {
    const any = (list: readonly string[] | undefined, word: string): boolean =>
      !list || list.length === 0 || list.includes(word)
    const rank = (tier: string): number => ORDER.indexOf(tier)
    return [
      ['draining', (p: Place) => !p.draining],
      ['capacity', (p: Place) => p.capacity > 0],
      ['tier', (p: Place) => rank(p.tier) >= rank(job.minTier || 'simulated')],
      ['regions', (p: Place) => any(job.regions, p.region)],
      ['gpus', (p: Place) => any(job.gpus, p.gpu)],
      ['memory', (p: Place) => p.memoryGiB >= (job.minMemoryGiB ?? 0)],
      ['exclude', (p: Place) => !(job.exclude ?? []).includes(p.provider)],
    ] as const
  }

  wait(place: Place): bigint {
    return BigInt(Math.min(2 ** 20 - 1, Math.round(place.running * place.serviceMs)))
  }

  score(job: JobEvent, place: Place): bigint {
    const tokens = BigInt(Math.min(job.expectedTokens ?? 1, 65_536))
    return this.prices[place.tick]! * tokens + BigInt(job.speedWeight ?? 0) * this.wait(place)
  }

  choice(job: JobEvent): Place | undefined {
    const tie = (place: Place): bigint => BigInt((place.index ^ this.salt) >>> 0)
    return this.places
      .filter(({ model }) => model === job.model)
      .filter((place) => this.filters(job).every(([, passes]) => passes(place)))
      .filter((place) => place.tick <= (job.maxTick ?? 95) && place.running < place.capacity)
      .sort((a, b) =>
        Number(
          this.score(job, a) - this.score(job, b) || this.wait(a) - this.wait(b) || tie(a) - tie(b),
        ),
      )[0]
  }

  count(job: JobEvent): number {
    return this.charged.get(job.tenant ?? '') ?? 0
  }

  /** No other job of the tenant that fits goes before it. */
  firstOfItsTenant(one: Waiting): boolean {
    return !this.waiting.some(
      (other) =>
        (other.event.tenant ?? '') === (one.event.tenant ?? '') &&
        ((other.event.priority ?? 0) > (one.event.priority ?? 0) ||
          ((other.event.priority ?? 0) === (one.event.priority ?? 0) &&
            other.arrival < one.arrival)) &&
        this.choice(other.event) !== undefined,
    )
  }

  place(event: JobEvent, place: Place): Decision {
    const score = Number(this.score(event, place))
    place.running++
    this.running.set(event.id, place)
    this.charged.set(event.tenant ?? '', this.count(event) + (event.expectedTokens ?? 1))
    return { job: event.id, slot: place.slot, score }
  }
}
