import { readFileSync } from 'node:fs'
import { chmod, lstat, mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { isSystemError, MurderError } from '../../errors.ts'
import { writePrivate } from '../../files/private-file.ts'
import { realPath } from '../../files/real-path.ts'
import { decodeLayout, encodeLayout } from '../../package/format/layout.ts'
import { gitIgnore } from '../../package/pack/excludes.ts'
import { bytes } from '../../text/format.ts'
import { parseMetainfo } from '../../torrent/metainfo/metainfo.ts'
import type { Context } from '../context/context.ts'
import { environmentDirectory, ownFiles, PERMIT } from '../context/local-paths.ts'
import { keyValueLines, quietly, say } from '../outcome/say.ts'
import { fileTransfer, type SourceFile, sourcePath } from './file-transfer.ts'
import { makeTransfer, sourceDirectory } from './make-transfer.ts'
import { revisionOf } from './revision.ts'
import { timeTag } from './time-tag.ts'
import type { Transfer } from './transfer.ts'
import { prepareWorkspace } from './workspace.ts'

/** A package that waits in `.shipit-murder/<environment>` for the steps to come. */
export interface StoredTransfer extends Transfer {
  /** ISO 8601. */
  created: string
  revision?: string
  /** Set when it is one file and no package. */
  source?: SourceFile
}

/** transfer.json: what else there is to know of the package beside it. */
type Description = Omit<StoredTransfer, 'file' | 'torrent' | 'entries'>

/** Beside a package: the secret of its swarm, for the seeder. */
export const SECRET = 'secret'

const KEPT = ['package', 'package.torrent', 'transfer.json', 'layout', PERMIT, SECRET] as const

/** `murder:create_torrent`: packages the workspace. What has not changed keeps its tag, unless the settings name another. */
export async function createTransfer(context: Context): Promise<StoredTransfer> {
  const { shipit, fleet, settings } = context
  const directory = environmentDirectory(shipit.environment)
  const wanted = settings.tag
  const path = sourcePath(settings)
  if (path === undefined) await prepareWorkspace(context)
  const root = path ?? sourceDirectory(context)
  const before = await loadTransfer(context)
  const draft = join(directory, `.draft-${process.pid}`)
  await mkdir(draft, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  try {
    const wish = {
      tag: wanted ?? timeTag([before?.tag]),
      root,
      directory: draft,
      peers: fleet.servers.length,
    }
    const made: Omit<StoredTransfer, 'created'> = settings.pathIsFile
      ? await fileTransfer(context, wish)
      : await makeTransfer(quietly(context), {
          ...wish,
          prefill: false,
          // The servers are not asked here: those without it are told by murder:peer.
          zstdEverywhere: settings.compression === 'zstd',
          excludes: [gitIgnore(ownFiles(root))],
        })
    const revision = path === undefined ? await revisionOf(root, shipit.config.branch ?? 'HEAD') : undefined
    const isOpen = made.secret === undefined
    const same =
      before?.infoHash === made.infoHash &&
      before.compression === made.compression &&
      isOpen === (before.secret === undefined)
    const stored: StoredTransfer = {
      ...made,
      file: join(directory, 'package'),
      tag: wanted ?? (same ? before.tag : made.tag),
      created: same ? before.created : new Date().toISOString(),
      // Whoever seeds it already goes by the secret that it had.
      ...(same && before.secret !== undefined ? { secret: before.secret } : {}),
      ...(revision === undefined ? {} : { revision }),
    }
    await store(stored, directory, draft)
    return stored
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** The description comes last: it is true of all that is there already. */
async function store(stored: StoredTransfer, directory: string, draft: string): Promise<void> {
  const { file: _, torrent, entries, ...rest } = stored
  const description: Description = rest
  const mode = 0o600
  await writeFile(join(draft, 'package.torrent'), torrent, { mode })
  await writeFile(join(draft, 'layout'), encodeLayout(entries), { mode })
  await writeFile(join(draft, 'transfer.json'), `${JSON.stringify(description, undefined, 2)}\n`, { mode })
  await rm(join(directory, 'transfer.json'), { force: true })
  if (description.secret === undefined) await rm(join(directory, SECRET), { force: true })
  else await writePrivate(join(directory, SECRET), description.secret)
  for (const name of ['package', 'package.torrent', 'layout', 'transfer.json']) {
    await rename(join(draft, name), join(directory, name))
  }
}

/** What was packaged last for this environment; undefined when there is nothing, or only half of it. */
export async function loadTransfer({ shipit }: Pick<Context, 'shipit'>): Promise<StoredTransfer | undefined> {
  const directory = environmentDirectory(shipit.environment)
  try {
    const read = (name: string) => readFileSync(join(directory, name))
    const described = JSON.parse(read('transfer.json').toString()) as Description
    const torrent = read('package.torrent')
    if (parseMetainfo(torrent).infoHash !== described.infoHash) return undefined
    const entries = decodeLayout(read('layout').toString())
    return { ...described, file: join(directory, 'package'), torrent, entries }
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError || error instanceof MurderError) {
      return undefined
    }
    throw error
  }
}

/**
 * Removes package and torrent, and the fetched workspace; whether there was anything. Behind a link may be what is somebody
 * else's: of that only a package goes that is certainly one.
 */
export async function removeTransfer({ shipit }: Pick<Context, 'shipit'>): Promise<boolean> {
  const directory = environmentDirectory(shipit.environment)
  const workspace = join(directory, 'workspace')
  const before = await loadTransfer({ shipit })
  const isOwn = isOwnDirectory(directory)
  if (!isOwn && before === undefined) return false
  const torrents = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.torrent'))
  for (const name of [...KEPT, ...(isOwn ? torrents : [])]) await removeFile(join(directory, name))
  const isConfigured = realPath(shipit.config.workspace || directory) === realPath(workspace)
  if (isOwn && !isConfigured) await rm(workspace, { recursive: true, force: true })
  try {
    await rmdir(directory)
    return true
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error
    return before !== undefined
  }
}

/** Whether no link leads out of the current directory on the way there. */
const isOwnDirectory = (directory: string): boolean =>
  realPath(directory) === join(realPath('.') ?? '', relative('.', directory))

/** A directory of that name is none of ours. */
async function removeFile(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined)
  if (!stats?.isDirectory()) await rm(path, { force: true })
}

export function sayPackage(context: Context, transfer: StoredTransfer): void {
  const { tag, length, infoHash, file, compression, sha256, torrent } = transfer
  const pieces = parseMetainfo(torrent).pieces.length / 20
  say(
    context,
    keyValueLines(`Packaged ${tag}`, [
      ['size', `${bytes(length)} in ${pieces} pieces${compression === 'none' ? '' : `, ${compression}`}`],
      ['infohash', infoHash],
      ['path', file],
    ]),
    'packaged',
    { tag, length, pieces, compression, infoHash, sha256, path: file },
  )
}
