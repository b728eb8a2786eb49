import { describeSettings } from '../../config/describe.ts'
import { webhook } from '../../config/kinds/notify.ts'
import { settingsOf } from '../../deploy/context/settings-of.ts'
import { outputMode } from '../../report/output.ts'
import { jsonLine } from '../../text/ci-commands.ts'
import { type Registration, task } from '../task.ts'

/** `murder:config`: the settings in force, and where each comes from. */
export const registerConfig: Registration = (shipit) => {
  const show = () => {
    const { settings, origins, notes } = settingsOf(shipit)
    if (outputMode(process.env, process.stdout) !== 'json') {
      return shipit.log([describeSettings(settings, origins), ...notes].join('\n'))
    }
    const { notify } = settings
    const url = notify.url === undefined ? undefined : webhook.show(notify.url)
    const shown = { ...settings, notify: { ...notify, url } }
    const event = { event: 'settings', time: new Date().toISOString(), settings: shown, origins, notes }
    process.stdout.write(jsonLine(event))
  }
  task(shipit, 'murder:config', show, 'same')
}
