import { stopSeeding } from '../steps/seeding.ts'
import { step } from './step.ts'

export const registerStopSeeding = step('murder:stop_seeding', stopSeeding)
