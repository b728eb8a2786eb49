import { ExitCode } from '../../errors.ts'
import { type Command, usageError } from '../arguments.ts'
import { contentJob, seederFlags } from '../content-options.ts'
import { describeSeeder } from '../describe.ts'
import { checkTarget } from '../target.ts'
import { readTorrent } from '../torrent-input.ts'

const help = `murder seed <torrent> <file|directory> [own address]

  murder seed data.torrent /data

Gives the content to others, from the background, until murder stop ends it. "-" reads the torrent from standard input.

  --tracker URL         announce there instead of to the torrent's trackers (repeatable)
  --peer HOST:PORT      connect to this one too (repeatable)
  --address IP          announce this address, not the one the tracker sees
  --port N, --ports A-B the port, or the range to take one from (6881-6999)
  --fleet N             how many peers to expect
  --up-limit, --down-limit RATE   bytes a second, with K, M or G
  --timeout S           end after this time (none)
  --tag NAME            name for murder status and murder stop
  --foreground          stay in this process
  --until-eof           with --foreground: end when standard input closes
  --json                events as JSON lines on standard output
  --run-dir DIR         where running processes are noted ($MURDER_RUN_DIR)
Times are seconds, or 30s, 5m, 1h; 0 is no limit.`

export const command: Command = {
  help,
  positionals: ['<torrent>', '<file|directory>', '[own address]'],
  flags: seederFlags,
  async run(args) {
    if (args.has('until-eof') && !args.has('foreground')) throw usageError('--until-eof needs --foreground')
    if (args.has('until-eof') && args.positionals[0] === '-') {
      throw usageError('--until-eof needs standard input for itself', 'name the torrent as a file')
    }
    const input = await readTorrent(args.positionals[0] ?? '')
    const job = await contentJob('seeder', args, input)
    checkTarget('seeder', job.path, input.metainfo)
    const { runService } = await import('../service.ts')
    await runService(job, args, (event) => describeSeeder(job, input.metainfo, event))
    return ExitCode.done
  },
}
