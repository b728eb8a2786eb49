import { closeSync, type FSWatcher, fstatSync, openSync, readSync, watch } from 'node:fs'
import { type AgentEvent, eventsIn } from '../../protocol/events.ts'
import { eventsFile } from './run-directory.ts'

/** How often a follower polls when the file system does not notify it. */
const POLL_MS = 200
const NEWLINE = 0x0a

/**
 * The events of a run from its beginning, as they come. Ends when `alive` says that the process has ended and all its output
 * was read, or when `signal` aborts. The log is opened at once: the folder may be removed right afterwards.
 */
export function follow(
  folder: string,
  alive: () => boolean,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, void, undefined> {
  return tail(eventsFile(folder), openSync(eventsFile(folder), 'r'), alive, signal)
}

async function* tail(path: string, fd: number, alive: () => boolean, signal: AbortSignal) {
  const appended = appendedLines(fd)
  const bell = doorbell(path, signal)
  try {
    while (!signal.aborted) {
      // Asked before reading, so that everything the process wrote before its end is read.
      const wasAlive = alive()
      const events = withoutStaleProgress(eventsIn(appended()))
      for (const event of events) {
        if (signal.aborted) return
        yield event
      }
      if (events.length > 0) continue
      if (!wasAlive) return
      await bell.ring()
    }
  } finally {
    bell.close()
    closeSync(fd)
  }
}

/** When several progress events are read at once, only the last is kept: a late follower needs no history. */
function withoutStaleProgress(events: AgentEvent[]): AgentEvent[] {
  const last = events.findLastIndex(({ event }) => event === 'progress')
  return events.filter(({ event }, index) => event !== 'progress' || index === last)
}

/** Gives the whole lines that were appended since the last call. */
function appendedLines(fd: number): () => string {
  const chunk = Buffer.alloc(65_536)
  let position = 0
  let rest = Buffer.alloc(0)
  return () => {
    if (fstatSync(fd).size < position) {
      position = 0 // the log was started again
      rest = Buffer.alloc(0)
    }
    const read = readSync(fd, chunk, 0, chunk.length, position)
    position += read
    const data = Buffer.concat([rest, chunk.subarray(0, read)])
    const end = data.lastIndexOf(NEWLINE) + 1
    rest = data.subarray(end)
    return data.toString('utf8', 0, end)
  }
}

/** Wakes when the file changes, when polling is due and when `signal` aborts. */
function doorbell(path: string, signal: AbortSignal) {
  let rung = false
  let wake: (() => void) | undefined
  const ring = () => {
    rung = true
    wake?.()
  }
  signal.addEventListener('abort', ring)
  const watcher = watchFile(path, ring)
  const timer = setInterval(ring, POLL_MS)
  return {
    async ring(): Promise<void> {
      if (!rung) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      rung = false
    },
    close(): void {
      clearInterval(timer)
      watcher?.close()
      signal.removeEventListener('abort', ring)
    },
  }
}

/** Watches are a scarce resource of the system (inotify instances); polling does without. */
function watchFile(path: string, ring: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, ring)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}
