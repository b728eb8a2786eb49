import { randomBytes } from 'node:crypto'
import { nameOwnProcess } from '../../../system/process-identity.ts'
import type { LockOwner } from '../../scripts/lock-script.ts'
import { author } from '../author.ts'

/** A new lock's note of its owner. Ids begin with the time, so that the older of two deploys can be told. */
export function newOwner(kind: LockOwner['kind'], what: string): LockOwner {
  const id = `${Date.now()}-${randomBytes(6).toString('hex')}`
  const { who, when } = author()
  return { id, who, what, when, kind, process: nameOwnProcess() ?? '' }
}
