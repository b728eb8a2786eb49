import { loadSettings, type Origins } from '../../config/load.ts'
import type { Settings } from '../../config/schema.ts'
import type { Shipit } from '../../shipit.ts'

/** Settings and their origins. Needs no connection. Throws SETTINGS. */
export function settingsOf(shipit: Shipit): { settings: Settings; origins: Origins; notes: string[] } {
  const { murder, deployTo, servers } = shipit.config
  return loadSettings({ file: murder, env: process.env, deployTo, servers, copy: shipit.config })
}
