import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

interface Row {
  pid: number
  parent: number
  args: string
}

/** Living processes of this machine; zombies don't count. A bare machine has no `ps`. */
const table = (): Row[] => (existsSync('/proc/self/stat') ? fromProc() : fromPs())

function fromProc(): Row[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const [, command = '', state, parent] = /\((.*)\) (\S) (\d+)/s.exec(read(`/proc/${name}/stat`)) ?? []
      if (state === undefined || state === 'Z') return []
      return [
        { pid: Number(name), parent: Number(parent), args: read(`/proc/${name}/cmdline`) || `[${command}]` },
      ]
    })
}

/** Empty for a process that has ended meanwhile, or is another user's. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

function fromPs(): Row[] {
  const text = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args=', '-ww'], { encoding: 'utf8' })
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

/** All living processes that `ancestor` has started, and those that they have. */
export function below(ancestor: number): Row[] {
  const rows = table()
  const family = new Set([ancestor])
  for (let before = 0; before !== family.size; ) {
    before = family.size
    for (const { pid, parent } of rows) if (family.has(parent)) family.add(pid)
  }
  return rows.filter(({ pid }) => pid !== ancestor && family.has(pid))
}

/** Command lines of this process's living descendants, those in process groups of their own included. */
export function descendants(): string[] {
  return below(process.pid)
    .filter(({ args }) => !args.startsWith('ps '))
    .map(({ args }) => args)
}

function naming(path: string): Row[] {
  return table().filter(
    ({ pid, args }) => pid !== process.pid && args.includes(path) && !args.startsWith('ps -eo'),
  )
}

/** Command lines of the living processes that mention `path`, other than this one: agents name their directory. */
export function processesOf(path: string): string[] {
  return naming(path).map(({ args }) => args)
}

/** Waits until no process mentions `path` any more; gives up after `seconds` and returns those that do. */
export async function quiet(path: string, seconds = 5): Promise<string[]> {
  // Seen empty twice: between two programs of one command there is a moment with none.
  for (let waited = 0, empty = 0; waited < seconds * 10; waited++) {
    empty = processesOf(path).length === 0 ? empty + 1 : 0
    if (empty === 2) return []
    await setTimeout(100)
  }
  return processesOf(path)
}

/** The living processes that mention `path` in their command line or environment, as far as that can be read. */
export function startedWith(path: string): string[] {
  return table()
    .filter(({ pid, args }) => `${args} ${read(`/proc/${pid}/environ`)}`.includes(path))
    .map(({ args }) => args)
}

/** The process whose command line has this in it. */
export const processOf = (command: string): number | undefined =>
  table().find(({ args }) => args.includes(command))?.pid

/** For the end of a test. */
export function killAll(path: string): void {
  for (const { pid } of naming(path)) killNow(pid)
}

/** SIGKILL; a process that ended by itself meanwhile is fine too. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
