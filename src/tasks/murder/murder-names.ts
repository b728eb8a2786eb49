import { clean } from '../../deploy/steps/clean.ts'
import { downloadTorrent } from '../../deploy/steps/download-torrent.ts'
import { startSeeding, stopAllSeeding } from '../../deploy/steps/seed.ts'
import { setup } from '../../deploy/steps/setup.ts'
import { stopPeering } from '../../deploy/steps/stop-peering.ts'
import { step } from '../step.ts'
import type { Registration } from '../task.ts'

/** Tasks by the names that they have in Twitter's Murder, where ours have other names (docs/from-murder.md). */
const named: readonly Registration[] = [
  step('murder:distribute_files', setup),
  step('murder:start_seeding', startSeeding),
  step('murder:download_torrent', downloadTorrent),
  step('murder:stop_all_seeding', stopAllSeeding),
  step('murder:stop_all_peering', (context) => stopPeering(context)),
  step('murder:clean_temp_files', clean),
]

export const registerMurderNames: Registration = (shipit) => {
  for (const register of named) register(shipit)
}
