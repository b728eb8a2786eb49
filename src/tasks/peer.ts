import { peer } from '../steps/peering.ts'
import { step } from './step.ts'

/** Every server fetches what is seeded and unpacks it, unpublished. */
export const registerPeer = step('murder:peer', (context) => peer(context))
