/**
 * All scenarios, in the order of the report.
 * @module
 */
import { batches } from './scenarios/batches.ts'
import { churn } from './scenarios/churn.ts'
import { failing } from './scenarios/failing.ts'
import { fairness } from './scenarios/fairness.ts'
import { newcomers } from './scenarios/newcomers.ts'
import { prefixes } from './scenarios/prefixes.ts'
import { stale } from './scenarios/stale.ts'
import { waiting } from './scenarios/waiting.ts'
import type { Scenario } from './setting.ts'

export const SCENARIOS: readonly Scenario[] = [
  waiting('azure'),
  waiting('mooncake'),
  fairness,
  newcomers,
  prefixes,
  churn,
  failing,
  stale,
  batches,
]
