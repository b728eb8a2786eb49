import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const LICENCE_FILE = /^(licen[cs]e|copying)([.-].*)?$/i

/**
 * The licences of every package that has code in these bundles, as one text.
 *
 * @param {string} root the repository
 * @param {import('esbuild').Metafile[]} metafiles with input paths relative to it
 * @throws when a package states no licence
 */
export async function licences(root, metafiles) {
  const entries = await Promise.all(bundledFolders(metafiles).map((folder) => licence(join(root, folder))))
  return `Licences of the software bundled in dist/murder.mjs, dist/index.js and dist/index.cjs.\n\n${[...new Set(entries)].join('\n')}`
}

/** Folders of the packages that have code in these bundles, in order. */
export function bundledFolders(metafiles) {
  const inputs = metafiles.flatMap((metafile) =>
    Object.values(metafile.outputs).flatMap((output) =>
      Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
    ),
  )
  return [...new Set(inputs.map(([path]) => packageFolder(path)).filter(Boolean))].sort()
}

/** `node_modules/a/node_modules/@b/c/lib/d.js` → `node_modules/a/node_modules/@b/c` */
function packageFolder(path) {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]
}

async function licence(folder) {
  const { name, version, license, licenses } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  )
  const id = license?.type ?? license ?? licenses?.map(({ type }) => type).join(' OR ')
  const file = (await readdir(folder)).find((entry) => LICENCE_FILE.test(entry))
  if (!id && !file) throw new Error(`${name} states no licence`)
  const text = file ? (await readFile(join(folder, file), 'utf8')).trim() : '(no licence text in the package)'
  return `${'='.repeat(80)}\n${name} ${version} (${id ?? 'see below'})\n${'-'.repeat(80)}\n${text}\n`
}
