import { startSeeding } from '../../deploy/steps/seed.ts'
import { step } from '../step.ts'

/** Seeds the package in the background. Makes one first if there is none. */
export const registerStartSeeding = step('murder:start_seeding', startSeeding)
