import { leftOutLine } from '../../deploy/dry-run.ts'
import { peer } from '../../deploy/steps/peer.ts'
import type { Shipit } from '../../shipit.ts'
import { runOf } from '../run.ts'
import { step } from '../step.ts'

/** Every server fetches what is seeded and unpacks it, unpublished. */
export const registerPeer = step('murder:peer', (context) => peer(context), leftOut('murder:peer'))

/** A task that is left out in a dry run, and would bring what a deploy:publish of the same call is about. */
export function leftOut(name: string): (shipit: Shipit) => void {
  return (shipit) => {
    shipit.log(leftOutLine(name))
    void runOf(shipit).choose(name, async () => {})
  }
}
