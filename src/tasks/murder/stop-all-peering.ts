import { stopPeering } from '../../deploy/steps/stop-peering.ts'
import { step } from '../step.ts'

/** Ends all peers on all servers. */
export const registerStopAllPeering = step('murder:stop_all_peering', (context) => stopPeering(context))
