import { readFileSync, rmSync } from 'node:fs'
import { explain, isSystemError } from '../../errors.ts'
import { writePrivate } from '../../files/private-file.ts'
import { isTag } from '../../protocol/tag.ts'
import type { Context } from '../context/context.ts'
import { broughtFile } from '../context/local-paths.ts'

/** The release that `murder:peer` was told to bring last, for a `deploy:publish` alone. Whether servers have it, only they know. */
export interface Brought {
  tag: string
  /** Of the package that it is made of. */
  sha256: string
  /** ISO 8601. */
  when: string
}

/** Before anything is brought: when that fails, what was brought before is not what is meant any more. */
export async function noteBrought(
  { shipit }: Context,
  { tag, sha256 }: Omit<Brought, 'when'>,
): Promise<void> {
  const brought: Brought = { tag, sha256, when: new Date().toISOString() }
  await writePrivate(broughtFile(shipit.environment), `${JSON.stringify(brought, undefined, 2)}\n`)
}

/** Undefined where there is nothing, or nothing that this plugin has written. */
export function loadBrought(environment: string): Brought | undefined {
  try {
    const found = JSON.parse(readFileSync(broughtFile(environment), 'utf8')) as Partial<Brought> | null
    const { tag, sha256, when } = found ?? {}
    if (typeof tag !== 'string' || !isTag(tag)) return undefined
    if (typeof sha256 !== 'string' || typeof when !== 'string') return undefined
    return { tag, sha256, when }
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Another release is live now: a `deploy:publish` alone must not lead back to what was brought before. */
export function forgetBroughtBefore({ shipit }: Context, published: string): void {
  const file = broughtFile(shipit.environment)
  try {
    if (loadBrought(shipit.environment)?.tag !== published) rmSync(file, { force: true })
  } catch (error) {
    shipit.log(`A deploy:publish alone may lead back to what murder:peer has brought: ${explain(error)}`)
  }
}
