import { statSync, utimesSync } from 'node:fs'
import { type RunState, stateFile, writeState } from './run-directory.ts'

const CHECK_MS = 500
/** systemd-tmpfiles and tmpwatch remove what nobody touched for days: a long-lived seeder must not lose its lease so. */
const TOUCH_MS = 3_600_000

export interface Lease {
  /** Resolves when the run's folder is gone or belongs to another process. */
  lost: Promise<void>
  isLost(): boolean
  /** Replaces the run's state; nothing happens once the lease is lost. */
  write(state: RunState): void
  release(): void
}

/** Watches that `folder` still is this process's run. The timer does not keep the process alive. */
export function holdLease(folder: string, state: RunState): Lease {
  const file = stateFile(folder)
  let lost = false
  let touched = Date.now()
  let settle: () => void = () => {}
  const ended = new Promise<void>((resolve) => {
    settle = resolve
  })
  const inode = () => statSync(file, { throwIfNoEntry: false })?.ino
  const lose = () => {
    lost = true
    clearInterval(timer)
    settle()
  }
  const write = (next: RunState) => {
    if (lost) return
    try {
      writeState(folder, next)
      own = inode()
    } catch {
      lose() // the folder went away under us, or can't be written any more: either way this run can't be managed
    }
  }
  const timer = setInterval(() => {
    if (inode() !== own) return lose()
    if (Date.now() - touched > TOUCH_MS) {
      touched = Date.now()
      utimesSync(file, new Date(), new Date())
    }
  }, CHECK_MS)
  timer.unref()
  let own: number | undefined
  write(state)
  return { lost: ended, isLost: () => lost, write, release: () => clearInterval(timer) }
}
