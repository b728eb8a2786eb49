import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

export const resultsDirectory = join('bench', 'results')

/** The circumstances, without which a figure means nothing. */
export function circumstances(): Record<string, unknown> {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short=12', 'HEAD'),
    uncommitted: git('status', '--porcelain', '--', 'src', 'bench', 'test/support') !== '',
    node: process.version,
    kernel: release(),
    cpus: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
  }
}

/** `deploy-20261122-0130`, in UTC. */
export function resultName(bench: string): string {
  const [date = '', time = ''] = new Date().toISOString().split('T')
  return `${bench}-${date.replaceAll('-', '')}-${time.slice(0, 5).replace(':', '')}`
}

export async function writeResult(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
  process.stdout.write(`wrote ${file}\n`)
}
