import { readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { isRunning, ownIdentity, type ProcessIdentity } from '../../system/process-identity.ts'
import { findRun, isAlive, namesIn, removeRun } from '../runs/run-directory.ts'
import { becomes, endProcess, signalProcess } from '../runs/stop-run.ts'

/** The names inside the directory of one `murder receive`. */
export const packageFile = (directory: string) => join(directory, 'package')
export const metadataFile = (directory: string) => join(directory, 'metadata')
const RECEIPT = 'unpacked.json'
export const receiptFile = (directory: string) => join(directory, RECEIPT)
const KNOWN = ['package', 'metadata', RECEIPT, 'links']

const RECEIVER = /^receive-(\d+)$/

/** Marks the directory as needed by this process. Returns a function that removes the mark. */
export function useDirectory(directory: string): () => void {
  const file = join(directory, `receive-${process.pid}`)
  writeFileSync(file, ownIdentity().start, { mode: 0o600 })
  return () => rmSync(file, { force: true })
}

const TAKE_OVER_TIMEOUT_MS = 5000

/**
 * Tells an earlier `murder receive` of this directory that its follower has left: its SSH connection has dropped, but it may not
 * know that yet, and two processes would unpack into one place. It may go on as a peer.
 */
export async function takeOver(directory: string): Promise<void> {
  const own = Number(ownIdentity().start)
  for (const receiver of receivers(directory)) {
    // Of two that start at once only one may take over.
    if (Number(receiver.start) > own) continue
    signalProcess(receiver.pid, 'SIGHUP')
    if (!(await becomes(() => !isReceiving(directory, receiver), TAKE_OVER_TIMEOUT_MS)))
      await endProcess(receiver)
  }
}

const isReceiving = (directory: string, { pid }: ProcessIdentity) =>
  receivers(directory).some((other) => other.pid === pid)

/**
 * Removes a transfer's files, unless a process still needs them. Each process of the transfer calls it at its end, so the
 * last one tidies, even when the deploy host is long gone. Only known names are removed. `keepsReceipt`: the deploy may still come
 * back, and must then not find its release in its way; the next deploy removes the receipt.
 */
export function tidyDirectory(directory: string, tag: string, keepsReceipt = false): void {
  const run = findRun(directory, 'peer', tag)
  if (run && isAlive(run) && run.state.pid !== process.pid) return
  if (isUsed(directory)) return
  if (run) removeRun(run.folder)
  const known = namesIn(directory).filter((name) => KNOWN.includes(name) || RECEIVER.test(name))
  for (const name of known) {
    if (keepsReceipt && name === RECEIPT) continue
    rmSync(join(directory, name), { recursive: true, force: true })
  }
  try {
    rmdirSync(directory)
  } catch (error) {
    // Not empty: it holds other files. Gone: the deploy was faster.
    if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error
  }
}

/** Whether another process follows this one, or would unpack what it fetches. */
export const isUsed = (directory: string): boolean => receivers(directory).length > 0

/** Other running `murder receive` processes that need the directory. */
function receivers(directory: string): ProcessIdentity[] {
  return namesIn(directory)
    .flatMap((name) => {
      const pid = Number(RECEIVER.exec(name)?.[1])
      return pid > 0 && pid !== process.pid ? [{ pid, start: read(join(directory, name)) }] : []
    })
    .filter(isRunning)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return ''
    throw error
  }
}
