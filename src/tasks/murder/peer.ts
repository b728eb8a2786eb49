import { leftOutLine } from '../../deploy/dry-run.ts'
import { peer } from '../../deploy/steps/peer.ts'
import type { Shipit } from '../../shipit.ts'
import { deployRunOf } from '../deploy-task.ts'
import { step } from '../step.ts'

/** Every server fetches what is seeded and unpacks it, unpublished. */
export const registerPeer = step('murder:peer', (context) => peer(context), leftOut('murder:peer'))

/** The dry run of a task that would name the release for a deploy:publish of the same call. */
export function leftOut(name: string): (shipit: Shipit) => void {
  return (shipit) => {
    shipit.log(leftOutLine(name))
    void deployRunOf(shipit).nameRelease(name, async () => {})
  }
}
