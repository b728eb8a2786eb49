import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startFleet } from '../fleet/index.ts'
import { writeFleetState } from '../fleet/state.ts'
import { freePort } from './free-port.ts'
import { expectLive, look, lookTable } from './look.ts'
import type { Options } from './options.ts'
import { Repository } from './repository.ts'
import { shipit } from './shipit.ts'

export interface Surroundings {
  options: Options
  /** Everything goes below it. */
  path: string
  signal: AbortSignal
  say: Narrator
  /** Runs at the end, also after a failure. */
  atEnd(stop: () => Promise<void>): void
}

export interface Narrator {
  /** Begins a step. */
  step(title: string, why?: string): void
  /** A command that is run now, as one would type it. */
  command(text: string): void
  text(text: string): void
}

/** Two deploys and a rollback. Throws when a result is wrong. */
export async function story({ options, path, signal, say, atEnd }: Surroundings): Promise<void> {
  const { servers, files, size } = options
  say.step(
    `Starting ${servers} SSH servers`,
    'They are in this process: no sshd, no root. Each has a home of its own.',
  )
  const fleet = await startFleet({ count: servers, root: join(path, 'fleet') })
  atEnd(() => fleet.stop())
  const fleetFile = join(path, 'fleet.json')
  writeFleetState(fleetFile, fleet)

  say.step(`Making a git repository`, `${files} small files and one of ${size} MB.`)
  const repository = new Repository(join(path, 'app'), signal)
  const first = await repository.create(files, size)

  const env = {
    FLEET_FILE: fleetFile,
    DEPLOY_REPOSITORY: pathToFileURL(repository.directory).href,
    DEPLOY_BRANCH: 'main',
    SHIPIT_QUIET: '1',
    MURDER_TRACKER_PORT: String(await freePort()),
    TMPDIR: join(path, 'tmp'),
    ...quietGit,
  }
  const run = async (task: string, commit: string) => {
    say.command(`npx shipit production ${task}`)
    await shipit({ words: ['production', task], env, signal })
    const live = look(fleet.servers, 'production')
    say.text(`\n${lookTable(live)}`)
    expectLive(live, commit)
  }

  say.step(
    'First deploy',
    'The release is sent out about once; the servers pass its pieces on to each other. Only when\n' +
      'every server has all of it, verified and unpacked, the symlink "current" changes everywhere.',
  )
  await run('deploy', first)

  say.step(
    'A commit, and a second deploy',
    'One file changed, one new, one gone. Servers take what they have from the release before.',
  )
  const second = await repository.change()
  await run('deploy', second)

  say.step('Rollback', 'The release before is still there, so only the symlinks change.')
  await run('rollback', first)
}

/** Settings of git that keep its advice out of what is shown. */
const quietGit = {
  GIT_CONFIG_COUNT: '2',
  GIT_CONFIG_KEY_0: 'init.defaultBranch',
  GIT_CONFIG_VALUE_0: 'main',
  GIT_CONFIG_KEY_1: 'advice.detachedHead',
  GIT_CONFIG_VALUE_1: 'false',
}
