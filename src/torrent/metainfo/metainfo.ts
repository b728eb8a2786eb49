import { createHash } from 'node:crypto'
import bencode from 'bencode'
import { MurderError } from '../../errors.ts'
import { decodeUntrusted, endOfValue } from '../encoding/bencode.ts'

export interface TorrentFile {
  /** Path below the torrent's directory, one part an element; for a single file just its name. */
  path: string[]
  length: number
}

/** A torrent (BEP 3 metainfo), checked. Lengths in bytes. */
export interface Metainfo {
  /** SHA-1 of the bencoded info dictionary, 40 hex digits. */
  infoHash: string
  name: string
  length: number
  pieceLength: number
  /** SHA-1 of every piece, 20 bytes each. */
  pieces: Uint8Array
  files: TorrentFile[]
  singleFile: boolean
  /** Announce URLs (BEP 3, BEP 12), in order, each once. */
  trackers: string[]
  private: boolean
  /** URLs of web servers that have the content (BEP 19). */
  webSeeds: string[]
  /** The attributes of a directory, gzipped, for a seeder that does not have them as a file. */
  manifest?: Uint8Array
  /** The program that made the torrent, as it says. */
  createdBy: string | undefined
}

export interface MetainfoFields {
  name: string
  pieceLength: number
  pieces: Uint8Array
  /** Length of a single file, or the files of a directory. */
  content: number | TorrentFile[]
  trackers: string[]
  private?: boolean
  comment?: string
  webSeeds?: string[]
  manifest?: Uint8Array
}

/** Outside of the info dictionary, so that it does not change the infohash. Other clients ignore it. */
const MANIFEST_KEY = 'murder.mtree.gz'
/** The `created by` of our torrents. */
const MAKER = 'shipit-murder'

/**
 * Whether peers may tell each other of other peers. BEP 27 forbids it for private torrents. Ours are private only so that
 * other clients do not tell the world about them.
 */
export const mayExchange = ({ private: isPrivate, createdBy }: Metainfo): boolean =>
  !isPrivate || createdBy === MAKER

/** The metainfo file. Nothing in it depends on the clock: the same fields give the same bytes. */
export function encodeMetainfo(fields: MetainfoFields): Buffer {
  const info = {
    name: fields.name,
    'piece length': fields.pieceLength,
    pieces: fields.pieces,
    ...(fields.private === false ? {} : { private: 1 }),
    ...(typeof fields.content === 'number'
      ? { length: fields.content }
      : { files: fields.content.map(encodeFile) }),
  }
  const [announce] = fields.trackers
  return Buffer.from(
    bencode.encode({
      ...(announce === undefined ? {} : { announce }),
      ...(fields.trackers.length > 1 ? { 'announce-list': fields.trackers.map((url) => [url]) } : {}),
      ...(fields.comment === undefined ? {} : { comment: fields.comment }),
      ...(fields.webSeeds?.length ? { 'url-list': fields.webSeeds } : {}),
      ...(fields.manifest === undefined ? {} : { [MANIFEST_KEY]: fields.manifest }),
      'created by': MAKER,
      info,
    }),
  )
}

/** The same info dictionary, and so the same infohash, with these announce URLs and nothing else. */
export function withTrackers(bytes: Uint8Array, trackers: string[]): Buffer {
  const [announce] = trackers
  const head = bencode.encode({
    ...(announce === undefined ? {} : { announce }),
    ...(trackers.length > 1 ? { 'announce-list': trackers.map((url) => [url]) } : {}),
    'created by': MAKER,
  })
  return Buffer.concat([head.subarray(0, -1), INFO_KEY, rawInfo(bytes), Buffer.from('e')])
}

function encodeFile(file: TorrentFile) {
  return { length: file.length, path: file.path }
}

/** Throws MurderError `BAD_TORRENT`: the bytes may come from anywhere. */
export function parseMetainfo(bytes: Uint8Array): Metainfo {
  let root: Record<string, unknown>
  let info: Record<string, unknown>
  try {
    root = dictionary(decodeUntrusted(bytes), 'it')
    info = dictionary(root.info, 'info')
  } catch (error) {
    if (error instanceof MurderError) throw error
    throw bad('it is not bencoded')
  }
  const name = text(info.name, 'name')
  if (nameFault(name) !== undefined) throw bad(`the name ${JSON.stringify(name)} is no file name`)
  const pieceLength = count(info['piece length'], 'piece length')
  const singleFile = info.files === undefined
  const files = singleFile ? [{ path: [name], length: count(info.length, 'length') }] : readFiles(info.files)
  const length = files.reduce((sum, file) => sum + file.length, 0)
  const { pieces } = info
  const manifest = root[MANIFEST_KEY]
  if (!(pieces instanceof Uint8Array)) throw bad('pieces is missing')
  if (pieceLength < 1 || pieces.length !== Math.ceil(length / pieceLength) * 20) {
    throw bad(`${pieces.length / 20} piece hashes do not fit ${length} bytes in pieces of ${pieceLength}`)
  }
  return {
    infoHash: createHash('sha1').update(rawInfo(bytes)).digest('hex'),
    name,
    length,
    pieceLength,
    pieces,
    files,
    singleFile,
    trackers: readTrackers(root),
    private: info.private === 1,
    webSeeds: readUrls(root['url-list']),
    ...(manifest instanceof Uint8Array ? { manifest } : {}),
    createdBy: root['created by'] instanceof Uint8Array ? text(root['created by'], 'created by') : undefined,
  }
}

function readFiles(value: unknown): TorrentFile[] {
  if (!Array.isArray(value) || value.length === 0) throw bad('files is no list')
  const seen = new Set<string>()
  const files = value.map((entry) => {
    const file = dictionary(entry, 'a file')
    if (!Array.isArray(file.path) || file.path.length === 0) throw bad('a file has no path')
    const path = file.path.map((part) => text(part, 'path'))
    const key = path.join('/')
    const fault = path.map(nameFault).find((fault) => fault !== undefined)
    if (fault !== undefined) throw bad(`the path ${JSON.stringify(key)} ${fault}`)
    if (seen.has(key)) throw bad(`the path ${JSON.stringify(key)} comes twice`)
    seen.add(key)
    return { path, length: count(file.length, 'length') }
  })
  for (const { path } of files) {
    for (let depth = 1; depth < path.length; depth++) {
      const above = path.slice(0, depth).join('/')
      if (seen.has(above)) throw bad(`${JSON.stringify(above)} is both a file and a directory`)
    }
  }
  return files
}

function readTrackers(root: Record<string, unknown>): string[] {
  const listed = Array.isArray(root['announce-list']) ? root['announce-list'].flat(2) : []
  return readUrls([root.announce, ...listed])
}

/** One URL or a list of them, each once. */
function readUrls(value: unknown): string[] {
  const urls = (Array.isArray(value) ? value : [value])
    .filter((url) => url instanceof Uint8Array)
    .map((url) => Buffer.from(url).toString())
  return [...new Set(urls)]
}

/** What is wrong with a name in a torrent, as the rest of a sentence. */
export function nameFault(name: string): string | undefined {
  if (name.includes('\0')) return 'holds a NUL byte'
  if (name === '' || name === '.' || name === '..' || name.includes('/')) return 'would leave the directory'
  return undefined
}

function dictionary(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Array.isArray(value)) {
    throw bad(`${what} is no dictionary`)
  }
  return value as Record<string, unknown>
}

function text(value: unknown, what: string): string {
  if (!(value instanceof Uint8Array)) throw bad(`${what} is no text`)
  return Buffer.from(value).toString('utf8')
}

function count(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw bad(`${what} is no length`)
  return value
}

function bad(why: string): MurderError {
  return new MurderError('BAD_TORRENT', `This is no usable torrent: ${why}`, {
    cure: 'make it again with `murder make-torrent` and copy it as a binary file',
    exitCode: 2,
  })
}

/** The bytes of the info dictionary as they are in the file: the infohash must not depend on our encoding of it. */
function rawInfo(bytes: Uint8Array): Uint8Array {
  let at = 1
  while (bytes[at] !== END) {
    const keyEnd = endOfValue(bytes, at)
    const valueEnd = endOfValue(bytes, keyEnd)
    if (Buffer.from(bytes.subarray(at, keyEnd)).equals(INFO_KEY)) return bytes.subarray(keyEnd, valueEnd)
    at = valueEnd
  }
  throw bad('info is missing')
}

const INFO_KEY = Buffer.from('4:info')
const END = 'e'.charCodeAt(0)
