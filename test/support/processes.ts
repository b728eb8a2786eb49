import { execFileSync } from 'node:child_process'

/** Command lines of this process's living descendants, its own process groups included. */
export function descendants(): string[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
  const rows = table.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line)
    return match
      ? [{ pid: Number(match[1]), parent: Number(match[2]), state: match[3], args: match[4] ?? '' }]
      : []
  })
  const family = new Set([process.pid])
  for (let before = 0; before !== family.size; ) {
    before = family.size
    for (const { pid, parent } of rows) if (family.has(parent)) family.add(pid)
  }
  return rows
    .filter(
      ({ pid, state, args }) =>
        pid !== process.pid && family.has(pid) && !state?.startsWith('Z') && !args.startsWith('ps '),
    )
    .map(({ args }) => args)
}
