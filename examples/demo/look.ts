import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { MurderError } from '../../src/errors.ts'
import { table } from '../../src/text/table.ts'
import type { EmbeddedServer } from '../fleet/server.ts'

/** What is live on a server. */
export interface Live {
  server: string
  /** What the symlink `current` points to. */
  current: string
  commit: string
  version: string
}

/** Looks at every server's disk, which is this machine's. Throws what the file system says when something is missing. */
export function look(servers: readonly EmbeddedServer[], name: string): Live[] {
  return servers.map(({ user, host, port, home }) => {
    const link = join(home, name, 'current')
    const read = (file: string) => readFileSync(join(link, file), 'utf8').trim()
    return {
      server: `${user}@${host}:${port}`,
      current: readlinkSync(link),
      commit: read('REVISION'),
      version: read('version.txt'),
    }
  })
}

export function lookTable(live: readonly Live[]): string {
  const rows = live.map(({ server, current, commit, version }) => [
    server,
    current,
    commit.slice(0, 7),
    version,
  ])
  return table([['server', 'current ->', 'commit', 'version.txt'], ...rows])
}

/** Throws NOT_LIVE for the first server on which another commit is live. */
export function expectLive(live: readonly Live[], commit: string): void {
  const wrong = live.find((each) => each.commit !== commit)
  if (!wrong) return
  throw new MurderError(
    'NOT_LIVE',
    `${wrong.server} has commit ${wrong.commit.slice(0, 7)} live, not ${commit.slice(0, 7)}`,
  )
}
