import { posix } from 'node:path'
import { ExitCode, MurderError } from '../../errors.ts'
import type { ReceiveOrder } from '../../protocol/order.ts'
import type { TaskContext } from '../context/context.ts'
import { deployToOf, placesOf } from '../paths/places.ts'
import { releasesPath } from '../paths/server-paths.ts'
import type { StoredTransfer } from '../transfer/stored-transfer.ts'

/** Where servers unpack a transfer: as a release, unless the settings of Twitter's Murder name another place. */
export interface UnpackTarget {
  /** The directory or the file to make. */
  path: string
  /** Whether it is one of `deployTo`'s releases. */
  release: boolean
  /** What to do with files that are in the directory already. */
  existing: 'refuse' | 'merge' | 'replace'
  /** Set when one file travels as it is, not a package. */
  file?: NonNullable<ReceiveOrder['place']>
}

/** Throws SETTINGS when the settings do not fit each other or the packaged content. */
export function unpackTargetOf(
  context: Pick<TaskContext, 'fleet' | 'settings' | 'shipit'>,
  { tag, source }: StoredTransfer,
): UnpackTarget {
  const { settings, shipit } = context
  const { destinationPath, noTagDirectory, pathIsFile, unsafePleaseDelete } = settings
  if (source) {
    if (destinationPath === undefined)
      throw wrong('murder.destinationPath is not set: a file needs a path', 'set it to the path of the file')
    const file = { path: destinationPath, ...source }
    return { path: destinationPath, release: false, existing: 'replace', file }
  }
  if (pathIsFile) throw wrong(`murder.pathIsFile is set, but ${tag} was packaged without it`, PACKAGE_AGAIN)
  if (destinationPath === undefined) {
    const lone = noTagDirectory ? 'noTagDirectory' : unsafePleaseDelete ? 'unsafePleaseDelete' : undefined
    if (lone !== undefined)
      throw wrong(`murder.${lone} needs murder.destinationPath`, 'set that too, or leave this out')
    return {
      path: posix.join(releasesPath(deployToOf(shipit)), tag),
      release: true,
      existing: 'refuse',
    }
  }
  const path = noTagDirectory ? destinationPath : posix.join(destinationPath, tag)
  const existing = unsafePleaseDelete ? 'replace' : noTagDirectory ? 'merge' : 'refuse'
  if (existing !== 'refuse') assertHarmless(context, path)
  return { path, release: false, existing }
}

const PACKAGE_AGAIN = 'run murder:create_torrent with the same settings first'

/** A directory that is emptied or written over must hold neither this plugin's own files nor the releases, on no server. */
function assertHarmless(context: Pick<TaskContext, 'fleet' | 'settings' | 'shipit'>, path: string): void {
  const target = posix.join(posix.resolve(path), '/')
  const own = context.fleet.servers.flatMap((server) => {
    const { remotePath, temporaryPath, deployTo } = placesOf(context, server)
    return [remotePath, temporaryPath, deployTo]
  })
  const held = own.find((each) => posix.join(posix.resolve(each), '/').startsWith(target))
  if (held === undefined) return
  throw wrong(`murder.destinationPath is ${path}, which holds ${held}`, 'choose a directory of its own')
}

const wrong = (message: string, cure: string) =>
  new MurderError('SETTINGS', message, { exitCode: ExitCode.usage, cure })
