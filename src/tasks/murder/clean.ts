import { clean } from '../../deploy/steps/clean.ts'
import { step } from '../step.ts'

/** Removes what transfers have left. */
export const registerClean = step('murder:clean', clean)
