import { posix } from 'node:path'
import type { Outcome } from '../../../fleet/command.ts'
import type { Server } from '../../../fleet/ssh/server.ts'
import { quotePath } from '../../../text/shell-quote.ts'
import { releasesPath } from '../../paths/server-paths.ts'
import { parseHistory, type ServerReleases } from '../../releases/history.ts'
import { SAY } from '../shell-functions.ts'
import { readHistoryScript } from './history-script.ts'

export type FleetReleases = ReadonlyMap<Server, ServerReleases>

/** Prints the directories in `releases`, which of them is live, and the history. Names with line breaks are not ours. */
export function releasesScript(deployTo: string): string {
  return `c=${quotePath(posix.join(deployTo, 'current'))}; r=${quotePath(releasesPath(deployTo))}
nl='
'
${SAY}
if [ -L "$c" ]; then say live "$(basename "$(readlink "$c")")"; fi
for x in "$r"/*; do
  if [ ! -d "$x" ] || [ -L "$x" ]; then continue; fi
  case "$x" in *"$nl"*) ;; *) say release "\${x##*/}" ;; esac
done
${readHistoryScript(deployTo)}`
}

/** Prints the revision from which a release was made, if known. */
export function revisionScript(deployTo: string, release: string): string {
  const file = quotePath(posix.join(releasesPath(deployTo), release, 'REVISION'))
  return `if [ -f ${file} ]; then cat ${file}; fi`
}

export const parseReleases = (outcomes: readonly Outcome[]): FleetReleases =>
  new Map(
    outcomes.flatMap((outcome) =>
      outcome.ok ? [[outcome.server, parseServerReleases(outcome.stdout)] as const] : [],
    ),
  )

export function parseServerReleases(output: string): ServerReleases {
  const lines = output.split('\n')
  const after = (key: string) =>
    lines.flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []))
  return {
    live: after('live')[0],
    releases: after('release').sort().reverse(),
    history: parseHistory(after('history')),
  }
}
