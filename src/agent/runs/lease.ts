import { rmSync, statSync, utimesSync } from 'node:fs'
import { isSystemError } from '../../errors.ts'
import { type RunState, reserveFile, stateFile, TOUCH_MS, writeState } from './run-directory.ts'

const CHECK_MS = 500

export interface Lease {
  /** Resolves when the run's folder is gone or belongs to another process. */
  lost: Promise<void>
  isLost(): boolean
  /** Replaces the run's state; nothing happens once the lease is lost. */
  write(state: RunState): void
  release(): void
}

/** Watches that `folder` still is this process's run. The timer does not keep the process alive. */
export function holdLease(folder: string, initial: RunState): Lease {
  const file = stateFile(folder)
  let state = initial
  let lost = false
  let own: number | undefined
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
      writeWithReserve(folder, next)
      own = inode()
    } catch {
      lose() // the folder is gone or cannot be written: this run cannot be managed any more
    }
  }
  const check = () => {
    if (inode() !== own) return lose()
    if (Date.now() - touched < TOUCH_MS) return
    touched = Date.now()
    touch(folder)
  }
  const timer = setInterval(check, CHECK_MS)
  timer.unref()
  write(state)
  return {
    lost: ended,
    isLost: () => lost,
    write(next) {
      state = next
      write(next)
    },
    release: () => clearInterval(timer),
  }
}

/**
 * A sign of life for other containers (`isAlive`), and for systemd-tmpfiles and tmpwatch, which remove files that were not
 * touched for days.
 */
function touch(folder: string): void {
  const now = new Date()
  for (const path of [stateFile(folder), reserveFile(folder)]) {
    try {
      utimesSync(path, now, now)
    } catch {} // When the folder has gone, the next look finds that.
  }
}

function writeWithReserve(folder: string, state: RunState): void {
  try {
    writeState(folder, state)
  } catch (error) {
    if (!isSystemError(error, 'ENOSPC', 'EDQUOT')) throw error
    rmSync(reserveFile(folder), { force: true })
    writeState(folder, state)
  }
}
