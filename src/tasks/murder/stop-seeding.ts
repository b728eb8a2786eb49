import { stopSeeding } from '../../deploy/steps/seed.ts'
import { step } from '../step.ts'

export const registerStopSeeding = step('murder:stop_seeding', stopSeeding)
