import { startTracker } from '../../deploy/steps/tracker.ts'
import { step } from '../step.ts'

/** Starts the tracker in the background. */
export const registerStartTracker = step('murder:start_tracker', startTracker)
