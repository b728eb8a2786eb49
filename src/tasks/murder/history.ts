import { history } from '../../deploy/steps/history.ts'
import { step } from '../step.ts'

/** What is live where since when, and the history of releases. */
export const registerHistory = step('murder:history', history, 'same')
