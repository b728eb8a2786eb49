import { lockStatus } from '../../deploy/steps/lock.ts'
import { step } from '../step.ts'

/** Who has locked which servers. */
export const registerLockStatus = step('murder:lock:status', lockStatus, 'same')
