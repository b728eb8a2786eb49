import { resolve } from 'node:path'
import { ExitCode } from '../../errors.ts'
import { defined } from '../../system/defined.ts'
import { type Command, usageError } from '../cli/arguments.ts'
import { describeTracker } from '../cli/describe.ts'
import { checkTag } from '../options/content-options.ts'
import { readSecret } from '../options/secret-file.ts'
import { readTorrent } from '../options/torrent-input.ts'
import { parsePort, parseSeconds } from '../options/units.ts'
import type { TrackerJob } from '../runs/job.ts'
import { runService } from '../runs/run-service.ts'
import { statsPath } from '../stats/stats-page.ts'

const PORT = 8998

const HELP = `murder tracker

  murder tracker --port 8998

Starts a BitTorrent tracker in the background: the place where seeder and peers find each other.

  --port N              port (8998)
  --last-port N         when that port is taken: the first free one up to this
  --host IP             listen on this address only
  --only FILE.torrent   serve this torrent and no other (repeatable)
  --secret-file FILE    answer only who knows this secret: http://host:8998/{secret}/announce is then the tracker of
                        seed and peer, whose --secret-file puts the secret in
  --permits FILE        for the Shipit plugin: secrets with their torrents and addresses, as JSON
  --timeout S           end after this time (none)
  --tag NAME            name for murder status and murder stop
  --foreground          stay in this process
  --until-eof           with --foreground: end when standard input closes
  --json                events as JSON lines on standard output
  --run-dir DIR         where running processes are noted ($MURDER_RUN_DIR)`

export const command: Command = {
  help: HELP,
  positionals: [],
  flags: {
    port: { type: 'string' },
    'last-port': { type: 'string' },
    host: { type: 'string' },
    only: { type: 'string', multiple: true },
    'secret-file': { type: 'string' },
    permits: { type: 'string' },
    timeout: { type: 'string' },
    tag: { type: 'string' },
    foreground: { type: 'boolean' },
    'until-eof': { type: 'boolean' },
    json: { type: 'boolean' },
    'run-dir': { type: 'string' },
  },
  async run(args) {
    if (args.has('until-eof') && !args.has('foreground')) throw usageError('--until-eof needs --foreground')
    const port = args.value('port', parsePort, PORT)
    const lastPort = args.value('last-port', parsePort, undefined)
    const host = args.text('host')
    const only = await Promise.all(args.list('only').map(readTorrent))
    const secret = await args.value('secret-file', readSecret, undefined)
    const permits = args.text('permits')
    const job: TrackerJob = {
      role: 'tracker',
      tag: checkTag(args.text('tag') ?? String(port)),
      port,
      timeouts: { connect: 0, stall: 0, total: args.value('timeout', parseSeconds, 0) },
      ...defined({ lastPort, host, secret, permits: permits && resolve(permits) }),
      ...(only.length === 0
        ? {}
        : {
            only: only.map(({ metainfo: { infoHash, name, length } }) => ({ infoHash, name, size: length })),
          }),
    }
    await runService(job, args, (event) => describeTracker(job.tag, event, statsPath(job)))
    return ExitCode.done
  },
}
