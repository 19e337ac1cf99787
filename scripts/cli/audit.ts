/**
 * `chrysalis audit`: checks that anyone can run and recompute.
 * @module
 */
import type { Command } from 'commander'
import { addAuditModel } from './auditModel.ts'

export function register(program: Command): void {
  const audit = program.command('audit').description('Check what providers say of themselves.')
  addAuditModel(audit)
}
