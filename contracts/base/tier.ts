/**
 * Trust tiers: what the evidence of a provider is worth, as its client computed it.
 *
 * A tier is a label and an order, nothing more; the verifiers in `contracts/attest` decide which
 * one a provider has. Every surface that names a tier shows its meaning beside it.
 * @module
 */

/** All tiers, lowest first. Their position is their number in signed records. */
export const TIERS = ['simulated', 'open', 'cpu-tee', 'gpu-tee'] as const

export type Tier = (typeof TIERS)[number]

/** What each tier means, in a sentence that a person can act on. */
export const TIER_MEANING: Readonly<Record<Tier, string>> = {
  simulated: 'simulated evidence for development: it proves nothing, and anyone can make it',
  open: "a registered key and nothing more: this computer's owner can read your prompt",
  'cpu-tee':
    'a measured confidential virtual machine: its owner cannot read your prompt without ' +
    'breaking the hardware',
  'gpu-tee':
    'a measured confidential virtual machine with a confidential NVIDIA GPU: its owner cannot ' +
    'read your prompt without breaking the hardware',
}

/**
 * True where `tier` is `least` or higher.
 *
 * @example
 * tierAtLeast('cpu-tee', 'open') // true
 */
export function tierAtLeast(tier: Tier, least: Tier): boolean {
  return TIERS.indexOf(tier) >= TIERS.indexOf(least)
}
