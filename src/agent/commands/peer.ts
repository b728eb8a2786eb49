import { ExitCode } from '../../errors.ts'
import type { Command } from '../cli/arguments.ts'
import { onInterrupt } from '../cli/interrupt.ts'
import { presenter } from '../cli/presenter.ts'
import { contentJob, peerFlags } from '../options/content-options.ts'
import { checkKind } from '../options/target.ts'
import { readTorrent } from '../options/torrent-input.ts'
import { followUntil } from '../runs/follow-run.ts'
import { runRoot } from '../runs/run-directory.ts'
import { startRun } from '../runs/start-run.ts'

const HELP = `murder peer <torrent> <file|directory> [own address]

  murder peer data.torrent /data

Downloads the torrent's content to that path and prints "Done and done" when it is complete and verified. Goes on
sharing in the background for a while. What is there already is kept if it is right, and taken from elsewhere in the
directory if the torrent has a signature; after an interruption the same command goes on. "-" reads the torrent from standard input.

  --from PATH           look there, too, for content that is here already (repeatable; needs make-torrent --signature)
  --tracker URL         announce there instead of to the torrent's trackers (repeatable)
  --peer HOST:PORT      connect to this one too (repeatable)
  --via ssh:USER@HOST   connect to the seeder or peer there over SSH, which must need no password (repeatable);
                        ssh:USER@HOST:22/6881 names sshd's port and the peer's (6881)
  --secret-file FILE    have to do only with who proves to know this secret ("-": standard input)
  --address HOST        announce this address of this machine, not the one the tracker sees
  --nat                 that address is a router's, which forwards the port to this machine
  --port N, --ports A-B the port, or the range to take one from (6881-6999)
  --linger S            seconds to go on sharing (30); --no-linger for none
  --up-limit, --down-limit RATE   bytes a second of the whole process, with K, M or G (of 1024 each)
  --per-peer-limit RATE bytes a second to any one other
  --site NAME           where this machine is; content comes from others with this name as far as they have it
  --site-limit RATE     bytes a second into and out of that site, of all its machines together
  --connect-timeout S   give up when nobody can be reached (60)
  --stall-timeout S     give up when nothing comes any more (120)
  --timeout S           give up when it isn't complete by then (none)
  --delete              remove what is in the directory and not in the torrent, when it is complete
  --no-attributes       leave modes, times, owners, symlinks and so on as they are
  --tag NAME            name for murder status and murder stop
  --foreground          no background process: share in this one, then end
  --json                events as JSON lines on standard output
  --run-dir DIR         where running processes are noted ($MURDER_RUN_DIR)
Times are seconds, or 30s, 5m, 1h; 0 is no limit.`

export const command: Command = {
  help: HELP,
  positionals: ['<torrent>', '<file|directory>', '[own address]'],
  flags: peerFlags,
  async run(args) {
    const input = await readTorrent(args.positionals[0] ?? '')
    const job = await contentJob('peer', args, input)
    checkKind(job.path, input.metainfo)
    const describe = ({ port }: { port: number }) =>
      `Peer ${job.tag} of ${input.metainfo.infoHash} listens on port ${port}`
    if (args.has('foreground')) {
      const { runForeground } = await import('../runs/run-foreground.ts')
      await runForeground(job, args, describe)
      return ExitCode.done
    }
    const present = presenter(args.has('json'))
    const interrupt = onInterrupt({ untilEof: args.has('until-eof') })
    const started = await startRun(job, runRoot(args.text('run-dir')), 'again')
    if (started.attached) present.note(`Following the peer ${job.tag} that runs already`)
    try {
      await followUntil(started, 'done', interrupt, (event) => {
        present.event(event)
        if (event.event === 'listening') present.note(describe(event))
      })
    } finally {
      present.close()
    }
    if (job.linger > 0)
      present.note(`Sharing for ${job.linger} s more in the background; murder stop ${job.tag} ends it`)
    return ExitCode.done
  },
}
