import { lock } from '../../deploy/steps/lock.ts'
import { step } from '../step.ts'

/** Keeps deploys and rollbacks from beginning. */
export const registerLock = step('murder:lock', lock)
