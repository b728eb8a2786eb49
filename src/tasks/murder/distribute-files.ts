import { setup } from '../../deploy/steps/setup.ts'
import { step } from '../step.ts'

/** `murder:setup`, as Twitter's Murder calls it. */
export const registerDistributeFiles = step('murder:distribute_files', setup)
