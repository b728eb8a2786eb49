import { doctor } from '../../deploy/doctor/doctor.ts'
import { step } from '../step.ts'

/** What could stop a deploy. */
export const registerDoctor = step('murder:doctor', doctor, 'same')
