import { isSelection, selectServers } from '../../../config/entries/select.ts'
import { ExitCode, MurderError } from '../../../errors.ts'
import type { SshConnection } from '../../../fleet/ssh/server.ts'
import type { Shipit } from '../../../shipit.ts'
import { settingsOf } from '../settings-of.ts'
import { connectionsOf } from './ssh-pool.ts'

const notChosen = new WeakMap<Shipit, readonly SshConnection[]>()

/** Connections to servers that `roles`, `only` and `except` leave out of this run: tracker or seeder may be there. */
export const connectionsNotChosen = (shipit: Shipit): readonly SshConnection[] => notChosen.get(shipit) ?? []

/**
 * Removes the servers that `roles`, `only` and `except` leave out from Shipit's pool, before any task runs, so that no command
 * runs there, not even another plugin's. Throws SETTINGS where a given choice cannot be read. Other wrong settings are reported
 * by the first task.
 */
export function chooseServers(shipit: Shipit): void {
  const { pool } = shipit
  if (!pool || !asksForChoice(shipit)) return
  const { settings } = settingsOf(shipit)
  if (!isSelection(settings)) return
  const connections = connectionsOf(shipit)
  const remotes = connections.map(({ remote }) => remote)
  const chosen = new Set(selectServers(remotes, settings))
  notChosen.set(
    shipit,
    connections.filter((_, index) => !chosen.has(index)),
  )
  pool.connections = pool.connections.filter((_, index) => chosen.has(index))
}

const CHOICE = ['roles', 'only', 'except']

function asksForChoice({ config, globalConfig }: Shipit): boolean {
  const inFile = [globalConfig.default?.murder, config.murder]
    .filter((murder) => typeof murder === 'object' && murder !== null)
    .some((murder) => CHOICE.some((name) => name in murder))
  return inFile || CHOICE.some((name) => process.env[`MURDER_${name.toUpperCase()}`])
}

/** Refuses a choice of servers together with `peers`, which gives single tasks other servers. Throws SETTINGS. */
export function refuseChoiceOfPeers(shipit: Shipit): void {
  const { settings } = settingsOf(shipit)
  if (!isSelection(settings)) return
  const given = CHOICE.filter((name) => settings[name as 'roles' | 'only' | 'except'].length > 0)
  throw new MurderError('SETTINGS', `murder.peers names the servers of single tasks already`, {
    exitCode: ExitCode.usage,
    cure: `leave out ${given.map((name) => `murder.${name}`).join(' and ')}, or murder.peers`,
  })
}
