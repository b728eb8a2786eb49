import { readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { MANIFEST, type Manifest } from '../../attributes/entry.ts'
import { MurderError } from '../../errors.ts'
import { sha256OfFile } from '../../files/hash.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'
import type { ContentJob } from '../runs/job.ts'

const manifestFile = ({ files, singleFile }: Metainfo) =>
  singleFile ? undefined : files.find(({ path }) => path.length === 1 && path[0] === MANIFEST)

/** Whether attributes travel with the content. */
export const hasManifest = (metainfo: Metainfo) => manifestFile(metainfo) !== undefined

/** Whether it has those of BEP 47, which other programs write. */
export const hasStandardAttributes = ({ files, links }: Metainfo) =>
  links.length > 0 || files.some(({ executable }) => executable)

/** The bytes of the manifest that a torrent has beside its info. Throws BAD_TORRENT when they are not those of its file. */
export function embeddedManifest(metainfo: Metainfo): Buffer {
  const length = manifestFile(metainfo)?.length
  try {
    const bytes = gunzipSync(metainfo.manifest ?? '', { maxOutputLength: (length ?? 0) + 1 })
    if (bytes.length === length) return bytes
  } catch {
    // Damaged: the same as another length, below.
  }
  throw new MurderError('BAD_TORRENT', 'the torrent holds attributes that are not those of its content', {
    exitCode: 2,
    cure: 'make it again with murder make-torrent',
  })
}

/** The attributes that `bytes` say, checked against the torrent that they came with. */
export async function manifestOfTorrent(metainfo: Metainfo, bytes: Uint8Array): Promise<Manifest> {
  const { checkFiles } = await import('../../attributes/check-files.ts')
  const { decodeManifest } = await import('../../attributes/mtree/decode.ts')
  const manifest = decodeManifest(bytes)
  checkFiles(manifest, metainfo.files)
  return manifest
}

/**
 * Finishes a directory whose content is complete: removes other files, if that was asked for, and sets attributes. Throws
 * NOT_REMOVED, but only after all else is done.
 */
export async function finishDirectory(
  { path, torrent: { metainfo }, deletesOthers, attributes }: ContentJob,
  emit: (event: AgentEvent) => void,
): Promise<void> {
  // The user may have named a symlink to the directory.
  const root = realpathSync(path)
  const manifest = hasManifest(metainfo)
    ? await manifestOfTorrent(metainfo, readFileSync(join(root, MANIFEST)))
    : undefined
  const stays = deletesOthers ? await removeAllBut(root, metainfo, manifest) : []
  if (attributes && hasStandardAttributes(metainfo)) {
    const { applyStandardAttributes } = await import('./standard-attributes.ts')
    applyStandardAttributes(root, metainfo)
  }
  if (attributes && manifest) {
    const { applyManifest } = await import('../../attributes/apply.ts')
    const { warnings } = await applyManifest(root, manifest)
    for (const message of warnings) emit({ event: 'warning', message })
  }
  if (stays.length > 0) (await import('../../files/directories/remove-tree.ts')).assertRemoved(stays)
}

async function removeAllBut(root: string, metainfo: Metainfo, manifest: Manifest | undefined) {
  const { removeOthers } = await import('./remove-others.ts')
  return removeOthers(root, [
    ...[...metainfo.files, ...metainfo.links].map(({ path }) => path.join('/')),
    ...(manifest?.entries ?? []).map(({ path }) => path),
  ])
}

/**
 * Throws OTHER_CONTENT for a file of a seeder that is not the one in the manifest. A file with the same time and length is
 * not read again.
 */
export async function refuseChangedFiles(metainfo: Metainfo, path: string): Promise<void> {
  if (!metainfo.manifest) return
  const { entries } = await manifestOfTorrent(metainfo, embeddedManifest(metainfo))
  for (const { path: own, mtime, size, sha256 } of entries) {
    if (sha256 === undefined) continue
    const file = join(path, own)
    const now = statSync(file, { bigint: true, throwIfNoEntry: false })
    if (!now || Number(now.size) !== size || now.mtimeNs === mtime) continue // lengths are checked for all torrents
    if ((await sha256OfFile(file)) === sha256) continue
    throw new MurderError(
      'OTHER_CONTENT',
      `${file} is not what the torrent describes: it has changed since`,
      {
        cure: 'make the torrent again from this content, or name the path it was made from',
      },
    )
  }
}
