import { clean } from '../../deploy/steps/clean.ts'
import { step } from '../step.ts'

/** `murder:clean`, as Twitter's Murder calls it. */
export const registerCleanTempFiles = step('murder:clean_temp_files', clean)
