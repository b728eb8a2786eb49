import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

export interface Left {
  pid: number
  command: string
}

/** Living processes whose command line or environment names one of these paths. */
export function processesOf(paths: readonly string[]): Left[] {
  const rows = existsSync('/proc/self/cmdline') ? fromProc() : fromPs()
  return rows
    .filter(({ pid, text }) => pid !== process.pid && paths.some((path) => text.includes(path)))
    .map(({ pid, command }) => ({ pid, command }))
}

/** Gives the processes `seconds` to end by themselves, then ends them. Returns those that had to be ended. */
export async function endAll(paths: readonly string[], seconds: number): Promise<Left[]> {
  const until = Date.now() + seconds * 1000
  let left = processesOf(paths)
  while (left.length > 0 && Date.now() < until) {
    await setTimeout(100)
    left = processesOf(paths)
  }
  for (const { pid } of left) kill(pid)
  return left
}

type Row = Left & { text: string }

/** Does without `ps`, which small systems lack. */
function fromProc(): Row[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const command = read(`/proc/${name}/cmdline`)
      // A zombie has no command line.
      if (command === '') return []
      return [{ pid: Number(name), command, text: `${command} ${read(`/proc/${name}/environ`)}` }]
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
  const text = execFileSync('ps', ['-axww', '-o', 'pid=,stat=,command='], { encoding: 'utf8' })
  return text.split('\n').flatMap((line) => {
    const [, pid, command = ''] = /^\s*(\d+)\s+[^Z\s]\S*\s+(.*)$/.exec(line) ?? []
    return pid === undefined ? [] : [{ pid: Number(pid), command, text: command }]
  })
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
