import { lock, lockStatus, unlock } from '../../deploy/steps/lock.ts'
import type { Shipit } from '../../shipit.ts'
import { step } from '../step.ts'

/** Locks by hand. */
export function registerLock(shipit: Shipit): void {
  step('murder:lock', lock)(shipit)
  step('murder:unlock', unlock)(shipit)
  step('murder:lock:status', lockStatus, 'same')(shipit)
}
