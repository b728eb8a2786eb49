import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { MANIFEST, type Manifest } from '../../attributes/entry.ts'
import { sha256OfFile } from '../../files/hash.ts'
import { defined } from '../../system/defined.ts'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'
import { type FileCheck, verifyContent } from '../../torrent/storage/verify.ts'
import {
  embeddedManifest,
  hasManifest,
  hasStandardAttributes,
  manifestOfTorrent,
} from './torrent-manifest.ts'

export interface Verified {
  path: string
  state: 'same' | 'different' | 'missing'
  /** Attributes that differ, if the content is the same. */
  differences?: string[]
}

/**
 * Compares a file or a directory with its torrent: the content, and with `attributes` modes, times, symlinks and so on. Files
 * that share a piece with a wrong one are told apart by their own hash where the manifest has it.
 */
export async function verifyTarget(
  metainfo: Metainfo,
  path: string,
  options: { attributes: boolean; signal: AbortSignal; onProgress: (done: number, total: number) => void },
): Promise<Verified[]> {
  const checks = await verifyContent(metainfo, path, options)
  const manifest = await findManifest(metainfo, path, checks)
  const hashes = new Map(manifest?.entries.map(({ path, sha256 }) => [path, sha256]))
  const files = new Map<string, Verified>()
  for (const check of checks) {
    // The torrent itself holds the manifest, so the original directory needs no such file.
    if (check.path === MANIFEST && metainfo.manifest && check.state !== 'different') continue
    const sure =
      check.state === 'unsure'
        ? await compareHash(join(path, check.path), hashes.get(check.path))
        : check.state
    files.set(check.path, { path: check.path, state: sure })
  }
  if (!options.attributes) return [...files.values()]
  if (hasStandardAttributes(metainfo)) await addStandardAttributes(path, metainfo, files)
  if (!manifest) return [...files.values()]
  return withAttributes(path, manifest, files)
}

async function findManifest(
  metainfo: Metainfo,
  path: string,
  checks: FileCheck[],
): Promise<Manifest | undefined> {
  if (!hasManifest(metainfo)) return undefined
  if (metainfo.manifest) return manifestOfTorrent(metainfo, embeddedManifest(metainfo))
  const own = checks.find((check) => check.path === MANIFEST)
  return own?.state === 'same' ? manifestOfTorrent(metainfo, readFileSync(join(path, MANIFEST))) : undefined
}

async function compareHash(path: string, wanted: string | undefined): Promise<'same' | 'different'> {
  return wanted !== undefined && (await sha256OfFile(path)) === wanted ? 'same' : 'different'
}

async function addStandardAttributes(
  root: string,
  metainfo: Metainfo,
  files: Map<string, Verified>,
): Promise<void> {
  const { compareStandardAttributes } = await import('./standard-attributes.ts')
  for (const check of compareStandardAttributes(root, metainfo)) {
    const path = check.path || metainfo.name
    if ((files.get(path)?.state ?? 'same') === 'same') files.set(path, { ...check, path })
  }
}

async function withAttributes(
  path: string,
  manifest: Manifest,
  files: Map<string, Verified>,
): Promise<Verified[]> {
  const { compareManifest } = await import('../../attributes/compare.ts')
  const root = existsSync(path) ? realpathSync(path) : path
  for (const { path: own, type, state, differences } of await compareManifest(root, manifest)) {
    const file = files.get(own)
    if (type !== 'file')
      files.set(own, {
        path: own,
        state,
        ...defined({ differences: differences.length > 0 ? differences : undefined }),
      })
    else if (file?.state === 'same' && state !== 'same')
      files.set(own, { path: own, state: 'different', differences })
  }
  return [...files.values()]
}
