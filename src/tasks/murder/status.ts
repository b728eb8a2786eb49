import { status } from '../../deploy/steps/status.ts'
import { step } from '../step.ts'

/** What runs on the deploy host and on every server. */
export const registerStatus = step('murder:status', status, 'same')
