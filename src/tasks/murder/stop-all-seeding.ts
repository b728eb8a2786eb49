import { stopAllSeeding } from '../../deploy/steps/seed.ts'
import { step } from '../step.ts'

/** Ends the seeders of all environments of this project. */
export const registerStopAllSeeding = step('murder:stop_all_seeding', stopAllSeeding)
