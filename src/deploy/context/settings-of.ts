import { loadSettings, type Origins } from '../../config/load.ts'
import type { Settings } from '../../config/schema.ts'
import type { Shipit } from '../../shipit.ts'

/** Settings and their origins. Needs no connection. Throws SETTINGS. */
export function settingsOf(shipit: Shipit): { settings: Settings; origins: Origins; notes: string[] } {
  const { config, globalConfig, environment } = shipit
  const { murder, deployTo, servers } = config
  // Shipit lets the key of an environment take the place of the one in `default`. One that a shipitfile has set itself is whole.
  const isOfEnvironment = murder !== undefined && murder === globalConfig?.[environment]?.murder
  const base = isOfEnvironment ? globalConfig?.default?.murder : undefined
  return loadSettings({ file: murder, base, env: process.env, deployTo, servers, copy: config })
}
