import { createHash } from 'node:crypto'
import bencode from 'bencode'
import { MurderError } from '../../errors.ts'
import { decodeUntrusted, endOfValue } from '../encoding/bencode.ts'
import { bad, count, dictionary, text } from './fields.ts'
import { type FileList, readFileList } from './file-list.ts'
import { nameFault } from './names.ts'
import { MAX_PIECE_BYTES } from './piece-length.ts'
import type { TorrentFile, TorrentLink } from './torrent-file.ts'

/** A torrent (BEP 3 metainfo), checked. Lengths in bytes. */
export interface Metainfo {
  /** SHA-1 of the bencoded info dictionary, 40 hex digits. */
  infoHash: string
  /** The bytes of the info dictionary. */
  info: Uint8Array
  name: string
  length: number
  pieceLength: number
  /** SHA-1 of every piece, 20 bytes each. */
  pieces: Uint8Array
  files: TorrentFile[]
  /** Only symlinks that stay inside the directory. */
  links: TorrentLink[]
  singleFile: boolean
  /** Announce URLs (BEP 3, BEP 12), in order, each once. */
  trackers: string[]
  private: boolean
  /** URLs of web servers that have the content (BEP 19). */
  webSeeds: string[]
  /** The attributes of a directory, gzipped, for a seeder that does not have them as a file. */
  manifest?: Uint8Array
  /** Hashes of blocks and files, with which a peer finds content that it has elsewhere. Not checked. */
  signature?: Uint8Array
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
  signature?: Uint8Array
}

/** Outside of the info dictionary, so that it does not change the infohash. Other clients ignore it. */
const MANIFEST_KEY = 'murder.mtree.gz'
const SIGNATURE_KEY = 'murder.signature'
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
      ...(fields.signature === undefined ? {} : { [SIGNATURE_KEY]: fields.signature }),
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

/** The torrent with this info dictionary and no other fields. Throws BAD_TORRENT. */
export const metainfoOfInfo = (info: Uint8Array): Metainfo =>
  parseMetainfo(Buffer.concat([Buffer.from('d'), INFO_KEY, info, Buffer.from('e')]))

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
  const { pieces } = info
  if (pieces === undefined && info['meta version'] === 2) throw onlyVersion2()
  const name = readName(info)
  const pieceLength = count(info['piece length'], 'piece length')
  const singleFile = info.files === undefined
  const { files, links, length } = singleFile ? oneFile(info, name) : readFileList(info.files)
  const manifest = root[MANIFEST_KEY]
  const signature = root[SIGNATURE_KEY]
  if (!(pieces instanceof Uint8Array)) throw bad('pieces is missing')
  if (pieceLength < 1 || pieces.length !== Math.ceil(length / pieceLength) * 20) {
    throw bad(`${pieces.length / 20} piece hashes do not fit ${length} bytes in pieces of ${pieceLength}`)
  }
  if (Math.min(pieceLength, length) > MAX_PIECE_BYTES)
    throw bad(
      `its pieces of ${pieceLength} bytes are too large: a peer keeps several in memory`,
      'make it again with pieces of 64 MiB at most',
    )
  const raw = rawInfo(bytes)
  return {
    infoHash: createHash('sha1').update(raw).digest('hex'),
    info: raw,
    name,
    length,
    pieceLength,
    pieces,
    files,
    links,
    singleFile,
    trackers: readTrackers(root),
    private: info.private === 1,
    webSeeds: readUrls(root['url-list']),
    ...(manifest instanceof Uint8Array ? { manifest } : {}),
    ...(signature instanceof Uint8Array ? { signature } : {}),
    createdBy: root['created by'] instanceof Uint8Array ? text(root['created by'], 'created by') : undefined,
  }
}

/** The name is advisory: as in libtorrent, its slashes are dropped. */
function readName(info: Record<string, unknown>): string {
  const name = text(info['name.utf-8'] ?? info.name, 'name').replaceAll('/', '')
  if (nameFault(name) !== undefined) throw bad(`the name ${JSON.stringify(name)} is no file name`)
  return name
}

function oneFile(info: Record<string, unknown>, name: string): FileList {
  const length = count(info.length, 'length')
  const executable = info.attr instanceof Uint8Array && text(info.attr, 'attr').includes('x')
  return { files: [{ path: [name], length, ...(executable ? { executable } : {}) }], links: [], length }
}

const onlyVersion2 = () =>
  bad(
    'it is of BitTorrent v2 only, and v1 is spoken here',
    'make a v1 or a hybrid torrent of it, as `murder make-torrent` and most other programs do',
  )

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

/** The bytes of the info dictionary as they are in the file: the infohash must not depend on how we would encode it. */
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
