import { lockStatus } from '../../deploy/steps/lock.ts'
import { step } from '../step.ts'

/** Says which servers are locked, and by whom. */
export const registerLockStatus = step('murder:lock:status', lockStatus, 'same')
