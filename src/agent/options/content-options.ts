import { existsSync, readlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { sha256Of } from '../../files/hash.ts'
import type { SiteOrder } from '../../protocol/order.ts'
import { isSiteName, NO_SITE_NAME } from '../../protocol/site-name.ts'
import { isTag, NO_TAG } from '../../protocol/tag.ts'
import { formatAddress } from '../../system/addresses.ts'
import { defined } from '../../system/defined.ts'
import { oneLine } from '../../text/format.ts'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'
import { isTracker } from '../../torrent/tracker/announce-url.ts'
import { type Arguments, type Flag, usageError } from '../cli/arguments.ts'
import type { ContentJob, Torrent } from '../runs/job.ts'
import { checkAddress } from './address-option.ts'
import { readSecret } from './secret-file.ts'
import {
  parseBytes,
  parseCount,
  parseHostPort,
  parseMetrics,
  parsePort,
  parsePorts,
  parseSeconds,
  parseTracker,
} from './units.ts'
import { parseVia } from './via-option.ts'

/** The usual BitTorrent ports: a range that a firewall can name. */
const PORTS: [number, number] = [6881, 6999]
const LINGER_S = 30
const CONNECT_S = 60
const STALL_S = 120

const text: Flag = { type: 'string' }
const list: Flag = { type: 'string', multiple: true }
const on: Flag = { type: 'boolean' }

/** Flags that `seed` and `peer` share. */
const contentFlags: Record<string, Flag> = {
  tag: text,
  tracker: list,
  peer: list,
  address: text,
  'secret-file': text,
  nat: on,
  port: text,
  ports: text,
  'up-limit': text,
  'down-limit': text,
  'per-peer-limit': text,
  site: text,
  'site-limit': text,
  timeout: text,
  foreground: on,
  'until-eof': on,
  json: on,
  'run-dir': text,
}

export const peerFlags: Record<string, Flag> = {
  ...contentFlags,
  from: list,
  linger: text,
  'no-linger': on,
  'connect-timeout': text,
  'stall-timeout': text,
  'no-attributes': on,
  delete: on,
  via: list,
}

export const seederFlags: Record<string, Flag> = {
  ...contentFlags,
  fleet: text,
  permits: text,
  metrics: text,
}

/** The job that the arguments of `seed` or `peer` ask for. */
export async function contentJob(
  role: ContentJob['role'],
  args: Arguments,
  torrent: Torrent,
): Promise<ContentJob> {
  const { metainfo } = torrent
  const [, target = '', ownAddress] = args.positionals
  const path = resolve(target)
  const address = await checkAddress(args.text('address') ?? ownAddress, args.has('nat'))
  const peers = args.list('peer').map((peer) => {
    const { host, port } = parseHostPort('--peer', peer)
    return formatAddress(host, port)
  })
  const via = viasOf(args)
  const secret = await args.value('secret-file', readSecret, undefined)
  const fleet = args.value('fleet', parseCount, undefined)
  const permits = args.text('permits')
  const metrics = args.value('metrics', parseMetrics, undefined)
  const site = siteOf(args)
  const from = fromOf(args, metainfo)
  return {
    role,
    tag: checkTag(args.text('tag') ?? defaultTag(metainfo.name, metainfo.infoHash, path)),
    torrent,
    path,
    trackers: trackersOf(args, metainfo, [...peers, ...via]),
    peers,
    ports: portsOf(args),
    linger: args.has('no-linger') ? 0 : args.value('linger', parseSeconds, LINGER_S),
    uploadLimit: args.value('up-limit', parseBytes, 0),
    downloadLimit: args.value('down-limit', parseBytes, 0),
    limitOfEach: args.value('per-peer-limit', parseBytes, 0),
    timeouts: {
      connect: args.value('connect-timeout', parseSeconds, CONNECT_S),
      stall: args.value('stall-timeout', parseSeconds, STALL_S),
      total: args.value('timeout', parseSeconds, 0),
    },
    attributes: !args.has('no-attributes'),
    ownerOnly: false,
    deletesOthers: deletesOthers(args, metainfo),
    ...defined({
      via: via.length > 0 ? via : undefined,
      address,
      secret,
      fleet,
      site,
      metrics,
      from,
      permits: permits && resolve(permits),
    }),
  }
}

/** Where else content may be. */
function fromOf(args: Arguments, { signature }: Metainfo): string[] | undefined {
  const from = args.list('from').map((path) => resolve(path))
  if (from.length === 0) return undefined
  const missing = from.find((path) => !existsSync(path))
  if (missing !== undefined) throw usageError(`--from names ${oneLine(missing)}, which does not exist`)
  if (signature) return from
  throw usageError(
    '--from needs a torrent with a signature, and this one has none',
    'make it again with murder make-torrent --signature',
  )
}

function viasOf(args: Arguments): string[] {
  const given = args.list('via')
  const wrong = given.find((text) => !parseVia(text))
  if (wrong === undefined) return given
  throw usageError(
    `--via is '${oneLine(wrong)}', which is not ssh:user@host, ssh:user@host:22 or ssh:user@host:22/6881 with the port of the peer there`,
  )
}

/** The name is sent to other agents, and shown. */
function siteOf(args: Arguments): SiteOrder | undefined {
  const name = args.text('site')
  const limit = args.value('site-limit', parseBytes, 0)
  if (name === undefined) {
    if (limit > 0) throw usageError('--site-limit needs the name of the site', 'name it with --site')
    return undefined
  }
  if (!isSiteName(name)) throw usageError(`the site '${oneLine(name)}' ${NO_SITE_NAME}`)
  return { name, limit }
}

/** The user's trackers, else the usable ones of the torrent. Throws when it has only others and no peer is named. */
function trackersOf(args: Arguments, { trackers }: Metainfo, peers: string[]): string[] {
  const given = args.list('tracker').map((url) => parseTracker('--tracker', url))
  if (given.length > 0) return given
  const usable = trackers.filter(isTracker)
  if (usable.length > 0 || trackers.length === 0 || peers.length > 0) return usable
  throw usageError(
    `the torrent's tracker is '${oneLine(trackers.join(', '))}', which is not the address of an HTTP tracker`,
    'name another one with --tracker, or others with --peer',
  )
}

function deletesOthers(args: Arguments, { singleFile }: Metainfo): boolean {
  if (args.has('delete') && singleFile)
    throw usageError('--delete is for directories, and this torrent is of one file')
  return args.has('delete')
}

function portsOf(args: Arguments): [number, number] {
  if (args.text('port') !== undefined && args.text('ports') !== undefined) {
    throw usageError('--port and --ports exclude each other')
  }
  const port = args.value('port', parsePort, undefined)
  return port === undefined ? args.value('ports', parsePorts, PORTS) : [port, port]
}

export function checkTag(tag: string): string {
  if (isTag(tag)) return tag
  throw usageError(`the tag '${tag}' ${NO_TAG}`)
}

/**
 * Readable, and different for every torrent and target on this machine. Containers and network namespaces may share a
 * run directory without being one machine, so the namespace counts too.
 */
function defaultTag(name: string, infoHash: string, path: string): string {
  const safe = name
    .replaceAll(/[^A-Za-z0-9_]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40)
  const hash = sha256Of(`${infoHash}\0${path}\0${networkNamespace()}`)
  return `${safe ? `${safe}-` : ''}${hash.slice(0, 6)}`
}

function networkNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/net')
  } catch {
    return '' // not Linux
  }
}
