import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../errors.ts'

/** Removes `path` and all below it, including read-only directories. Follows no symlink. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (cause) {
    if (!isSystemError(cause, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw cause
    openDirectories(path)
    rmSync(path, { recursive: true, force: true })
  }
}

function openDirectories(path: string): void {
  if (!lstatSync(path).isDirectory()) return
  chmodSync(path, 0o700)
  for (const name of readdirSync(path)) openDirectories(join(path, name))
}
