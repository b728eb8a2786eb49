import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { isSystemError } from '../../errors.ts'
import { type AgentEvent, eventsIn } from '../../protocol/events.ts'
import { eventsFile, reserveFile } from './run-directory.ts'

/** A seeder may run for months; its log starts again at this size. */
const LIMIT_BYTES = 1_000_000
const TAIL_BYTES = 16_384

export interface EventLog {
  append(event: AgentEvent): void
  close(): void
}

/** Opened once, so that a follower which has it open too still gets the last events after the folder is removed. */
export function openEventLog(folder: string): EventLog {
  const fd = openSync(eventsFile(folder), 'a', 0o600)
  let listening = ''
  return {
    append(event) {
      let line = `${JSON.stringify(event)}\n`
      if (event.event === 'listening') listening = line
      if (fstatSync(fd).size > LIMIT_BYTES) {
        ftruncateSync(fd)
        line = listening + line // for followers that come from now on
      }
      try {
        writeSync(fd, line)
      } catch (error) {
        if (!isSystemError(error, 'ENOSPC', 'EDQUOT')) throw error
        if (event.event === 'progress') return // the next event may fit; the reserve is for the last one
        rmSync(reserveFile(folder), { force: true })
        writeSync(fd, `\n${line}`)
      }
    },
    close: () => closeSync(fd),
  }
}

/** The newest events of a run, oldest first. Reads a bounded part of the end of its log. */
export function lastEvents(folder: string): AgentEvent[] {
  let fd: number
  try {
    fd = openSync(eventsFile(folder), 'r')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
  try {
    const { size } = fstatSync(fd)
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES))
    const read = readSync(fd, buffer, 0, buffer.length, size - buffer.length)
    return eventsIn(buffer.toString('utf8', 0, read))
  } finally {
    closeSync(fd)
  }
}
