import type { Shipit } from '../shipit.ts'
import { lock, lockStatus, unlock } from '../steps/lock-tasks.ts'
import { step } from './step.ts'

/** Locks by hand. */
export function registerLock(shipit: Shipit): void {
  step('murder:lock', lock)(shipit)
  step('murder:unlock', unlock)(shipit)
  step('murder:lock:status', lockStatus, 'same')(shipit)
}
