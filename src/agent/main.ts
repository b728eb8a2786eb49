import { inspect } from 'node:util'
import { ExitCode, explain } from '../errors.ts'
import { oneLine } from '../text/format.ts'
import { type Command, parseArguments, unknown } from './cli/arguments.ts'
import { end, printError, printJson, printOut, survivePipes } from './cli/output.ts'

type Commands = Record<string, () => Promise<{ command: Command }>>

/** Each command is loaded only when it is asked for: a server starts this program for every deploy. */
const forPeople: Commands = {
  'make-torrent': () => import('./commands/make-torrent.ts'),
  tracker: () => import('./commands/tracker.ts'),
  seed: () => import('./commands/seed.ts'),
  peer: () => import('./commands/peer.ts'),
  verify: () => import('./commands/verify.ts'),
  stop: () => import('./commands/stop.ts'),
  status: () => import('./commands/status.ts'),
  completion: () => import('./commands/completion.ts'),
}
/** For the plugin and for this program itself. */
const internal: Commands = {
  receive: () => import('./commands/internal/receive.ts'),
  relay: () => import('./commands/internal/relay.ts'),
  link: () => import('./commands/internal/link.ts'),
  delta: () => import('./commands/internal/delta.ts'),
  signature: () => import('./commands/internal/signature.ts'),
  intact: () => import('./commands/internal/intact.ts'),
  background: () => import('./commands/internal/background.ts'),
}
const commands: Commands = { ...forPeople, ...internal }

async function load(name: string): Promise<Command | undefined> {
  return Object.hasOwn(commands, name) ? (await commands[name]?.())?.command : undefined
}

async function main([name = '--help', ...argv]: string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    printOut((await import('../version.ts')).version)
    return ExitCode.done
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    printOut((await import('./cli/help.ts')).HELP)
    return ExitCode.done
  }
  if (name === 'complete') {
    await complete(argv)
    return ExitCode.done
  }
  const command = await load(name)
  if (!command) throw await unknown(`there is no command '${name}'`, name, Object.keys(forPeople), 'murder ')
  const args = await parseArguments(name, command, argv)
  if (args.has('help')) {
    printOut(command.help)
    return ExitCode.done
  }
  return command.run(args)
}

/** For a shell: what the last word can become, one a line. The words follow a `--`. */
async function complete([, ...words]: string[]): Promise<void> {
  const { candidates } = await import('./cli/candidates.ts')
  const { COMPLETION_SCRIPTS } = await import('./cli/completion-scripts.ts')
  const { listRuns, runRoot } = await import('./runs/run-directory.ts')
  const known = {
    commands: Object.keys(forPeople),
    command: await load(words[0] ?? ''),
    tags: [...new Set(listRuns(runRoot(undefined)).map(({ state }) => state.tag))],
    shells: Object.keys(COMPLETION_SCRIPTS),
  }
  for (const candidate of candidates(words, known)) printOut(candidate)
}

const argv = process.argv.slice(2)
const debug = argv.includes('--debug')
if (debug) process.env.MURDER_DEBUG = '1'
survivePipes()

async function fail(error: unknown): Promise<never> {
  const { plainError } = await import('./cli/system-error.ts')
  const plain = plainError(error)
  if (argv.includes('--json') || argv[0] === 'receive') {
    const { failedEvent } = await import('../protocol/failed-event.ts')
    printJson(failedEvent(plain))
  }
  printError(debug ? inspect(error) : `murder: ${oneLine(explain(plain))}`)
  return end(plain.exitCode)
}

process.once('uncaughtException', fail)
main(argv).then(end, fail)
