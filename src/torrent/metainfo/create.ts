import { createHash } from 'node:crypto'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import ignore from 'ignore'
import { isSystemError, MurderError } from '../../errors.ts'
import { encodeMetainfo } from './metainfo.ts'
import { nameFault } from './names.ts'
import { PieceHasher } from './piece-hasher.ts'
import { choosePieceLength, MAX_PIECE_COUNT } from './piece-length.ts'
import type { TorrentFile } from './torrent-file.ts'

export interface CreateOptions {
  /** A file or a directory. */
  source: string
  /** Announce URLs. */
  trackers: string[]
  /** Bytes, a power of two. Chosen from the size if left out. */
  pieceLength?: number
  name?: string
  comment?: string
  /** BEP 27. True by default. */
  private?: boolean
  /** Patterns as in a .gitignore file. */
  exclude?: string[]
  /** URLs of web servers that have the content. */
  webSeeds?: string[]
  /** The files below `source`; all of them if left out. */
  files?: TorrentFile[]
  /** Makes the last file of the torrent, which is not on disk, from the SHA-256 (hex) of all others, in their order. */
  lastFile?: { name: string; content: (sha256: string[]) => Buffer }
  /** Makes the signature that is kept beside the info dictionary, from the content as it is read. */
  sign?: (pieceLength: number, length: number) => Signer
  signal?: AbortSignal
  onProgress?: (bytes: number, total: number) => void
}

/** Gets all content in order, in chunks of any length, and the end of each file. */
export interface Signer {
  update(chunk: Uint8Array): void
  fileEnds(): void
  finish(): Buffer
}

const CHUNK_BYTES = 4 * 1024 * 1024
/** Peers that a torrent made by hand is expected to reach. */
const USUAL_FLEET = 10

/** Makes the metainfo file of a file or a directory, reading everything once. Symlinks are followed to files only. */
export async function createTorrent(options: CreateOptions): Promise<Buffer> {
  const source = resolve(options.source)
  const found = await stat(source).catch((error) => {
    throw unreadable(source, error)
  })
  const single = found.isFile()
  if (!single && !found.isDirectory()) {
    throw new MurderError('UNREADABLE', `${source} is neither a file nor a directory`, {
      cure: 'name what the others shall get',
      exitCode: 2,
    })
  }
  const files = single
    ? [{ path: [basename(source)], length: found.size }]
    : (options.files ?? (await listFiles(source, options.exclude ?? [])))
  if (files.length === 0 && !options.lastFile) {
    throw new MurderError('EMPTY', `There is no file in ${source}`, {
      cure: 'name a directory with files in it',
      exitCode: 2,
    })
  }
  const name = options.name ?? basename(source)
  refuseNames([{ path: [name] }, ...files])
  const total = files.reduce((sum, file) => sum + file.length, 0)
  const pieceLength = options.pieceLength ?? choosePieceLength(total, USUAL_FLEET)
  if (total / pieceLength > MAX_PIECE_COUNT)
    throw new MurderError(
      'TOO_MANY_PIECES',
      `${total} bytes in pieces of ${pieceLength} are too many pieces`,
      {
        cure: `a torrent may have ${MAX_PIECE_COUNT}: choose larger pieces with --piece-length, or leave that out`,
        exitCode: 2,
      },
    )
  const hasher = new PieceHasher(pieceLength)
  const signer = options.sign?.(pieceLength, total)
  const digests: string[] = []
  let done = 0
  for (const file of files) {
    const path = single ? source : join(source, ...file.path)
    const digest = options.lastFile && createHash('sha256')
    for await (const chunk of readAhead(path, file.length)) {
      options.signal?.throwIfAborted()
      hasher.update(chunk)
      signer?.update(chunk)
      digest?.update(chunk)
      done += chunk.length
      options.onProgress?.(done, total)
    }
    signer?.fileEnds()
    if (digest) digests.push(digest.digest('hex'))
  }
  const last = options.lastFile?.content(digests)
  if (last) {
    hasher.update(last)
    signer?.update(last)
    signer?.fileEnds()
  }
  return encodeMetainfo({
    name,
    pieceLength,
    pieces: hasher.finish(),
    content: single ? found.size : withLast(files, options.lastFile?.name, last),
    trackers: options.trackers,
    ...(options.private === undefined ? {} : { private: options.private }),
    ...(options.comment === undefined ? {} : { comment: options.comment }),
    ...(options.webSeeds === undefined ? {} : { webSeeds: options.webSeeds }),
    ...(last === undefined ? {} : { manifest: gzipSync(last) }),
    ...(signer === undefined ? {} : { signature: signer.finish() }),
  })
}

/** Throws for names that every client would refuse in a torrent, before all the content is read. */
function refuseNames(files: Pick<TorrentFile, 'path'>[]): void {
  for (const { path } of files) {
    const fault = path.map(nameFault).find((fault) => fault !== undefined)
    if (fault === undefined) continue
    throw new MurderError('BAD_NAME', `The path ${JSON.stringify(path.join('/'))} ${fault}`, {
      cure: 'rename it, or leave it out: nobody would take it from a torrent',
      exitCode: 2,
    })
  }
}

const withLast = (files: TorrentFile[], name = '', content?: Buffer) =>
  content ? [...files, { path: [name], length: content.length }] : files

async function listFiles(root: string, exclude: string[]): Promise<TorrentFile[]> {
  const rules = ignore().add(exclude)
  const files: TorrentFile[] = []
  const visit = async (parts: string[]): Promise<void> => {
    const directory = join(root, ...parts)
    const entries = await readdir(directory).catch((error) => {
      throw unreadable(directory, error)
    })
    for (const name of entries) {
      const path = [...parts, name]
      const found = await stat(join(root, ...path)).catch((error) => unreadable(join(root, ...path), error))
      const isDirectory = !(found instanceof MurderError) && found.isDirectory()
      if (rules.ignores(`${path.join('/')}${isDirectory ? '/' : ''}`)) continue
      if (found instanceof MurderError) throw found
      if (isDirectory) await visit(path)
      else if (found.isFile()) files.push({ path, length: found.size })
    }
  }
  await visit([])
  return files
    .map((file) => ({ file, key: Buffer.from(file.path.join('/')) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ file }) => file)
}

/** Reads a file in large chunks, each one while the caller works on the one before. Throws when the length changes. */
async function* readAhead(path: string, length: number): AsyncGenerator<Buffer> {
  const handle = await open(path, 'r').catch((error) => {
    throw unreadable(path, error)
  })
  try {
    const buffers = [
      Buffer.allocUnsafe(Math.min(CHUNK_BYTES, length)),
      Buffer.allocUnsafe(Math.min(CHUNK_BYTES, length)),
    ]
    const load = (index: number, at: number) => {
      const pending = handle.read(buffers[index % 2] as Buffer, 0, Math.min(CHUNK_BYTES, length - at), at)
      pending.catch(() => {})
      return pending
    }
    let index = 0
    let next = length > 0 ? load(index, 0) : undefined
    for (let at = 0; at < length; ) {
      const { bytesRead, buffer } = (await next) as { bytesRead: number; buffer: Buffer }
      if (bytesRead === 0) throw changed(path)
      at += bytesRead
      next = at < length ? load(++index, at) : undefined
      yield buffer.subarray(0, bytesRead)
    }
    if ((await handle.stat()).size !== length) throw changed(path)
  } finally {
    await handle.close()
  }
}

function changed(path: string): MurderError {
  return new MurderError('CHANGED', `${path} changed while its torrent was made`, {
    cure: 'wait until nothing writes to it, then run it again',
  })
}

function unreadable(path: string, error: unknown): MurderError {
  const code = isSystemError(error, 'ENOENT', 'EACCES', 'EPERM', 'EIO') ? error.code : String(error)
  return new MurderError('UNREADABLE', `Cannot read ${path}: ${code}`, {
    cure: 'check that it exists and that this user may read it',
    exitCode: 2,
    cause: error,
  })
}
