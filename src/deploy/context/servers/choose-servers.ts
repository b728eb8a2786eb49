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
 * Takes the servers that `roles`, `only` and `except` leave out from Shipit's pool, before any task runs: no command may run there,
 * nor one of another plugin. Throws SETTINGS where the choice cannot be read; without a choice the first task reports that.
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

/** Single tasks have other servers with `peers`, which no choice is about. Throws SETTINGS. */
export function refuseChoiceOfPeers(shipit: Shipit): void {
  const { settings } = settingsOf(shipit)
  if (!isSelection(settings)) return
  const given = CHOICE.filter((name) => settings[name as 'roles' | 'only' | 'except'].length > 0)
  throw new MurderError('SETTINGS', `murder.peers names the servers of single tasks already`, {
    exitCode: ExitCode.usage,
    cure: `leave out ${given.map((name) => `murder.${name}`).join(' and ')}, or murder.peers`,
  })
}
