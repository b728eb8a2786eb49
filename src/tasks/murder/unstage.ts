import { unstage } from '../../deploy/releases/staged.ts'
import { step } from '../step.ts'

/** Removes the staged release, which no deploy has published. */
export const registerUnstage = step('murder:unstage', unstage)
