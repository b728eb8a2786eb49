import { isAbsolute } from 'node:path'
import { ExitCode, MurderError } from '../errors.ts'
import { unpackHosts } from './host-list.ts'
import { isLinkCommand } from './link.ts'
import type { ReceiveOrder } from './order.ts'
import { isTag, NO_TAG } from './tag.ts'

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string' && value !== '' && !value.includes('\0')
const isPath: Check = (value) => isText(value) && isAbsolute(value as string)
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText)
const isAmount: Check = (value) => typeof value === 'number' && value >= 0 && Number.isFinite(value)
const isPort: Check = (value) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535
const isOneOf =
  (...allowed: string[]): Check =>
  (value) =>
    allowed.includes(value as string)
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)

const isHostList: Check = (value) => {
  try {
    return isText(value) && unpackHosts(value as string).every(isText)
  } catch {
    return false
  }
}

const SHAPE: Record<string, Check> = {
  tag: isText,
  torrent: optional(isText),
  sha256: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value),
  directory: isPath,
  trackers: isTexts,
  secret: optional(isText),
  peers: isTexts,
  hosts: optional(isHostList),
  address: optional(isText),
  content: optional(isText),
  ports: (value) => Array.isArray(value) && value.length === 2 && value.every(isPort),
  fleet: isAmount,
  linger: isAmount,
  uploadLimit: isAmount,
  downloadLimit: isAmount,
  'timeouts.connect': isAmount,
  'timeouts.stall': isAmount,
  'timeouts.total': isAmount,
}
const SITE: Record<string, Check> = {
  'site.name': isText,
  'site.key': optional(isText),
  'site.limit': optional(isAmount),
  'site.servers': optional(isAmount),
  'site.seederSite': optional(isText),
}
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0
const MAGNET: Record<string, Check> = {
  'magnet.infoHash': (value) => typeof value === 'string' && /^[0-9a-f]{40}$/.test(value),
  'magnet.sha256': (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  'magnet.size': isCount,
  'magnet.name': isText,
  'magnet.length': isCount,
  'magnet.pieceLength': isCount,
}
const isId: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const UNPACK: Record<string, Check> = {
  'unpack.into': isPath,
  'unpack.compression': isOneOf('none', 'brotli', 'gzip', 'zstd'),
  'unpack.directory': optional((value) => typeof value === 'boolean'),
  'unpack.existing': optional(isOneOf('merge', 'replace')),
  'unpack.key': optional(isId),
  'unpack.revision': optional(isText),
  'unpack.bytes': optional(isAmount),
  'unpack.record': optional(isPath),
}
const BASE: Record<string, Check> = {
  'unpack.base.from': isPath,
  'unpack.base.record': isPath,
  'unpack.base.id': isId,
  'unpack.base.becomes': isId,
}
const isFilter: Check = (value) => {
  const isOption = (option: unknown) =>
    isOneOf('exclude', 'include')(valueAt(option, 'kind')) && isText(valueAt(option, 'pattern'))
  return Array.isArray(value) && value.every(isOption)
}
const CARRY: Record<string, Check> = {
  'unpack.carry.from': isPath,
  'unpack.carry.filter': isFilter,
  'unpack.carry.ignore': isTexts,
  'unpack.carry.everything': optional((value) => typeof value === 'boolean'),
  'unpack.carry.within': optional(isText),
}
const isTarget: Check = (value) =>
  isText(valueAt(value, 'name')) &&
  isTexts(valueAt(value, 'hosts')) &&
  isPort(valueAt(value, 'port')) &&
  isTexts(valueAt(value, 'hostKeys')) &&
  isText(valueAt(value, 'hostName')) &&
  optional(isLinkCommand)(valueAt(value, 'command'))
const LINKS: Record<string, Check> = {
  'links.directory': isPath,
  'links.admit': isTexts,
  'links.targets': (value) => Array.isArray(value) && value.every(isTarget),
}
const PLACE: Record<string, Check> = {
  'place.path': isPath,
  'place.name': isText,
  'place.mode': isAmount,
  'place.mtime': isAmount,
}

/** Checks an order that came over SSH: an older or newer plugin may have sent it. Throws BAD_ORDER. */
export function parseOrder(text: string): ReceiveOrder {
  let order: ReceiveOrder
  try {
    order = JSON.parse(text) as ReceiveOrder
  } catch (cause) {
    throw bad('it is not JSON', cause)
  }
  const shape = {
    ...SHAPE,
    ...(order?.magnet ? MAGNET : { torrent: isText }),
    ...(order?.site && SITE),
    ...(order?.unpack && UNPACK),
    ...(order?.unpack?.carry && CARRY),
    ...(order?.unpack?.base && BASE),
    ...(order?.place && PLACE),
    ...(order?.links && LINKS),
  }
  for (const [key, check] of Object.entries(shape)) {
    if (!check(valueAt(order, key))) throw bad(`'${key}' is missing or wrong`)
  }
  if (!isTag(order.tag)) throw bad(`the tag '${order.tag}' ${NO_TAG}`)
  return order
}

function valueAt(order: unknown, key: string): unknown {
  let value = order
  for (const part of key.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[part]
  return value
}

const bad = (why: string, cause?: unknown) =>
  new MurderError('BAD_ORDER', `the order on standard input cannot be used: ${why}`, {
    exitCode: ExitCode.usage,
    cure: 'murder receive is for the Shipit plugin; by hand there is murder peer',
    cause,
  })
