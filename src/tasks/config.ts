import { describeSettings } from '../config/index.ts'
import { settingsOf } from '../steps/context.ts'
import { type Registration, task } from './task.ts'

/** `murder:config`: the settings in force, and where each comes from. */
export const registerConfig: Registration = (shipit) => {
  task(shipit, 'murder:config', () => {
    const { settings, origins } = settingsOf(shipit)
    shipit.log(describeSettings(settings, origins))
  })
}
