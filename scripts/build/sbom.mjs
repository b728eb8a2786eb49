import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bundledFolders } from './licences.mjs'

/**
 * What is bundled into the agent, as a CycloneDX 1.6 document: names, versions, licences, and the hashes of the
 * lockfile. Nothing in it depends on the clock: the same build gives the same bytes.
 *
 * @param {string} root the repository
 * @param {import('esbuild').Metafile} metafile the agent's
 */
export async function sbom(root, metafile) {
  const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'))
  const components = bundledFolders([metafile]).map((folder) => component(folder, packages[folder]))
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        ...identity(own.name, own.version),
        type: 'application',
        licenses: [{ license: { id: own.license } }],
      },
    },
    components,
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** `locked` is the package's entry in the lockfile. */
function component(folder, locked) {
  if (!locked?.integrity) throw new Error(`${folder} is bundled, but package-lock.json has no hash of it`)
  const name = locked.name ?? folder.replace(/^.*node_modules\//, '')
  return {
    ...identity(name, locked.version),
    type: 'library',
    ...(locked.license ? { licenses: [{ license: { id: locked.license } }] } : {}),
    hashes: locked.integrity.split(' ').map(hash),
    externalReferences: [{ type: 'distribution', url: locked.resolved }],
  }
}

function identity(name, version) {
  const purl = `pkg:npm/${name.replace(/^@/, '%40')}@${version}`
  return { 'bom-ref': purl, name, version, purl }
}

/** `sha512-<base64>` */
function hash(integrity) {
  const [algorithm, content] = integrity.split('-')
  return { alg: algorithm.replace(/^sha/, 'SHA-'), content: Buffer.from(content, 'base64').toString('hex') }
}
