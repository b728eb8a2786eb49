import { startSeeding } from '../../deploy/steps/seed.ts'
import { step } from '../step.ts'

/** Seeds in the background what is packaged, and packages first if nothing is. */
export const registerStartSeeding = step('murder:start_seeding', startSeeding)
