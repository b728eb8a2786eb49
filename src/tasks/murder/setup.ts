import { setup } from '../../deploy/steps/setup.ts'
import { step } from '../step.ts'

/** Checks all servers and uploads the agent. */
export const registerSetup = step('murder:setup', setup)
