import { join } from 'node:path'
import { isKept } from '../../package/delta/base/kept-base.ts'
import { newKey } from '../../package/format/cipher.ts'
import { defined } from '../../system/defined.ts'
import { packagePath } from '../transfer/transfer.ts'
import type { BaseGroup } from './group-by-base.ts'

/** A group of servers with one base, the place of its delta, and what is known about the base. */
export interface WantedDelta extends BaseGroup {
  directory: string
  bases: string
  isKept: boolean
  key: string | undefined
}

/** `directory`: of this deploy on the deploy host. `bases`: where this machine keeps what it knows about bases. */
export function wantedDeltas(
  groups: readonly BaseGroup[],
  { directory, bases, encrypt }: { directory: string; bases: string; encrypt: boolean },
): WantedDelta[] {
  return groups.map((group, index) => {
    const own = join(directory, `delta-${index}`)
    const kept = isKept(bases, group.id)
    return {
      ...group,
      directory: own,
      bases: kept ? bases : join(own, 'bases'),
      isKept: kept,
      key: encrypt ? newKey() : undefined,
    }
  })
}

/** The delta as the process that makes it needs to know it. */
export const outputOf = ({ id, directory, key }: WantedDelta) => ({
  id,
  output: packagePath(directory),
  ...defined({ key }),
})
