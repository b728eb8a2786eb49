import { distribute } from '../../deploy/steps/distribute.ts'
import { step } from '../step.ts'
import { leftOut } from './peer.ts'

/** All steps in order, without a deploy. */
export const registerDistribute = step('murder:distribute', distribute, leftOut('murder:distribute'))
