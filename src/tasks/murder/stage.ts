import { contextOf } from '../../deploy/context/context.ts'
import type { Shipit } from '../../shipit.ts'
import { refuseBesideStaging } from '../one-at-a-time.ts'
import { type Registration, task } from '../task.ts'

/** `murder:stage`: the first tasks of a deploy, up to where it would publish. */
export const registerStage: Registration = (shipit: Shipit) => {
  const stage = () => {
    refuseBesideStaging(shipit)
    contextOf(shipit).staging = true
    shipit.start(['deploy:init', 'deploy:fetch', 'deploy:update'])
  }
  task(shipit, 'murder:stage', stage, stage)
}
