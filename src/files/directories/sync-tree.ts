import { execFile } from 'node:child_process'
import type { Dirent } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Brings a directory and all in it to the disk: what is renamed into place afterwards survives a power cut. `sync -f` does that for
 * its whole file system at once, which takes much less time than file by file; where there is none, each file is synced.
 */
export async function syncTree(directory: string, signal?: AbortSignal, flush = syncPath): Promise<void> {
  if (!(await syncFileSystem(directory, signal))) await syncEach(directory, flush)
}

function syncFileSystem(directory: string, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    execFile('sync', ['-f', directory], { signal }, (error) => resolve(!error || signal?.aborted === true))
  })
}

async function syncEach(directory: string, flush: typeof syncPath): Promise<void> {
  const syncEntry = async (entry: Dirent) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await syncEach(path, flush)
    else if (entry.isFile()) await flush(path)
  }
  for (const entry of await readdir(directory, { withFileTypes: true })) await syncEntry(entry)
  await flush(directory)
}

/** Does nothing where the system cannot sync a read-only file, or where the file's mode forbids opening it. */
export async function syncPath(path: string): Promise<void> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    await handle.sync()
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EACCES', 'EPERM', 'EINVAL', 'EBADF', 'EISDIR'].includes(code)) throw error
  } finally {
    await handle?.close()
  }
}
