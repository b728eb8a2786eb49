import { lookup } from 'node:dns/promises'
import type { Server } from '../server.ts'
import { configurationOf, valueIn } from './configuration.ts'

/** How ssh gets to a server. */
export interface Route {
  /** How many addresses it may try, one after the other, with ConnectTimeout for each. */
  turns: number
  /** What ProxyJump names; `a ProxyCommand` when that is set. */
  through?: string
}

const known = new WeakMap<Server, Promise<Route>>()

/** Asked once for each server. Never rejects: unknown parts count as the default. */
export function routeTo(server: Server): Promise<Route> {
  const route = known.get(server) ?? ask(server)
  known.set(server, route)
  return route
}

const ask = async (server: Server): Promise<Route> => readRoute(await configurationOf(server), addressCount)

/** Reads what `ssh -G` prints: a keyword in lower case and its value on each line. */
export async function readRoute(
  answer: string,
  countAddresses: (host: string) => Promise<number>,
): Promise<Route> {
  const value = (keyword: string) => valueIn(answer, keyword)
  const isSet = (text: string | undefined) => text !== undefined && text !== 'none'
  const [jump, command] = [value('proxyjump'), value('proxycommand')]
  // The bastion's ssh or the other program keeps its own time.
  if (isSet(jump)) return { turns: 1, through: `its bastion ${withoutBrackets(jump?.split(',')[0] ?? '')}` }
  if (isSet(command)) return { turns: 1, through: 'a ProxyCommand' }
  const attempts = Number(value('connectionattempts')) || 1
  const host = value('hostname')
  return { turns: attempts * (host ? Math.max(1, await countAddresses(host)) : 1) }
}

/** `ssh -G` puts them around any host. */
const withoutBrackets = (jump: string) => jump.replace(/\[([^\]:]*)\]/, '$1')

const addressCount = (host: string) =>
  lookup(host, { all: true }).then(
    (addresses) => addresses.length,
    () => 1, // ssh says what is wrong with the name.
  )
