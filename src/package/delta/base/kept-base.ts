import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { badSignature } from '../format/errors.ts'
import type { EarlierRelease } from '../match/earlier-release.ts'
import { KeptContent, keepContentOf } from './kept-content.ts'
import { openSignature } from './signature.ts'

/** What the deploy host keeps of a release, in a directory of its id: its signature, and of the last one also the content. */
export const SIGNATURE = 'signature'
const MAX_BASES = 10
const ID = /^[0-9a-f]{64}$/

export interface KeptBase extends EarlierRelease {
  /** As a signature has the blocks of the file with this index. */
  rowsOf(index: number): Buffer | undefined
  content: KeptContent
  close(): void
}

export const signaturePath = (directory: string, id: string): string => join(directory, id, SIGNATURE)

/** Whether this base is kept in `directory`. */
export const isKept = (directory: string, id: string): boolean =>
  statSync(signaturePath(directory, id), { throwIfNoEntry: false })?.isFile() === true

/** Throws BAD_SIGNATURE, and what the file system throws. */
export async function openKept(directory: string, id: string): Promise<KeptBase> {
  const signature = await openSignature(signaturePath(directory, id))
  const { manifest, blocksOf, rowsOf } = signature
  if (manifest.id !== id) {
    signature.close()
    throw badSignature('it is of another release')
  }
  const content = KeptContent.of(directory, id)
  return {
    manifest,
    blocksOf,
    rowsOf,
    content,
    open(index) {
      const entry = manifest.entries[index]
      return entry && content.open(entry)
    },
    close: () => signature.close(),
  }
}

/** Ids, the newest first. */
export function keptIds(directory: string): string[] {
  const timeOf = (id: string) =>
    statSync(signaturePath(directory, id), { throwIfNoEntry: false })?.mtimeMs ?? 0
  return readdirSync(directory)
    .filter((name) => ID.test(name))
    .map((id) => ({ id, time: timeOf(id) }))
    .sort((a, b) => b.time - a.time)
    .map(({ id }) => id)
}

/** Forgets what is too old. Content stays only of the newest. */
export function forgetOld(directory: string, newest: string): void {
  const others = keptIds(directory).filter((id) => id !== newest)
  for (const id of others.splice(MAX_BASES - 1)) rmSync(join(directory, id), { recursive: true, force: true })
  keepContentOf(directory, newest, others)
}
