/**
 * The records of those that wait: jobs, their places, the lines and lanes they stand in, tenants.
 * @module
 */
import type { Heap } from './heap.ts'
import type { Needs } from './slots.ts'

export interface WaitingJob {
  readonly id: string
  readonly tenant: string
  readonly expectedTokens: number
  readonly priority: number
  /** Counts arrivals: the lower has waited longer. */
  readonly arrival: number
  readonly deadline: number
  readonly needs: Needs
}

/** A waiting job and where it stands. */
export interface Place {
  readonly job: WaitingJob
  readonly line: Line
  turn: number
  dated: number
}

/** The jobs of one tenant with the same requirements, by turn. Never empty while in its lane. */
export interface Line {
  readonly tenant: Tenant
  readonly lane: Lane
  readonly jobs: Heap<Place>
  place: number
}

export interface Lane {
  readonly key: string
  readonly needs: Needs
  readonly lines: Heap<Line>
  readonly byTenant: Map<Tenant, Line>
  /** Marks the lanes of one question. */
  asked: number
}

export interface Tenant {
  readonly name: string
  /**
   * Tokens charged: sums of integers below 2^31, exact for four million of the largest jobs, and
   * the same on every machine beyond.
   */
  counter: number
  /** Where its jobs wait, one a lane; most tenants have none waiting, most of the time. */
  lines?: Set<Line>
  /** Its jobs that wait. */
  waiting: number
  /** Its place among those that wait. */
  place: number
}
