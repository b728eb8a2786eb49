import { z } from 'zod'
import { betweenAddresses } from './kinds/address-kind.ts'
import * as kinds from './kinds/kinds.ts'
import { sites } from './kinds/site-kind.ts'

/** Documentation of a setting. `example` is a value as in a shipitfile. */
export interface SettingDoc {
  description: string
  example: unknown
  kind: kinds.Kind
  /** The default, for settings whose default is no value of their own. */
  unset?: string
}

/** Documentation of every setting by its schema. A schema is a setting when it is in here. */
export const settingDocs = new Map<z.ZodType, SettingDoc>()

function setting<S extends z.ZodType>(
  schema: S,
  kind: kinds.Kind<never> | kinds.Kind,
  doc: Omit<SettingDoc, 'kind' | 'example'> & { example: z.input<S> },
): S {
  settingDocs.set(schema, { ...doc, kind: kind as kinds.Kind })
  return schema
}

const tracker = z.strictObject({
  port: setting(kinds.port.schema.default(8998), kinds.port, {
    description:
      'TCP port of the tracker, wherever it is started. When it is not set, and another program (another deploy) has it, the tracker takes the first free one of the 31 after it; servers are told which.',
    example: 9000,
  }),
  address: setting(kinds.host.schema.optional(), kinds.host, {
    description: 'Address at which servers reach the tracker, when it is not the address of the seeder.',
    example: 'tracker.example.com',
    unset: 'the address of the seeder',
  }),
  allow: setting(kinds.networks.schema.default([]), kinds.networks, {
    description:
      'More addresses and networks that the tracker answers and that servers connect to, besides those that the servers name: for servers behind a router that hides theirs, for example.',
    example: ['10.0.0.0/8'],
  }),
  at: setting(kinds.trackerPlace.schema.default('seeder'), kinds.trackerPlace, {
    description:
      'Where the tracker is: beside the seeder, on the deploy host (`local`), on a server as `user@host`, at the announce URL of one that runs already, or nowhere; alone it may stand for all of `tracker`, as in `tracker: false`.',
    example: 'http://tracker.example.com:6969/announce',
  }),
})

/** Groups in whose place one of their settings may be given alone. */
export const shorthands = { tracker: 'at', page: 'serve' } as const

const page = z.strictObject({
  serve: setting(kinds.flag.schema.optional(), kinds.flag, {
    description:
      'Whether a deploy shows itself on a page in a browser of the deploy host while it runs (docs/page.md); alone it may stand for all of `page`, as in `page: true`. Its variable is also `MURDER_PAGE`.',
    example: true,
    unset: 'true when page.port is set, else false',
  }),
  port: setting(kinds.port.schema.optional(), kinds.port, {
    description: 'TCP port of the page on the deploy host.',
    example: 8080,
    unset: 'any free port',
  }),
})

const timeouts = z.strictObject({
  connect: setting(kinds.seconds.schema.default(10), kinds.timeout, {
    description: 'Seconds to wait for an SSH connection, and for a peer to find the swarm.',
    example: 20,
  }),
  stall: setting(kinds.seconds.schema.default(60), kinds.timeout, {
    description:
      'Seconds without any progress after which a server counts as failed. A server that no longer answers, or only talks, has 15 more, and a large release more for slow disks. Time in which the deploy itself is suspended does not count. May also be written `stallTimeout`.',
    example: 120,
  }),
  total: setting(kinds.seconds.schema.default(0), kinds.timeout, {
    description: 'Seconds that the transfer to a server may take in all. May also be written `totalTimeout`.',
    example: 900,
  }),
  health: setting(kinds.seconds.schema.default(60), kinds.timeout, {
    description: 'Seconds that `healthCheck` may take on a server.',
    example: 300,
  }),
  hook: setting(kinds.seconds.schema.default(120), kinds.timeout, {
    description: 'Seconds that `activate` and each command of `rollout` may take.',
    example: 300,
  }),
})

const local = z.strictObject({
  beforeGroup: setting(kinds.shell.schema.optional(), kinds.shell, {
    description:
      'Command on the deploy host before each group, with the hosts of the group in `$MURDER_HOSTS`.',
    example: './balancer drain $MURDER_HOSTS',
    unset: 'none',
  }),
  afterGroup: setting(kinds.shell.schema.optional(), kinds.shell, {
    description:
      'Command on the deploy host after each group, in each case in which `beforeGroup` has begun.',
    example: './balancer undrain $MURDER_HOSTS',
    unset: 'none',
  }),
  check: setting(kinds.shell.schema.optional(), kinds.shell, {
    description:
      'Command on the deploy host that must succeed after each group, and as long as the group is watched: a query of the error rate, for example.',
    example: './error-rate --below 1%',
    unset: 'none',
  }),
})

const notify = z.strictObject({
  url: setting(kinds.webhook.schema.optional(), kinds.webhook, {
    description:
      'Webhook that gets JSON, as Slack takes it, when something of `on` happens; keep it in the variable `MURDER_NOTIFY_URL`.',
    example: 'https://hooks.example.com/services/T0/B0/x',
    unset: 'none',
  }),
  command: setting(kinds.shell.schema.optional(), kinds.shell, {
    description: 'Command on the deploy host that gets the same JSON on standard input.',
    example: './tell-team',
    unset: 'none',
  }),
  on: setting(
    kinds.occasions.schema.default(['started', 'published', 'failed', 'reverted', 'rolledBack']),
    kinds.occasions,
    { description: 'Of what others are told.', example: ['failed', 'reverted'] },
  ),
})

const rollout = z.strictObject({
  groups: setting(kinds.groups.schema.optional(), kinds.groups, {
    description:
      'In which groups the servers are published: how many are done after each of them, or one for each role or site (docs/rollout.md).',
    example: [1, '10%', '100%'],
    unset: 'as batch says',
  }),
  before: setting(kinds.commands.schema.optional(), kinds.commands, {
    description:
      'Command on each server before it is published, which takes it out of the balancer for example; or one for each role.',
    example: './drain',
    unset: 'none',
  }),
  after: setting(kinds.commands.schema.optional(), kinds.commands, {
    description:
      'Command on each server when it is done, in each case in which `before` has begun there; or one for each role.',
    example: './undrain',
    unset: 'none',
  }),
  local: local.prefault({}),
  healthCheck: setting(kinds.commands.schema.optional(), kinds.commands, {
    description:
      'Shell command that must succeed on every server of a group after it was published, run in the directory `current`; or one for each role. May also be written `healthCheck`.',
    example: 'curl -fsS http://localhost:8080/health',
    unset: 'none',
  }),
  watch: setting(kinds.seconds.schema.default(0), kinds.seconds, {
    description:
      'Seconds during which `healthCheck` and `local.check` must go on succeeding before the next group begins.',
    example: 60,
  }),
  pause: setting(kinds.pause.schema.default(0), kinds.pause, {
    description: 'Seconds between two groups, or `ask`.',
    example: 30,
  }),
  revert: setting(kinds.revert.schema.default(true), kinds.revert, {
    description:
      'What goes back to what it had when publishing, or the health check, fails on a server. May also be written `revert`.',
    example: 'group',
  }),
})

/**
 * Every setting of the `murder` key of a shipitfile: the one place for its type, its default and its documentation.
 * The environment variables, `murder:config` and docs/settings.md all come from here.
 */
export const schema = z.strictObject({
  tracker: tracker.prefault({}),
  seeder: setting(kinds.seeder.schema.default('local'), kinds.seeder, {
    description:
      'Where the seeder runs: `local` for the deploy host, or a server, to which the package is then uploaded once. It may be one of `servers`, or another one, which is then reached like the first of them.',
    example: 'deploy@a.example.com',
  }),
  peers: setting(kinds.servers.schema.optional(), kinds.servers, {
    description:
      'Servers for `murder:peer` and the other single tasks, in place of `servers`. Those that are not in `servers` are reached like the first one there.',
    example: ['deploy@x.example.com', 'deploy@y.example.com:2222'],
    unset: 'all servers',
  }),
  roles: setting(kinds.roles.schema.default([]), kinds.roles, {
    description:
      'Only servers that have one of these roles take part in the run; the entries of `servers` say which they have (docs/rollout.md).',
    example: ['web'],
  }),
  only: setting(kinds.names.schema.default([]), kinds.names, {
    description: 'Only these servers take part in the run.',
    example: ['a.example.com'],
  }),
  except: setting(kinds.names.schema.default([]), kinds.names, {
    description: 'These servers do not take part in the run.',
    example: ['b.example.com'],
  }),
  announce: setting(kinds.host.schema.optional(), kinds.host, {
    description: 'Address of the deploy host, or of the server that `seeder` names, as the servers reach it.',
    example: '10.0.0.1',
    unset: 'the deploy host as each server sees it over SSH',
  }),
  remotePath: setting(kinds.path.schema.optional(), kinds.path, {
    description: 'Directory on the servers for the agent and its state.',
    example: '/var/lib/murder',
    unset: '<deployTo>/shared/murder',
  }),
  temporaryPath: setting(kinds.path.schema.optional(), kinds.path, {
    description:
      'Directory on the servers for packages in transit; each transfer makes its own directory in it.',
    example: '/var/tmp/murder',
    unset: '<remotePath>/tmp',
  }),
  node: setting(kinds.node.schema.optional(), kinds.node, {
    description:
      'Name or path of Node.js (20.19 or newer) on the servers. Unless it is set, the one on the PATH is taken, or the newest that nvm, fnm, volta, asdf, mise, n, Homebrew and the like have put elsewhere; with `bring` one is uploaded to each server that has none, with `{ bring: path }` this file of the deploy host.',
    example: 'bring',
    unset: 'found on each server',
  }),
  ports: setting(kinds.portRange.schema.default([6881, 6999]), kinds.portRange, {
    description:
      'TCP ports of peers and of the seeder. Each takes the first free one, so open them between the machines of the fleet. The default is BitTorrent’s customary range, clear of the ports that systems give to outgoing connections.',
    example: [7000, 7010],
  }),
  reach: setting(kinds.reach.schema.default('auto'), kinds.reach, {
    description:
      'How servers reach tracker and seeder of a deploy on the deploy host: `direct`, on their ports; through the SSH connection that each server has (`ssh`), which needs no open port; or `auto`, directly where that works, and else through SSH.',
    example: 'ssh',
  }),
  between: setting(kinds.reach.schema.default('direct'), kinds.reach, {
    description:
      'How servers of a deploy reach each other: `direct`, on `ports`; over SSH (`ssh`), with a key in `authorized_keys` for this deploy alone that can do nothing else (docs/reach.md); or `auto`, over SSH where too few of them reach each other directly.',
    example: 'ssh',
  }),
  betweenAddresses: setting(betweenAddresses.schema.default([]), betweenAddresses, {
    description:
      'Where other servers reach the sshd of a server, where that is not the address and port that it knows of itself: by its name in `servers`, as `[user@]host[:port]`.',
    example: { 'a.example.com': '10.0.0.5:2222' },
  }),
  linger: setting(kinds.seconds.schema.default(30), kinds.seconds, {
    description: 'Seconds that a server goes on sharing in the background after its own download is done.',
    example: 60,
  }),
  package: setting(kinds.packageForm.schema.default('file'), kinds.packageForm, {
    description:
      'How a release travels: packed into one `file`, or as the `directory` it is, file by file and not compressed, which needs room for the content only once on a server, and for no package on the deploy host; the workspace must not change meanwhile.',
    example: 'directory',
  }),
  compression: setting(kinds.compression.schema.default('auto'), kinds.compression, {
    description:
      'Compression of the package: `auto` is the best one that the deploy host and every server have.',
    example: 'gzip',
  }),
  ignore: setting(kinds.patterns.schema.default([]), kinds.patterns, {
    description:
      'Files to leave out of the package, in the syntax of .gitignore, besides those in `ignores`, which has rsync’s.',
    example: ['*.log', '/coverage'],
  }),
  uploadLimit: setting(kinds.limit.schema.default(0), kinds.limit, {
    description: 'Bytes a second that each machine may send in all.',
    example: '10M',
  }),
  downloadLimit: setting(kinds.limit.schema.default(0), kinds.limit, {
    description: 'Bytes a second that each machine may receive in all.',
    example: '50M',
  }),
  sites: setting(sites.schema.default([]), sites, {
    description:
      'Which servers are at the same place, where there are several with long ways between them: each piece then crosses into a place once, with at most `limit` bytes a second into it and as many out of it.',
    example: { paris: { servers: ['a.example.com'], limit: '10M' }, tokyo: ['b.example.com'] },
  }),
  concurrency: setting(kinds.concurrency.schema.default(30), kinds.concurrency, {
    description: 'Number of SSH connections that are opened at the same time.',
    example: 10,
  }),
  timeouts: timeouts.prefault({}),
  tolerate: setting(kinds.tolerance.schema.default(0), kinds.tolerance, {
    description:
      'How many servers may fail without the deploy failing. They are left out of the rest of the run, and the next deploy brings them up to date. A share is rounded down, and one server always has to succeed.',
    example: '10%',
  }),
  retries: setting(kinds.retries.schema.default(12), kinds.retries, {
    description:
      'How often a command is tried again on a server that turns the connection away, loses it or has no processes left, with growing pauses.',
    example: 3,
  }),
  batch: setting(kinds.group.schema.optional(), kinds.group, {
    description:
      'How many servers are published at a time, a short form of `rollout.groups`. When one group fails, the next ones are not published.',
    example: '25%',
    unset: 'all servers at once',
  }),
  rollout: rollout.prefault({}),
  notify: notify.prefault({}),
  activate: setting(kinds.commands.schema.optional(), kinds.commands, {
    description:
      'Command on each server after every change of its symlink, also when it goes back, run in the directory `current`: what restarts the application, for example; or one for each role.',
    example: 'systemctl --user restart app',
    unset: 'none',
  }),
  rollbackAny: setting(kinds.flag.schema.default(false), kinds.flag, {
    description:
      'Whether a rollback may also go to a release that was never live, or that was rolled back from before.',
    example: true,
  }),
  pieceLength: setting(kinds.pieceLength.schema.optional(), kinds.pieceLength, {
    description: 'Bytes in a piece of the torrent.',
    example: '256K',
    unset: 'chosen from the size of the package',
  }),
  allowStrangers: setting(kinds.flag.schema.default(false), kinds.flag, {
    description:
      'Whether other BitTorrent programs may join the swarm. Otherwise all participants must prove that they know the secret of the deploy, and the tracker answers only the fleet.',
    example: true,
  }),
  encrypt: setting(kinds.flag.schema.default(false), kinds.flag, {
    description:
      'Whether the package is encrypted (AES-256-GCM, a key of its own for each deploy) on its way and while it waits on disk, and so are deltas.',
    example: true,
  }),
  deltas: setting(kinds.flag.schema.default(true), kinds.flag, {
    description:
      'Whether a server gets only what changed since its current release, where that is smaller than the package.',
    example: false,
  }),
  keepContent: setting(kinds.size.schema.default(1024 ** 3), kinds.size, {
    description:
      'Up to this size the content of the last release is kept in `.shipit-murder/bases`, which makes the next delta smaller; of a larger one, and of older ones, only hashes are.',
    example: '5G',
  }),
  tag: setting(kinds.tag.schema.optional(), kinds.tag, {
    description:
      'Name of a transfer by single tasks, and of the directory that it makes. A deploy names its release after the time.',
    example: 'Deploy1',
    unset: 'the time (UTC)',
  }),
  filesPath: setting(kinds.localPath.schema.optional(), kinds.localPath, {
    description:
      'Directory on the deploy host, or with `pathIsFile` the file, that single tasks distribute; a deploy takes the workspace.',
    example: '/srv/files',
    unset: 'the workspace',
  }),
  destinationPath: setting(kinds.path.schema.optional(), kinds.path, {
    description:
      'Directory on the servers in which `murder:peer` makes the directory of the tag, or with `pathIsFile` the path of the file.',
    example: '/srv/files',
    unset: '<deployTo>/releases',
  }),
  noTagDirectory: setting(kinds.flag.schema.default(false), kinds.flag, {
    description:
      'Whether `murder:peer` puts the files into `destinationPath` itself, where they overwrite others of the same name, and not into a directory of the tag.',
    example: true,
  }),
  pathIsFile: setting(kinds.flag.schema.default(false), kinds.flag, {
    description:
      'Whether `filesPath` and `destinationPath` are one file, which then travels as it is and not in a package.',
    example: true,
  }),
  page: page.prefault({}),
  unsafePleaseDelete: setting(kinds.flag.schema.default(false), kinds.flag, {
    description:
      'Whether `murder:peer` removes the old files from the directory that it fills, once all new ones are there and verified.',
    example: true,
  }),
})

/** The `murder` key of a shipitfile. Everything is optional. */
export type MurderSettings = Omit<z.input<typeof schema>, 'tracker' | 'page'> & {
  tracker?: z.input<typeof tracker> | z.input<typeof tracker>['at']
  page?: z.input<typeof page> | boolean
} & Pick<z.input<typeof rollout>, 'healthCheck' | 'revert'> & {
    stallTimeout?: number
    totalTimeout?: number
    /** @deprecated It does nothing any more. */
    prefill?: boolean
  }

/** Settings in force: checked, with every default filled in. Sizes are bytes, times are seconds. */
export type Settings = z.output<typeof schema> & {
  remotePath: string
  temporaryPath: string
  /** The tracker takes the first free one. It is only one when it was set by hand: others may rely on it. */
  trackerPorts: [first: number, last: number]
}
