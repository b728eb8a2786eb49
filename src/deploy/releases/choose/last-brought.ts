import { readFileSync, rmSync } from 'node:fs'
import { explain, isSystemError } from '../../../errors.ts'
import { writePrivate } from '../../../files/private-file.ts'
import { isTag } from '../../../protocol/tag.ts'
import type { Shipit } from '../../../shipit.ts'
import { broughtFile } from '../../paths/local-paths.ts'

/**
 * The release that `murder:peer` was last asked to bring, for a later `deploy:publish` by itself. Only the servers know whether
 * they have it.
 */
export interface LastBrought {
  tag: string
  /** SHA-256 of its package. */
  sha256: string
  /** ISO 8601. */
  when: string
}

/** Call this before anything is brought: when that fails, the release before is no longer the one to publish. */
export async function saveLastBrought(
  environment: string,
  { tag, sha256 }: Omit<LastBrought, 'when'>,
): Promise<void> {
  const brought: LastBrought = { tag, sha256, when: new Date().toISOString() }
  await writePrivate(broughtFile(environment), `${JSON.stringify(brought, undefined, 2)}\n`)
}

/** Undefined when there is no file, or not one that this plugin has written. */
export function loadLastBrought(environment: string): LastBrought | undefined {
  try {
    const found = JSON.parse(readFileSync(broughtFile(environment), 'utf8')) as Partial<LastBrought> | null
    const { tag, sha256, when } = found ?? {}
    if (typeof tag !== 'string' || !isTag(tag)) return undefined
    if (typeof sha256 !== 'string' || typeof when !== 'string') return undefined
    return { tag, sha256, when }
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Called when another release is live: a later `deploy:publish` by itself must not publish an earlier one. */
export function forgetBroughtBefore(shipit: Shipit, published: string): void {
  try {
    if (loadLastBrought(shipit.environment)?.tag !== published)
      rmSync(broughtFile(shipit.environment), { force: true })
  } catch (error) {
    shipit.log(`A deploy:publish alone may lead back to what murder:peer has brought: ${explain(error)}`)
  }
}
