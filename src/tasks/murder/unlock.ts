import { unlock } from '../../deploy/steps/lock.ts'
import { step } from '../step.ts'

/** Removes every lock, also that of a deploy that runs. */
export const registerUnlock = step('murder:unlock', unlock)
