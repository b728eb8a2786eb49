import { shown } from '../files/entry.ts'
import { badManifest, MANIFEST, type Manifest } from './entry.ts'

/** Throws BAD_MANIFEST unless a manifest has exactly the files of its torrent, and each with its length. */
export function checkFiles(manifest: Manifest, files: { path: string[]; length: number }[]): void {
  const lengths = new Map(files.map(({ path, length }) => [path.join('/'), length]))
  lengths.delete(MANIFEST)
  for (const { path, type, size } of manifest.entries) {
    if (type !== 'file') continue
    if (lengths.get(path) !== size)
      throw misfit(`${shown(path)} is no file of the torrent, or of another length`)
    lengths.delete(path)
  }
  const [missing] = lengths.keys()
  if (missing !== undefined) throw misfit(`${shown(missing)} is not among them`)
}

const misfit = (why: string) => badManifest('do not fit the torrent', why)
