import { history } from '../../deploy/steps/history.ts'
import { step } from '../step.ts'

/** Shows which release is live where and since when, and the history of releases. */
export const registerHistory = step('murder:history', history, 'same')
