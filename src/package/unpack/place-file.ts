import { renameSync, rmSync, statSync } from 'node:fs'
import { chmod, utimes } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { MurderError } from '../../errors.ts'
import { makeDirectory } from '../../files/directories/make-directory.ts'
import { syncPath } from '../../files/directories/sync-tree.ts'
import { draftBeside } from '../../files/draft.ts'
import { stopIfAborted, unwritable } from '../../files/file-errors.ts'
import { sha256OfFile } from '../../files/hash.ts'
import { linkerBetween } from '../../files/link-or-copy.ts'
import type { PlaceOrder } from '../../protocol/order.ts'

/**
 * Moves a fetched file to its target: as a hard link where that is equivalent, so that a large file takes its space once; else as
 * a copy. A file at `path` is replaced in one step, once the SHA-256 is right. Throws WRONG_KIND, PACKAGE_WRONG, DISK_FULL,
 * NOT_WRITABLE or INTERRUPTED, and then has touched nothing.
 */
export async function placeFile(options: {
  file: string
  sha256: string
  order: PlaceOrder
  signal?: AbortSignal
}): Promise<{ path: string; bytes: number }> {
  const { file, order, signal } = options
  const path = targetOf(order)
  const draft = draftBeside(path)
  await verify(file, options.sha256, signal)
  try {
    makeDirectory(dirname(path))
    await linkerBetween(dirname(file), dirname(path))(file, draft)
    await chmod(draft, order.mode & 0o7777)
    await utimes(draft, order.mtime / 1000, order.mtime / 1000)
    await syncPath(draft)
    stopIfAborted(signal)
    renameSync(draft, path)
    await syncPath(dirname(path))
    return { path, bytes: statSync(path).size }
  } catch (cause) {
    throw unwritable(path, cause)
  } finally {
    // Needed even after the rename: renaming one hard link onto another of the same file does nothing.
    rmSync(draft, { force: true })
  }
}

/** As with `cp`, an existing directory gets the file under its own name. A device is refused. */
function targetOf({ path, name }: PlaceOrder): string {
  const target = resolve(path)
  const found = statSync(target, { throwIfNoEntry: false })
  if (!found || found.isFile()) return target
  if (found.isDirectory()) return join(target, basename(name))
  throw new MurderError('WRONG_KIND', `${target} is neither a file nor a directory`, {
    cure: 'name another path',
  })
}

async function verify(file: string, sha256: string, signal?: AbortSignal): Promise<void> {
  if ((await sha256OfFile(file, signal)) === sha256.toLowerCase()) return
  throw new MurderError('PACKAGE_WRONG', 'the file is not the one that was sent: its SHA-256 is another', {
    cure: 'run it again; if it happens again, look for a failing disk here',
  })
}
