import { stopTracker } from '../../deploy/steps/tracker.ts'
import { step } from '../step.ts'

/** Ends the tracker that was started in the background. */
export const registerStopTracker = step('murder:stop_tracker', stopTracker)
