import { readFileSync } from 'node:fs'

/** Users or groups of this machine by name and by number, as far as they are in its own files. */
export interface Names {
  nameOf(id: number): string | undefined
  idOf(name: string): number | undefined
}

export const userNames = () => namesIn('/etc/passwd')
export const groupNames = () => namesIn('/etc/group')

function namesIn(file: string): Names {
  const names = new Map<number, string>()
  const ids = new Map<string, number>()
  for (const line of readLines(file)) {
    const [name, , id] = line.split(':')
    if (!name || !id || !/^\d+$/.test(id)) continue
    if (!names.has(Number(id))) names.set(Number(id), name)
    ids.set(name, Number(id))
  }
  return { nameOf: (id) => names.get(id), idOf: (name) => ids.get(name) }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return [] // Then only numbers are known.
  }
}
