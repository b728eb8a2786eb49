import { rmSync } from 'node:fs'
import { isSystemError } from '../errors.ts'

/** Tries to share blocks between files (reflink), until the file system says that it cannot. */
export class BlockSharing {
  #isPossible = true

  /** Whether `share` made the file at `target`. If not, nothing is left there. */
  try(target: string | Buffer, share: () => void): boolean {
    if (!this.#isPossible) return false
    try {
      share()
      return true
    } catch (error) {
      rmSync(target, { force: true })
      if (isSystemError(error, 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'ENOTTY', 'EXDEV', 'EINVAL'))
        this.#isPossible = false
      return false
    }
  }
}
