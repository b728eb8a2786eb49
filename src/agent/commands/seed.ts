import { ExitCode } from '../../errors.ts'
import { type Command, usageError } from '../cli/arguments.ts'
import { describeSeeder } from '../cli/describe.ts'
import { printError } from '../cli/output.ts'
import { contentJob, seederFlags } from '../options/content-options.ts'
import { checkSource } from '../options/target.ts'
import { readTorrent } from '../options/torrent-input.ts'

const HELP = `murder seed <torrent> <file|directory> [own address]

  murder seed data.torrent /data

Gives the content to others, from the background, until murder stop ends it. "-" reads the torrent from standard input.

  --tracker URL         announce there instead of to the torrent's trackers (repeatable)
  --peer HOST:PORT      connect to this one too (repeatable)
  --secret-file FILE    have to do only with who proves to know this secret ("-": standard input)
  --permits FILE        for the Shipit plugin: addresses that may be dialled, by torrent, as JSON
  --address HOST        announce this address of this machine, not the one the tracker sees
  --nat                 that address is a router's, which forwards the port to this machine
  --port N, --ports A-B the port, or the range to take one from (6881-6999)
  --fleet N             how many peers to expect
  --up-limit, --down-limit RATE   bytes a second of the whole process, with K, M or G (of 1024 each)
  --per-peer-limit RATE bytes a second to any one other
  --site NAME           where this machine is; content comes from others with this name as far as they have it
  --site-limit RATE     bytes a second into and out of that site, of all its machines together
  --metrics [HOST:]PORT answer Prometheus there, at /metrics; without a host only this machine's own programs
  --timeout S           end after this time (none)
  --tag NAME            name for murder status and murder stop
  --foreground          stay in this process
  --until-eof           with --foreground: end when standard input closes
  --json                events as JSON lines on standard output
  --run-dir DIR         where running processes are noted ($MURDER_RUN_DIR)
Times are seconds, or 30s, 5m, 1h; 0 is no limit.`

export const command: Command = {
  help: HELP,
  positionals: ['<torrent>', '<file|directory>', '[own address]'],
  flags: seederFlags,
  async run(args) {
    if (args.has('until-eof') && !args.has('foreground')) throw usageError('--until-eof needs --foreground')
    if (args.has('until-eof') && args.positionals[0] === '-') {
      throw usageError('--until-eof needs standard input for itself', 'name the torrent as a file')
    }
    const input = await readTorrent(args.positionals[0] ?? '')
    const job = await contentJob('seeder', args, input)
    checkSource(job.path, input.metainfo)
    const { runService } = await import('../runs/run-service.ts')
    await runService(job, args, (event) => describeSeeder(job, event))
    if (!args.has('json') && !args.has('foreground')) await warnOfDeadTrackers(job.trackers)
    return ExitCode.done
  },
}

/** The seeder goes on trying, so this is no failure; but until then no peer finds it. */
async function warnOfDeadTrackers(urls: string[]): Promise<void> {
  const { probeTracker } = await import('../../torrent/tracker/probe.ts')
  for (const url of urls) {
    const why = await probeTracker(url)
    if (why)
      printError(
        `The tracker ${url} cannot be reached (${why}): the seeder goes on trying. Start it with murder tracker`,
      )
  }
}
