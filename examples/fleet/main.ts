import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Remote, startFleet } from './index.ts'

/** What the state file holds. */
export interface FleetState {
  pid: number
  key: string
  /** See `ExampleFleet`. */
  home: string
  servers: Remote[]
}

const usage = 'fleet [--count 5] [--root DIRECTORY] [--state FILE]'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '5' }, root: { type: 'string' }, state: { type: 'string' } },
})
const count = Number(values.count)
if (!Number.isInteger(count) || count < 1 || count > 250) {
  console.error(`--count takes 1 to 250, not ${values.count}. Usage: ${usage}`)
  process.exit(2)
}

const ownRoot = values.root === undefined
const root = resolve(values.root ?? mkdtempSync(join(tmpdir(), 'murder-fleet-')))
const stateFile = resolve(values.state ?? join(root, 'fleet.json'))
const fleet = await startFleet({ count, root })
const state: FleetState = {
  pid: process.pid,
  key: fleet.keyPath,
  home: fleet.home,
  servers: fleet.remotes,
}
// Whoever waits for the file must never see half of it.
writeFileSync(`${stateFile}.part`, `${JSON.stringify(state, undefined, 2)}\n`)
renameSync(`${stateFile}.part`, stateFile)
console.log(`${count} servers listen. Their addresses are in ${stateFile}`)

let stopping = false
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, async () => {
    if (stopping) return
    stopping = true
    await fleet.stop()
    rmSync(stateFile, { force: true })
    if (ownRoot) rmSync(root, { recursive: true, force: true })
    process.exit(0)
  })
}
