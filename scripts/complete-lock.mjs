// Adds the builds for other systems to package-lock.json. npm leaves out optional packages that the registry in use doesn't
// have (mirrors often lack other systems' builds), and `npm ci` then refuses the file everywhere. Run it after changing dependencies. Usage: node scripts/complete-lock.mjs [--check]
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, root } from './lib.mjs'

const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const file = join(root, 'package-lock.json')
const lock = JSON.parse(await readFile(file, 'utf8'))

/** Whether `name`, required by the package at `path`, has an entry: beside it or in a folder above. */
function locked(path, name) {
  for (let folder = path; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (lock.packages[`${folder}${folder && '/'}node_modules/${name}`]) return true
    if (folder === '') return false
  }
}

/** `@rollup/rollup-linux-x64-musl` → `{ os: ['linux'], cpu: ['x64'], libc: ['musl'] }` */
function platform(name) {
  const [os, cpu, abi] = name.slice(name.search(new RegExp(`\\b(${SYSTEMS.join('|')})-`))).split('-')
  if (!SYSTEMS.includes(os) || !cpu) fail(`package-lock.json lacks ${name}, whose system isn't in its name`)
  const libc = os === 'linux' && cpu !== 'arm' && { gnu: 'glibc', musl: 'musl' }[abi]
  return { os: [os], cpu: [cpu], ...(libc && { libc: [libc] }) }
}

const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {}, dev }]) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !locked(path, name))
    .map(([name, version]) => ({ name, version, dev })),
)
if (process.argv.includes('--check') && missing.length > 0) {
  fail(
    `package-lock.json lacks ${missing.length} builds for other systems: run node scripts/complete-lock.mjs`,
  )
}
for (const { name, version, dev } of missing) {
  const { os, cpu, libc } = platform(name)
  lock.packages[`node_modules/${name}`] = {
    version,
    cpu,
    ...(dev && { dev }),
    ...(libc && { libc }),
    optional: true,
    os,
  }
}
if (missing.length > 0) {
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
  await writeFile(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
  console.log(`package-lock.json: added ${missing.map(({ name }) => name).join(', ')}`)
}
