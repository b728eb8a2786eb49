import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, resolve } from 'node:path'
import type { Settings } from '../../config/schema.ts'
import { ExitCode, isSystemError, MurderError } from '../../errors.ts'
import type { PlaceOrder } from '../../protocol/order.ts'
import { encodeMetainfo } from '../../torrent/metainfo/metainfo.ts'
import { PieceHasher } from '../../torrent/metainfo/piece-hasher.ts'
import { choosePieceLength } from '../../torrent/metainfo/piece-length.ts'
import type { TaskContext } from '../context/context.ts'
import { extentOf, linkInstead, type Transfer, type TransferSpec, transferOf } from './transfer.ts'

const CHUNK_BYTES = 4 << 20

/** What the servers learn about the file besides its content. */
export type SourceFile = Omit<PlaceOrder, 'path'>

/** What `filesPath` names, absolute; undefined when it is not set. Throws FILES_PATH unless it is of the right kind. */
export function sourcePath({ filesPath, pathIsFile, encrypt }: Settings): string | undefined {
  if (filesPath === undefined) {
    if (pathIsFile) throw wrong('murder.pathIsFile is set without murder.filesPath', 'name the file with it')
    return undefined
  }
  const path = resolve(filesPath.replace(/^~(?=\/|$)/, homedir()))
  let isFile: boolean
  try {
    isFile = statSync(path).isFile()
  } catch (cause) {
    const why = isSystemError(cause, 'ENOENT') ? 'which does not exist' : `which cannot be read: ${cause}`
    throw wrong(`murder.filesPath is ${filesPath}, ${why}`, 'name a path on the deploy host')
  }
  if (isFile && encrypt)
    throw wrong('murder.encrypt is for packages: a single file travels as it is', 'leave it out')
  if (isFile === pathIsFile) return path
  throw isFile
    ? wrong(`murder.filesPath is ${filesPath}, a file`, 'set murder.pathIsFile too')
    : wrong(`murder.filesPath is ${filesPath}, no file`, 'name a file, or leave out murder.pathIsFile')
}

/**
 * The transfer of one file as it is. It is read once and not copied: a link takes the place of the package. So it may be large.
 */
export async function fileTransfer(
  { settings, signal }: Pick<TaskContext, 'settings' | 'signal'>,
  spec: TransferSpec,
): Promise<Transfer & { source: SourceFile }> {
  const { root, peers } = spec
  const { size: length, mode, mtimeMs } = statSync(root)
  const pieceLength = settings.pieceLength ?? choosePieceLength(length, peers)
  const { pieces, sha256 } = await digest(root, length, pieceLength, signal)
  const name = basename(root)
  const torrent = encodeMetainfo({ name, pieceLength, pieces, content: length, trackers: [] })
  await linkInstead(spec)
  const source = { name, mode: mode & 0o7777, mtime: Math.round(mtimeMs) }
  return transferOf(settings, spec, { torrent, sha256, compression: 'none', extent: extentOf([]), source })
}

/** Reads a file once. Throws FILE_CHANGED when it does not have this length. */
export async function digest(path: string, length: number, pieceLength: number, signal: AbortSignal) {
  const hasher = new PieceHasher(pieceLength)
  const whole = createHash('sha256')
  let read = 0
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    hasher.update(chunk)
    whole.update(chunk)
    read += chunk.length
  }
  if (read === length) return { pieces: hasher.finish(), sha256: whole.digest('hex') }
  throw new MurderError('FILE_CHANGED', `${path} changed while its torrent was made`, {
    cure: 'wait until nothing writes to it, then run it again',
  })
}

const wrong = (message: string, cure: string) =>
  new MurderError('FILES_PATH', message, { exitCode: ExitCode.usage, cure })
