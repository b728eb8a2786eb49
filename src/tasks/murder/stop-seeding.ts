import { stopSeeding } from '../../deploy/steps/seed.ts'
import { step } from '../step.ts'

/** Ends the seeder of this environment, or only that of the tag in the settings. */
export const registerStopSeeding = step('murder:stop_seeding', stopSeeding)
