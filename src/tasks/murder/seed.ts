import { seed } from '../../deploy/steps/seed.ts'
import { step } from '../step.ts'

/** Packages the workspace and seeds it in the background. */
export const registerSeed = step('murder:seed', (context) => seed(context))
