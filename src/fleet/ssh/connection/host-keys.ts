import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import type { Server } from '../server.ts'
import { configurationOf, valueIn } from './configuration.ts'
import { hostKeysIn } from './known-hosts.ts'

/** The host keys of a server that ssh on this machine knows. */
export interface HostKeys {
  /** The server's name in known_hosts, without a port. */
  hostName: string
  /** Keys as in known_hosts, without names. */
  keys: string[]
}

/** From the files that ssh would read. Never rejects: what cannot be read has no keys. */
export async function hostKeysOf(server: Server): Promise<HostKeys> {
  const configuration = await configurationOf(server)
  const value = (keyword: string) => valueIn(configuration, keyword)
  const alias = value('hostkeyalias')
  const hostName = alias ?? value('hostname') ?? server.host
  const port = Number(value('port') ?? server.port)
  const files = `${value('userknownhostsfile') ?? ''} ${value('globalknownhostsfile') ?? ''}`
  const texts = await Promise.all(files.split(' ').filter(Boolean).map(textOf))
  const named = (name: string) => texts.flatMap((text) => hostKeysIn(text, name))
  const keys = alias === undefined && port !== 22 ? named(`[${hostName}]:${port}`) : named(hostName)
  // As ssh does it.
  return { hostName, keys: [...new Set(keys.length > 0 ? keys : named(hostName))] }
}

const textOf = (file: string): Promise<string> =>
  readFile(file.replace(/^~(?=\/)/, homedir()), 'utf8').catch(() => '')
