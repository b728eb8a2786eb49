import { readFileSync } from 'node:fs'
import { chmod, lstat, mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { isSystemError, MurderError } from '../../errors.ts'
import { realPath } from '../../files/directories/real-path.ts'
import { writePrivate } from '../../files/private-file.ts'
import { defined } from '../../system/defined.ts'
import { bytes } from '../../text/format.ts'
import { parseMetainfo } from '../../torrent/metainfo/metainfo.ts'
import type { TaskContext } from '../context/context.ts'
import { keyValueLines, quietly, say } from '../outcome/say.ts'
import { environmentDirectory, PERMIT } from '../paths/local-paths.ts'
import { compressionNote } from './compression-note.ts'
import { fileTransfer, type SourceFile, sourcePath } from './file-transfer.ts'
import { makeTransfer, sourceDirectory } from './make-transfer.ts'
import { timeTag } from './time-tag.ts'
import { packagePath, SECRET, type Transfer } from './transfer.ts'
import { prepareWorkspace } from './workspace/prepare-workspace.ts'
import { revisionOf } from './workspace/revision.ts'

/** A package that is stored in `.shipit-murder/<environment>` for later steps. */
export interface StoredTransfer extends Transfer {
  /** ISO 8601. */
  created: string
  revision?: string
  /** Set when it is one file and no package. */
  source?: SourceFile
}

/** The content of transfer.json: facts that package and torrent do not contain. */
type Description = Omit<StoredTransfer, 'file' | 'torrent'>

/** `layout` is an earlier version's. */
const KEPT = ['package', 'package.torrent', 'transfer.json', 'layout', PERMIT, SECRET] as const

/** `murder:create_torrent`: packages the workspace. An unchanged package keeps its tag, unless the settings name another. */
export async function createTransfer(context: TaskContext): Promise<StoredTransfer> {
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
    const tag = wanted ?? timeTag([before?.tag])
    const spec = { tag, root, directory: draft, peers: fleet.servers.length }
    const made: Omit<StoredTransfer, 'created'> = settings.pathIsFile
      ? await fileTransfer(context, spec)
      : await makeTransfer(quietly(context), {
          ...spec,
          // The servers are not asked here. murder:peer refuses those without zstd.
          zstdEverywhere: settings.compression === 'zstd',
        })
    const revision = path === undefined ? await revisionOf(shipit) : undefined
    const same =
      before?.infoHash === made.infoHash &&
      before.compression === made.compression &&
      (before.secret === undefined) === (made.secret === undefined)
    const stored: StoredTransfer = {
      ...made,
      file: packagePath(directory),
      tag: wanted ?? (same ? before.tag : made.tag),
      created: same ? before.created : new Date().toISOString(),
      // A seeder that runs already knows the secret that it had.
      ...(same ? defined({ secret: before.secret }) : {}),
      ...defined({ revision }),
    }
    await store(stored, directory, draft)
    const note = compressionNote(settings, stored)
    if (note !== undefined) say(context, note)
    return stored
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** The description is written last, when everything that it describes exists. */
async function store(stored: StoredTransfer, directory: string, draft: string): Promise<void> {
  const { file: _, torrent, ...rest } = stored
  const description: Description = rest
  const write = (name: string, content: Buffer | string) =>
    writeFile(join(draft, name), content, { mode: 0o600 })
  await write('package.torrent', torrent)
  await write('transfer.json', `${JSON.stringify(description, undefined, 2)}\n`)
  await rm(join(directory, 'transfer.json'), { force: true })
  if (description.secret === undefined) await rm(join(directory, SECRET), { force: true })
  else await writePrivate(join(directory, SECRET), description.secret)
  for (const name of ['package', 'package.torrent', 'transfer.json']) {
    await rename(join(draft, name), join(directory, name))
  }
}

/** The last package of this environment; undefined when there is none, or it is incomplete or an earlier version's. */
export async function loadTransfer({
  shipit,
}: Pick<TaskContext, 'shipit'>): Promise<StoredTransfer | undefined> {
  const directory = environmentDirectory(shipit.environment)
  try {
    const read = (name: string) => readFileSync(join(directory, name))
    const described = JSON.parse(read('transfer.json').toString()) as Description
    const torrent = read('package.torrent')
    const isOurs = parseMetainfo(torrent).infoHash === described.infoHash && described.extent !== undefined
    return isOurs ? { ...described, file: packagePath(directory), torrent } : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError || error instanceof MurderError)
      return undefined
    throw error
  }
}

/**
 * Removes package, torrent and fetched workspace. Returns whether there was anything. If a link leads to a foreign directory,
 * only files that are certainly a package are removed.
 */
export async function removeTransfer({ shipit }: Pick<TaskContext, 'shipit'>): Promise<boolean> {
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

/** Whether the path stays inside the current directory, whatever links it contains. */
const isOwnDirectory = (directory: string): boolean =>
  realPath(directory) === join(realPath('.') ?? '', relative('.', directory))

/** Leaves a directory of that name alone, because this plugin did not make it. */
async function removeFile(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined)
  if (!stats?.isDirectory()) await rm(path, { force: true })
}

export function sayPackage(context: Pick<TaskContext, 'display' | 'shipit'>, transfer: StoredTransfer): void {
  const { tag, length, infoHash, file, compression, sha256, torrent } = transfer
  const pieces = parseMetainfo(torrent).pieces.length / 20
  const text = keyValueLines(`Packaged ${tag}`, [
    ['size', `${bytes(length)} in ${pieces} pieces${compression === 'none' ? '' : `, ${compression}`}`],
    ['infohash', infoHash],
    ['path', file],
  ])
  say(context, text, 'packaged', { tag, length, pieces, compression, infoHash, sha256, path: file })
}
