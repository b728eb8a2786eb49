import * as z from 'zod'
import { betweenAddresses } from './kinds/address-kind.ts'
import * as hosts from './kinds/hosts.ts'
import * as numbers from './kinds/numbers.ts'
import * as paths from './kinds/paths.ts'
import * as rollouts from './kinds/rollout.ts'
import { sites } from './kinds/site-kind.ts'
import * as sizes from './kinds/sizes.ts'
import * as words from './kinds/words.ts'
import { notify } from './sections/notify.ts'
import { page } from './sections/page.ts'
import { rollout } from './sections/rollout.ts'
import { setting } from './sections/setting.ts'
import { timeouts } from './sections/timeouts.ts'
import { tracker } from './sections/tracker.ts'

/** Groups in whose place one of their settings may be given alone. */
export const shorthands = { tracker: 'at', page: 'serve' } as const

/**
 * Every setting of the `murder` key of a shipitfile: the one place for its type, its default and its documentation.
 * The environment variables, `murder:config` and docs/settings.md all come from here.
 */
export const schema = z.strictObject({
  tracker: tracker.prefault({}),
  seeder: setting(hosts.seeder.schema.default('local'), hosts.seeder, {
    description:
      'Where the seeder runs: `local` for the deploy host, or a server, to which the package is then uploaded once. It may be one of `servers`, or another one, which is then reached like the first of them.',
    example: 'deploy@a.example.com',
  }),
  peers: setting(hosts.servers.schema.optional(), hosts.servers, {
    description:
      'Servers for `murder:peer` and the other single tasks, in place of `servers`. Those that are not in `servers` are reached like the first one there.',
    example: ['deploy@x.example.com', 'deploy@y.example.com:2222'],
    unset: 'all servers',
  }),
  roles: setting(hosts.roles.schema.default([]), hosts.roles, {
    description:
      'Only servers that have one of these roles take part in the run; the entries of `servers` say which they have (docs/rollout.md).',
    example: ['web'],
  }),
  only: setting(hosts.names.schema.default([]), hosts.names, {
    description: 'Only these servers take part in the run.',
    example: ['a.example.com'],
  }),
  except: setting(hosts.names.schema.default([]), hosts.names, {
    description: 'These servers do not take part in the run.',
    example: ['b.example.com'],
  }),
  announce: setting(hosts.host.schema.optional(), hosts.host, {
    description: 'Address of the deploy host, or of the server that `seeder` names, as the servers reach it.',
    example: '10.0.0.1',
    unset: 'the deploy host as each server sees it over SSH',
  }),
  remotePath: setting(paths.path.schema.optional(), paths.path, {
    description: 'Directory on the servers for the agent and its state.',
    example: '/var/lib/murder',
    unset: '<deployTo>/shared/murder',
  }),
  temporaryPath: setting(paths.path.schema.optional(), paths.path, {
    description:
      'Directory on the servers for packages in transit; each transfer makes its own directory in it.',
    example: '/var/tmp/murder',
    unset: '<remotePath>/tmp',
  }),
  node: setting(paths.node.schema.optional(), paths.node, {
    description:
      'Name or path of Node.js (20.19 or newer) on the servers. Unless it is set, the one on the PATH is taken, or the newest that nvm, fnm, volta, asdf, mise, n, Homebrew and the like have put elsewhere; with `bring` one is uploaded to each server that has none, with `{ bring: path }` this file of the deploy host.',
    example: 'bring',
    unset: 'found on each server',
  }),
  ports: setting(numbers.portRange.schema.default([6881, 6999]), numbers.portRange, {
    description:
      'TCP ports of peers and of the seeder. Each takes the first free one, so open them between the machines of the fleet. The default is BitTorrent’s customary range, clear of the ports that systems give to outgoing connections.',
    example: [7000, 7010],
  }),
  reach: setting(words.reach.schema.default('auto'), words.reach, {
    description:
      'How servers reach tracker and seeder of a deploy on the deploy host: `direct`, on their ports; through the SSH connection that each server has (`ssh`), which needs no open port; or `auto`, directly where that works, and else through SSH.',
    example: 'ssh',
  }),
  between: setting(words.reach.schema.default('direct'), words.reach, {
    description:
      'How servers of a deploy reach each other: `direct`, on `ports`; over SSH (`ssh`), with a key in `authorized_keys` for this deploy alone that can do nothing else (docs/reach.md); or `auto`, over SSH where too few of them reach each other directly.',
    example: 'ssh',
  }),
  betweenAddresses: setting(betweenAddresses.schema.default([]), betweenAddresses, {
    description:
      'Where other servers reach the sshd of a server, where that is not the address and port that it knows of itself: by its name in `servers`, as `[user@]host[:port]`.',
    example: { 'a.example.com': '10.0.0.5:2222' },
  }),
  linger: setting(numbers.seconds.schema.default(30), numbers.seconds, {
    description: 'Seconds that a server goes on sharing in the background after its own download is done.',
    example: 60,
  }),
  package: setting(words.packageForm.schema.default('file'), words.packageForm, {
    description:
      'How a release travels: packed into one `file`, or as the `directory` it is, file by file and not compressed, which needs room for the content only once on a server, and for no package on the deploy host; the workspace must not change meanwhile.',
    example: 'directory',
  }),
  compression: setting(words.compression.schema.default('auto'), words.compression, {
    description:
      'Compression of the package: `auto` is the best one that the deploy host and every server have.',
    example: 'gzip',
  }),
  ignore: setting(paths.patterns.schema.default([]), paths.patterns, {
    description:
      'Files to leave out of the package, in the syntax of .gitignore, besides those in `ignores`, which has rsync’s.',
    example: ['*.log', '/coverage'],
  }),
  uploadLimit: setting(sizes.limit.schema.default(0), sizes.limit, {
    description: 'Bytes a second that each machine may send in all.',
    example: '10M',
  }),
  downloadLimit: setting(sizes.limit.schema.default(0), sizes.limit, {
    description: 'Bytes a second that each machine may receive in all.',
    example: '50M',
  }),
  sites: setting(sites.schema.default([]), sites, {
    description:
      'Which servers are at the same place, where there are several with long ways between them: each piece then crosses into a place once, with at most `limit` bytes a second into it and as many out of it.',
    example: { paris: { servers: ['a.example.com'], limit: '10M' }, tokyo: ['b.example.com'] },
  }),
  concurrency: setting(numbers.concurrency.schema.default(30), numbers.concurrency, {
    description: 'Number of SSH connections that are opened at the same time.',
    example: 10,
  }),
  timeouts: timeouts.prefault({}),
  tolerate: setting(rollouts.tolerance.schema.default(0), rollouts.tolerance, {
    description:
      'How many servers may fail without the deploy failing. They are left out of the rest of the run, and the next deploy brings them up to date. A share is rounded down, and one server always has to succeed.',
    example: '10%',
  }),
  retries: setting(numbers.retries.schema.default(12), numbers.retries, {
    description:
      'How often a command is tried again on a server that turns the connection away, loses it or has no processes left, with growing pauses.',
    example: 3,
  }),
  batch: setting(rollouts.group.schema.optional(), rollouts.group, {
    description:
      'How many servers are published at a time, a short form of `rollout.groups`. When one group fails, the next ones are not published.',
    example: '25%',
    unset: 'all servers at once',
  }),
  rollout: rollout.prefault({}),
  notify: notify.prefault({}),
  activate: setting(rollouts.commands.schema.optional(), rollouts.commands, {
    description:
      'Command on each server after every change of its symlink, also when it goes back, run in the directory `current`: what restarts the application, for example; or one for each role.',
    example: 'systemctl --user restart app',
    unset: 'none',
  }),
  rollbackAny: setting(words.flag.schema.default(false), words.flag, {
    description:
      'Whether a rollback may also go to a release that was never live, or that was rolled back from before.',
    example: true,
  }),
  pieceLength: setting(sizes.pieceLength.schema.optional(), sizes.pieceLength, {
    description: 'Bytes in a piece of the torrent.',
    example: '256K',
    unset: 'chosen from the size of the package',
  }),
  allowStrangers: setting(words.flag.schema.default(false), words.flag, {
    description:
      'Whether other BitTorrent programs may join the swarm. Otherwise all participants must prove that they know the secret of the deploy, and the tracker answers only the fleet.',
    example: true,
  }),
  encrypt: setting(words.flag.schema.default(false), words.flag, {
    description:
      'Whether the package is encrypted (AES-256-GCM, a key of its own for each deploy) on its way and while it waits on disk, and so are deltas.',
    example: true,
  }),
  deltas: setting(words.flag.schema.default(true), words.flag, {
    description:
      'Whether a server gets only what changed since its current release, where that is smaller than the package.',
    example: false,
  }),
  keepContent: setting(sizes.size.schema.default(1024 ** 3), sizes.size, {
    description:
      'Up to this size the content of the last release is kept in `.shipit-murder/bases`, which makes the next delta smaller; of a larger one, and of older ones, only hashes are.',
    example: '5G',
  }),
  tag: setting(paths.tag.schema.optional(), paths.tag, {
    description:
      'Name of a transfer by single tasks, and of the directory that it makes. A deploy names its release after the time.',
    example: 'Deploy1',
    unset: 'the time (UTC)',
  }),
  filesPath: setting(paths.localPath.schema.optional(), paths.localPath, {
    description:
      'Directory on the deploy host, or with `pathIsFile` the file, that single tasks distribute; a deploy takes the workspace.',
    example: '/srv/files',
    unset: 'the workspace',
  }),
  destinationPath: setting(paths.path.schema.optional(), paths.path, {
    description:
      'Directory on the servers in which `murder:peer` makes the directory of the tag, or with `pathIsFile` the path of the file.',
    example: '/srv/files',
    unset: '<deployTo>/releases',
  }),
  noTagDirectory: setting(words.flag.schema.default(false), words.flag, {
    description:
      'Whether `murder:peer` puts the files into `destinationPath` itself, where they overwrite others of the same name, and not into a directory of the tag.',
    example: true,
  }),
  pathIsFile: setting(words.flag.schema.default(false), words.flag, {
    description:
      'Whether `filesPath` and `destinationPath` are one file, which then travels as it is and not in a package.',
    example: true,
  }),
  page: page.prefault({}),
  unsafePleaseDelete: setting(words.flag.schema.default(false), words.flag, {
    description:
      'Whether `murder:peer` removes the old files from the directory that it fills, once all new ones are there and verified.',
    example: true,
  }),
})

/** The `murder` key of a shipitfile. Everything is optional. */
export type MurderSettings = Omit<z.input<typeof schema>, 'tracker' | 'page'> & {
  tracker?: z.input<typeof tracker> | z.input<typeof tracker>['at']
  page?: z.input<typeof page> | boolean
} & Pick<z.input<typeof rollout>, 'healthCheck' | 'revert' | 'confirm' | 'undo'> & {
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
