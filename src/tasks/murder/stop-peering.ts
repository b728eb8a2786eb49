import { stopPeering } from '../../deploy/steps/stop-peering.ts'
import { step } from '../step.ts'

export const registerStopPeering = step('murder:stop_peering', (context) =>
  stopPeering(context, context.settings.tag),
)
