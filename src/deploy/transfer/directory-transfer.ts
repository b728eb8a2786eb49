import { MANIFEST } from '../../attributes/entry.ts'
import { encodeManifest } from '../../attributes/mtree/encode.ts'
import type { Settings } from '../../config/schema.ts'
import { ExitCode, MurderError } from '../../errors.ts'
import { sha256Of } from '../../files/hash.ts'
import { manifestOf } from '../../package/delta/format/manifest.ts'
import { either } from '../../system/abort.ts'
import { defined } from '../../system/defined.ts'
import { createTorrent } from '../../torrent/metainfo/create.ts'
import { choosePieceLength } from '../../torrent/metainfo/piece-length.ts'
import type { TaskContext } from '../context/context.ts'
import { extentOf, linkInstead, type PackageSpec, type Transfer, transferOf } from './transfer.ts'
import { type MakeOptions, otherContent } from './whole-package.ts'

/** Owners do not travel with a release: it belongs to the user who unpacks it. */
const NO_OWNER = { uid: 0, gid: 0 }

/**
 * A release as it is: the torrent of its files and of a manifest with everything else. Each file is read once and nothing is
 * copied: a link to the directory takes the place of the package. The directory must not change while it is seeded.
 */
export async function directoryTransfer(
  { settings, signal }: Pick<TaskContext, 'settings' | 'signal'>,
  spec: PackageSpec,
  { id, onProgress, signal: own }: MakeOptions = {},
): Promise<Transfer> {
  const { root, peers, entries } = spec
  refuseOthers(settings)
  const listed = entries.map((entry) => ({ ...entry, ...NO_OWNER }))
  const files = listed.filter(({ type }) => type === 'file')
  const size = files.reduce((sum, file) => sum + file.size, 0)
  let sha256 = ''
  const torrent = await createTorrent({
    source: root,
    name: 'release',
    trackers: [],
    files: files.map((file) => ({ path: file.path.split('/'), length: file.size })),
    lastFile: {
      name: MANIFEST,
      content(digests) {
        const digestOf = new Map(files.map((file, index) => [file, digests[index] as string]))
        const hashed = listed.map((entry) => {
          const digest = digestOf.get(entry)
          return digest === undefined ? entry : { ...entry, sha256: digest }
        })
        if (id !== undefined && manifestOf(hashed).id !== id) throw otherContent()
        const manifest = encodeManifest({ entries: hashed, hasXattrs: false })
        sha256 = sha256Of(manifest)
        return manifest
      },
    },
    pieceLength: settings.pieceLength ?? choosePieceLength(size, peers),
    signal: either(signal, own),
    ...defined({ onProgress }),
  })
  await linkInstead(spec)
  return transferOf(settings, spec, {
    torrent,
    sha256,
    compression: 'none',
    extent: extentOf(entries),
    directory: true,
  })
}

function refuseOthers({ encrypt, seeder }: Settings): void {
  const why = encrypt
    ? 'murder.encrypt is for a package that is one file'
    : seeder === 'local'
      ? undefined
      : `murder.seeder is ${seeder}, and a directory is only seeded where it is`
  if (why === undefined) return
  throw new MurderError('SETTINGS', `murder.package is 'directory', but ${why}`, {
    cure: "leave one of them out, or set murder.package to 'file'",
    exitCode: ExitCode.usage,
  })
}
