// Installs the dependencies when they are missing or not those of package-lock.json. Needs nothing but Node and npm.
// Usage: node scripts/ensure-install.mjs
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, npm, root } from './lib.mjs'

const OLDEST = [20, 19]

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return
  fail(`Node ${process.versions.node} is too old: this project needs ${OLDEST.join('.')} or newer`)
}

async function packages(lockfile) {
  try {
    return JSON.parse(await readFile(join(root, lockfile), 'utf8')).packages
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/** npm lists what it has installed in node_modules/.package-lock.json. The contents are compared, so clocks don't matter. */
async function installed() {
  const [wanted, present] = await Promise.all(
    ['package-lock.json', 'node_modules/.package-lock.json'].map(packages),
  )
  if (!wanted) fail('package-lock.json is missing: this is not a whole checkout')
  if (!present) return false
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true
    const found = present[path]
    // An optional package may be for another system.
    return found ? found.version === version && found.integrity === integrity : optional === true
  })
}

checkNode()
if (!(await installed())) {
  console.log('Installing dependencies (npm ci)')
  npm('ci', '--no-audit', '--no-fund', '--include=dev', '--fetch-retries=5')
}
