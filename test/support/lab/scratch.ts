import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Scratch directories of labs and benches. Not under the system's temporary directory, because every host of a
 * lab has a private one; and named after the process that owns it, so that what a crashed run left behind can
 * be told from what is in use.
 */
export const scratchRoot = '/var/tmp/shipit-murder-lab'

let count = 0
const own = new Set<string>()

/** Makes a new directory below `root` that belongs to this process, and removes those whose owner is gone. */
export async function makeScratch(label: string, root = scratchRoot): Promise<string> {
  await removeLeftovers(root)
  const directory = join(root, `${await processIdentity(process.pid)}-${++count}-${label}`)
  own.add(directory)
  await mkdir(directory, { recursive: true })
  return directory
}

export async function removeScratch(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  own.delete(directory)
}

/** For a program that ends early. */
export async function removeOwnScratch(): Promise<void> {
  await Promise.all([...own].map(removeScratch))
}

/** Removes the directories of processes that no longer run. */
async function removeLeftovers(root: string): Promise<void> {
  await mkdir(root, { recursive: true })
  for (const name of await readdir(root)) {
    const owner = /^(\d+)-\d+-/.exec(name)
    if (!owner) continue
    const identity = await processIdentity(Number(owner[1]))
    if (!identity || !name.startsWith(`${identity}-`)) await removeScratch(join(root, name))
  }
}

/** `<pid>-<start time in ticks>`: unlike a pid alone it is never used twice. Empty when no such process runs. */
async function processIdentity(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const started = afterName[19]
  return started ? `${pid}-${started}` : ''
}
