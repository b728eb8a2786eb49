import { stopPeering } from '../../deploy/steps/stop-peering.ts'
import { step } from '../step.ts'

/** Ends the peers of the tag in the settings, or all. */
export const registerStopPeering = step('murder:stop_peering', (context) =>
  stopPeering(context, context.settings.tag),
)
