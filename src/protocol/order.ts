import { isAbsolute } from 'node:path'
import { ExitCode, MurderError } from '../errors.ts'
import { isTag } from './tag.ts'

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

const SHAPE: Record<string, Check> = {
  tag: (value) => isText(value) && isTag(value as string),
  torrent: isText,
  sha256: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value),
  directory: isPath,
  trackers: isTexts,
  secret: optional(isText),
  peers: isTexts,
  hosts: optional(isTexts),
  address: optional(isText),
  ports: (value) => Array.isArray(value) && value.length === 2 && value.every(isPort),
  fleet: isAmount,
  linger: isAmount,
  uploadLimit: isAmount,
  downloadLimit: isAmount,
  'timeouts.connect': isAmount,
  'timeouts.stall': isAmount,
  'timeouts.total': isAmount,
}
const PREFILL: Record<string, Check> = { 'prefill.from': isPath, 'prefill.layout': optional(isText) }
const UNPACK: Record<string, Check> = {
  'unpack.into': isPath,
  'unpack.compression': isOneOf('none', 'gzip', 'zstd'),
  'unpack.directory': optional((value) => typeof value === 'boolean'),
  'unpack.existing': optional(isOneOf('merge', 'replace')),
  'unpack.key': optional((value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)),
  'unpack.revision': optional(isText),
  'unpack.bytes': optional(isAmount),
}
const PLACE: Record<string, Check> = {
  'place.path': isPath,
  'place.name': isText,
  'place.mode': isAmount,
  'place.mtime': isAmount,
}

/** Checks what came over SSH: an older or newer plugin may have sent it. */
export function parseOrder(text: string): ReceiveOrder {
  let order: ReceiveOrder
  try {
    order = JSON.parse(text) as ReceiveOrder
  } catch (cause) {
    throw bad('it is not JSON', cause)
  }
  const shape = {
    ...SHAPE,
    ...(order?.prefill ? PREFILL : {}),
    ...(order?.unpack ? UNPACK : {}),
    ...(order?.place ? PLACE : {}),
  }
  for (const [key, check] of Object.entries(shape)) {
    if (!check(valueAt(order, key))) throw bad(`'${key}' is missing or wrong`)
  }
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

/** The order of `murder receive`: become a peer, wait until the package is complete, unpack it. */
export interface ReceiveOrder {
  /** Name of the transfer; in a deploy the release's directory name. Safe as a file name. */
  tag: string
  /** The metainfo file, base64. */
  torrent: string
  /** SHA-256, hex, of the package, or of a directory's manifest, which has that of each file: what the deploy host built, checked after the swarm's own piece hashes. */
  sha256: string
  /** Directory on the server that holds everything temporary of this transfer. Removing it ends the peer. */
  directory: string
  /** Tracker announce URLs as this server reaches them; `{secret}` in one stands for the tracker's key. */
  trackers: string[]
  /** What all of the swarm must prove to know; anybody may join when it is missing. */
  secret?: string
  /** `host:port` of processes known from the start (the seeder). */
  peers: string[]
  /** IP addresses of the fleet's machines, where all are known: of others nobody can be told. */
  hosts?: string[]
  /** Address to announce instead of the one the tracker sees. */
  address?: string
  /** First and last TCP port to try; [0, 0] lets the system choose. */
  ports: [number, number]
  /** How many servers receive. */
  fleet: number
  /** Seconds to go on sharing after completion. */
  linger: number
  /** Bytes a second for the whole process; 0 is no limit. */
  uploadLimit: number
  downloadLimit: number
  /** Seconds: without any connection, without any progress, for everything. 0 is no limit. */
  timeouts: { connect: number; stall: number; total: number }
  /** Fill the content from what an earlier release already has here, before asking the swarm. A package needs its layout. */
  prefill?: { from: string; layout?: string }
  unpack?: UnpackOrder
  /** What travels is one file and no package: where it goes. */
  place?: PlaceOrder
}

export interface UnpackOrder {
  /** The release travels as a directory of files, with a manifest, and not as a package. */
  directory?: boolean
  /** The release directory. Made beside its final name and renamed when it is whole. */
  into: string
  /** What becomes of what is there already (settle.ts); refused when it is left out. */
  existing?: 'merge' | 'replace'
  compression: Compression
  /** What the package is encrypted with, hex. */
  key?: string
  /** Content of the REVISION file, when there is one. */
  revision?: string
  /** What the files of the release take, for the message when there is not enough room. */
  bytes?: number
}

export interface PlaceOrder {
  /** Path of the file, or of a directory that is there already, for a file of this `name` in it. */
  path: string
  name: string
  mode: number
  /** Milliseconds since 1970. */
  mtime: number
}

/**
 * What travels over SSH between the plugin and an agent: one order (a line of JSON on the agent's standard input), then
 * events (one JSON object a line on its standard output), and at last the word `end`. Nothing secret is ever on an argument list.
 */

export type Compression = 'none' | 'gzip' | 'zstd'
