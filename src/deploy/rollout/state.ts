import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { explain, isSystemError } from '../../errors.ts'
import { writeWhole } from '../../files/write-whole.ts'
import type { Shipit } from '../../shipit.ts'
import { rolloutFile } from '../paths/local-paths.ts'

/** A rollout that has begun, for murder:resume. Servers are named by their labels. */
export interface RolloutState {
  release: string
  revision: string | null
  isNew: boolean
  isRollback: boolean
  groups: { name?: string; servers: string[] }[]
  /** How many groups are done. */
  done: number
  /** The earlier target of `current` on servers that have published. */
  links: Record<string, string>
}

/** Written before each change, so that a killed deploy leaves it. */
export function saveRollout(shipit: Shipit, state: RolloutState): void {
  const file = rolloutFile(shipit.environment)
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeWhole(file, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
  } catch (error) {
    shipit.log(`murder:resume will not know of this rollout: ${explain(error)}`)
  }
}

/** Removes the file when nothing is left to do. */
export function forgetRollout(shipit: Shipit): void {
  try {
    rmSync(rolloutFile(shipit.environment), { force: true })
  } catch (error) {
    shipit.log(`murder:resume would go on with a rollout that is over: ${explain(error)}`)
  }
}

/** Undefined when no rollout is left, or the file is not whole. */
export function loadRollout(environment: string): RolloutState | undefined {
  try {
    const state = JSON.parse(readFileSync(rolloutFile(environment), 'utf8')) as Partial<RolloutState> | null
    const isWhole = typeof state?.release === 'string' && Array.isArray(state.groups)
    return isWhole ? ({ revision: null, done: 0, links: {}, ...state } as RolloutState) : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}
