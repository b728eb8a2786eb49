import { realpathSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Scan } from '../../attributes/scan.ts'
import { shown } from '../../files/entry.ts'
import type { CreateOptions } from '../../torrent/metainfo/create.ts'
import { parseMetainfo } from '../../torrent/metainfo/metainfo.ts'
import { printError } from '../cli/output.ts'
import { embeddedManifest } from './torrent-manifest.ts'

/** The files of a directory and the manifest that goes with them; nothing for a file. Prints which entries are left out. */
export async function readAttributes(
  source: string,
  exclude: string[],
  signal: AbortSignal,
): Promise<Pick<CreateOptions, 'files' | 'lastFile'>> {
  if (!statSync(source, { throwIfNoEntry: false })?.isDirectory()) return {}
  const { encodeManifest } = await import('../../attributes/mtree/encode.ts')
  const { MANIFEST } = await import('../../attributes/entry.ts')
  const { scanTree } = await import('../../attributes/scan.ts')
  const scan = await scanTree(realpathSync(source), { exclude, signal })
  for (const line of notesOn(scan)) printError(`murder: ${line}`)
  if (scan.entries.length === 1) return {}
  const files = scan.entries.filter(({ type }) => type === 'file')
  return {
    files: files.map(({ path, size }) => ({ path: path.split('/'), length: size })),
    lastFile: {
      name: MANIFEST,
      content(sha256) {
        for (const [index, file] of files.entries()) file.sha256 = sha256[index] as string
        return encodeManifest(scan)
      },
    },
  }
}

function notesOn({ leftOut, hasXattrs }: Scan): string[] {
  const [first, ...more] = leftOut
  const others = more.length > 0 ? ` and ${more.length} more` : ''
  return [
    ...(first === undefined ? [] : [`sockets, fifos and devices are left out: ${shown(first)}${others}`]),
    ...(hasXattrs
      ? []
      : ['extended attributes and ACLs are left out: there is no python3 here to read them']),
  ]
}

/** Puts the manifest of a new torrent into its directory. The directory keeps the time that the manifest has. */
export async function writeManifest(directory: string, torrent: Buffer): Promise<void> {
  const { applyManifest } = await import('../../attributes/apply.ts')
  const { decodeManifest } = await import('../../attributes/mtree/decode.ts')
  const { MANIFEST } = await import('../../attributes/entry.ts')
  const bytes = embeddedManifest(parseMetainfo(torrent))
  writeFileSync(join(directory, MANIFEST), bytes)
  const { entries } = decodeManifest(bytes)
  await applyManifest(directory, { entries: entries.slice(0, 1), hasXattrs: false })
}
