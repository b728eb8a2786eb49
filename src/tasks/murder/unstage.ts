import { unstage } from '../../deploy/releases/staged.ts'
import { step } from '../step.ts'

/** Removes what murder:stage has brought, and no deploy has published. */
export const registerUnstage = step('murder:unstage', unstage)
