// Writes which Node is brought to servers into src/deploy/node/build.ts, after it has compared what npm carries with what Node's own
// release list says. Usage: node scripts/pin-node.mjs 24.22.3. NODEJS_ORG_MIRROR may name another copy of nodejs.org/dist.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail, root } from './lib.mjs'

const DIST = process.env.NODEJS_ORG_MIRROR ?? 'https://nodejs.org/dist'
const FILE = join(root, 'src/deploy/node/build.ts')
const MAX_BYTES = 400 << 20

const sha256 = (content) => createHash('sha256').update(content).digest('hex')

async function download(path) {
  const url = `${DIST}/${path}`
  const response = await fetch(url).catch((error) => fail(`${url}: ${error.cause?.message ?? error.message}`))
  if (!response.ok) fail(`${url}: HTTP ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

const programIn = (archive, path) => execFileSync('tar', ['-xzOf', archive, path], { maxBuffer: MAX_BYTES })

/** The SHA-256 of `bin/node`, the same in both archives. */
async function pin(version, arch, list, directory) {
  const name = `node-v${version}-linux-${arch}`
  const listed = list.find((line) => line.endsWith(`  ${name}.tar.gz`))?.split(' ')[0]
  if (!listed) fail(`${name}.tar.gz is not in the release list`)
  const content = await download(`v${version}/${name}.tar.gz`)
  if (sha256(content) !== listed) fail(`${name}.tar.gz is not the one of the release list`)
  const archive = join(directory, `${arch}.tar.gz`)
  writeFileSync(archive, content)
  const official = sha256(programIn(archive, `${name}/bin/node`))
  const words = [
    'pack',
    `node-linux-${arch}@${version}`,
    '--pack-destination',
    directory,
    '--ignore-scripts',
    '--silent',
  ]
  const packed = execFileSync('npm', words, { encoding: 'utf8' }).trim()
  const carried = sha256(programIn(join(directory, packed), 'package/bin/node'))
  if (carried !== official) fail(`node-linux-${arch}@${version} carries another program than ${name}.tar.gz`)
  console.log(`${arch}: ${official}`)
  return official
}

const [version = ''] = process.argv.slice(2)
if (!/^\d+\.\d+\.\d+$/.test(version)) fail('usage: node scripts/pin-node.mjs 24.22.3')
const directory = mkdtempSync(join(tmpdir(), 'pin-node-'))
try {
  const list = (await download(`v${version}/SHASUMS256.txt`)).toString().split('\n')
  let text = readFileSync(FILE, 'utf8').replace(/version: 'v[\d.]+'/, `version: 'v${version}'`)
  for (const arch of ['x64', 'arm64']) {
    const digest = await pin(version, arch, list, directory)
    text = text.replace(
      new RegExp(`(package: 'node-linux-${arch}',\\s*sha256: ')[0-9a-f]{64}`),
      `$1${digest}`,
    )
  }
  writeFileSync(FILE, text)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
