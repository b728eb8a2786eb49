import { execFileSync } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'

interface Row {
  pid: number
  parent: number
  args: string
}

/** Living processes of this machine; zombies don't count. */
function table(): Row[] {
  const text = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+([^Z]\S*)\s+(.*)$/.exec(line)
    return match ? [{ pid: Number(match[1]), parent: Number(match[2]), args: match[4] ?? '' }] : []
  })
}

export function childrenOf(parent: number | undefined): number[] {
  return table().flatMap((row) => (row.parent === parent ? [row.pid] : []))
}

/** The command line of a process; empty when there is none. */
export function commandOf(pid: number): string {
  return table().find((row) => row.pid === pid)?.args ?? ''
}

/** Waits until a process that isn't ours has ended, which no event tells. */
export async function gone(pid: number): Promise<void> {
  while (table().some((row) => row.pid === pid)) await setTimeout(50)
}

/** Command lines of this process's living descendants, those in process groups of their own included. */
export function descendants(): string[] {
  const rows = table()
  const family = new Set([process.pid])
  for (let before = 0; before !== family.size; ) {
    before = family.size
    for (const { pid, parent } of rows) if (family.has(parent)) family.add(pid)
  }
  return rows
    .filter(({ pid, args }) => pid !== process.pid && family.has(pid) && !args.startsWith('ps '))
    .map(({ args }) => args)
}

/** SIGKILL; a process that ended by itself meanwhile is fine too. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
