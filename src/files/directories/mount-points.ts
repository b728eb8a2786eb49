import { readFileSync } from 'node:fs'

/**
 * Where something is mounted below `directory`, a path without links: relative paths with one character for each byte, because
 * they may be no UTF-8. Nothing else reveals a bind mount. Gives none where the system does not tell.
 */
export function mountPointsBelow(directory: string): ReadonlySet<string> {
  let table: string
  try {
    table = readFileSync('/proc/self/mountinfo', 'latin1')
  } catch {
    return new Set() // Not Linux
  }
  const top = `${Buffer.from(directory).toString('latin1')}/`
  const points = table.split('\n').flatMap((line) => {
    const point = (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    )
    return point.startsWith(top) ? [point.slice(top.length)] : []
  })
  return new Set(points)
}
