import { stopTracker } from '../../deploy/steps/tracker.ts'
import { step } from '../step.ts'

export const registerStopTracker = step('murder:stop_tracker', stopTracker)
