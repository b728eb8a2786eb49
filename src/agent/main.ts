import { ExitCode, explain } from '../errors.ts'
import { type Command, parseArguments, unknown } from './cli/arguments.ts'
import { end, printOut, survivePipes } from './cli/output.ts'

/** Each command is loaded only when it is asked for: a server starts this program for every deploy. */
const commands: Record<string, () => Promise<{ command: Command }>> = {
  'make-torrent': () => import('./commands/make-torrent.ts'),
  tracker: () => import('./commands/tracker.ts'),
  seed: () => import('./commands/seed.ts'),
  peer: () => import('./commands/peer.ts'),
  receive: () => import('./commands/receive.ts'),
  verify: () => import('./commands/verify.ts'),
  stop: () => import('./commands/stop.ts'),
  status: () => import('./commands/status.ts'),
  background: () => import('./commands/background.ts'),
}
/** For the plugin and for this program itself, not for people. */
const HIDDEN = ['receive', 'background']

async function main([name = '--help', ...argv]: string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    printOut((await import('../version.ts')).version)
    return ExitCode.done
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    printOut((await import('./cli/help.ts')).HELP)
    return ExitCode.done
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!load) {
    const known = Object.keys(commands).filter((command) => !HIDDEN.includes(command))
    throw await unknown(`there is no command '${name}'`, name, known, 'murder ')
  }
  const { command } = await load()
  const args = await parseArguments(name, command, argv)
  if (args.has('help')) {
    printOut(command.help)
    return ExitCode.done
  }
  return command.run(args)
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
    printOut(JSON.stringify(failedEvent(plain)))
  }
  console.error(debug ? error : `murder: ${explain(plain)}`)
  return end(plain.exitCode)
}

process.once('uncaughtException', fail)
main(argv).then(end, fail)
