import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LabHost } from '../../../test/support/lab/host.ts'
import type { LabProcess } from '../../../test/support/lab/process.ts'
import type { Race } from '../race.ts'

const run = promisify(execFile)

export const TRACKER_PORT = 8998

/** Rejects with the name of the Debian package when a program is missing. */
export async function need(program: string, debianPackage: string): Promise<void> {
  await run('which', [program]).catch(() => {
    throw new Error(`${program} is missing: apt-get install ${debianPackage}`)
  })
}

/** A torrent that no contender made itself, with pieces of 256 KiB unless the options say otherwise, and a tracker for it. */
export async function torrentAndTracker(race: Race): Promise<string> {
  const torrent = join(race.lab.directory, 'content.torrent')
  const announce = `http://${race.seeder.address}:${TRACKER_PORT}/announce`
  const power = Math.round(Math.log2(race.pieceLength ?? 2 ** 18))
  await run('mktorrent', ['-l', String(power), '-a', announce, '-o', torrent, race.content.file])
  const script = join(process.cwd(), 'bench', 'swarm', 'tracker.mjs')
  const tracker = race.spawn('tracker', race.seeder, [process.execPath, script, String(TRACKER_PORT)])
  await tracker.line(/^listening/)
  return torrent
}

/** Starts a peer on every server at once, and waits until each has printed its line. */
export async function startPeers(
  race: Race,
  done: RegExp,
  start: (server: LabHost) => LabProcess,
): Promise<void> {
  // The race has its own time limit.
  await race.runPeers(start, (peer) => peer.line(done, 2 ** 31 - 1))
}
