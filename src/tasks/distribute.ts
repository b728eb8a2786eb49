import { distribute } from '../steps/distribute.ts'
import { leftOut } from './peer.ts'
import { step } from './step.ts'

/** All steps in order, without a deploy. */
export const registerDistribute = step('murder:distribute', distribute, leftOut('murder:distribute'))
