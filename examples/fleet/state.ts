import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isSystemError, MurderError } from '../../src/errors.ts'
import type { ExampleFleet, Remote } from './index.ts'

/** What others need to know of a running fleet: the content of its state file. */
export interface FleetState {
  /** The process that the servers run in. */
  pid: number
  /** Path of the private key that may log in to all of them. */
  key: string
  /** A path that is every server's own home. */
  home: string
  servers: Remote[]
}

/** Written whole, because others wait for the file. */
export function writeFleetState(file: string, { keyPath, home, remotes }: ExampleFleet): void {
  const state: FleetState = { pid: process.pid, key: keyPath, home, servers: remotes }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.part`, `${JSON.stringify(state, undefined, 2)}\n`)
  renameSync(`${file}.part`, file)
}

export function removeFleetState(file: string): void {
  rmSync(file, { force: true })
}

/** The running fleet of the file; undefined when none runs. Throws FLEET_FILE when the file is something else. */
export function readFleetState(file: string): FleetState | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
  const state = parse(text)
  if (!state) {
    throw new MurderError('FLEET_FILE', `${file} is not the state of a fleet`, { cure: 'remove it' })
  }
  return isRunning(state.pid) ? state : undefined
}

function parse(text: string): FleetState | undefined {
  try {
    const state = JSON.parse(text) as Partial<FleetState> | null
    return Number.isInteger(state?.pid) && state?.key && state.home && state.servers
      ? (state as FleetState)
      : undefined
  } catch {
    return undefined
  }
}

/** A fleet that was killed leaves its file behind. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isSystemError(error, 'EPERM')
  }
}
