import { realpathSync } from 'node:fs'

/** The one spelling of a path, without links, dots or slashes at its end; undefined where nothing is. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path)
  } catch {
    return undefined
  }
}
