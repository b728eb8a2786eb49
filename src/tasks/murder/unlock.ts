import { unlock } from '../../deploy/steps/lock.ts'
import { step } from '../step.ts'

/** Removes every lock, even that of a running deploy. */
export const registerUnlock = step('murder:unlock', unlock)
