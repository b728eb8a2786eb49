import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ExitCode, explain, MurderError } from '../../src/errors.ts'
import { duration } from '../../src/text/format.ts'
import { type Options, readOptions, workplace } from './options.ts'
import { endAll } from './processes.ts'
import { checkPrograms } from './programs.ts'
import { type Narrator, story } from './story.ts'

/** Seconds that background processes may take to end by themselves. */
const GRACE = 5

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  checkPrograms()
  const begun = Date.now()
  console.log(
    '\nA deploy to several servers with shipit-murder, all on this machine. Nothing is written outside of a\n' +
      'temporary directory, and everything is stopped at the end.',
  )
  await show(options)
  console.log(
    `\nDone in ${duration((Date.now() - begun) / 1000)}. Everything is stopped${
      options.directory === undefined ? ' and removed' : `; what it made is in ${options.directory}`
    }. README.md says how to use it in a project of your own.`,
  )
}

/** Runs the story, and in any case tidies up. */
async function show(options: Options): Promise<void> {
  const { path, remove } = workplace(options)
  const paths = ['fleet', 'tmp'].map((name) => join(path, name))
  for (const directory of paths) mkdirSync(directory, { recursive: true })
  const stops: (() => Promise<void>)[] = []
  const { signal, done } = interruptions()
  try {
    await story({ options, path, signal, say: narrator(), atEnd: (stop) => stops.push(stop) })
  } catch (error) {
    // An error after an interruption is its consequence: the interruption is what counts.
    signal.throwIfAborted()
    throw error
  } finally {
    // Not earlier: until here the terminal belonged to the deploy.
    if (signal.aborted) console.error('\nInterrupted: stopping everything')
    for (const stop of stops.reverse()) await stop()
    const left = await endAll(paths, GRACE)
    for (const { command } of left) console.error(`Had to end a process that was left: ${command}`)
    remove()
    done()
  }
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** Ctrl-C ends the story where it is; the tidying that follows is not interrupted. */
function interruptions(): { signal: AbortSignal; done(): void } {
  const controller = new AbortController()
  const names = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[]
  const stop = (name: keyof typeof EXIT_CODES) => {
    if (controller.signal.aborted) return
    controller.abort(
      new MurderError('INTERRUPTED', 'The demo was interrupted', { exitCode: EXIT_CODES[name] }),
    )
  }
  for (const name of names) process.on(name, stop)
  return {
    signal: controller.signal,
    done() {
      for (const name of names) process.off(name, stop)
    },
  }
}

function narrator(): Narrator {
  const colour = process.stdout.isTTY && !process.env.NO_COLOR
  const bold = (text: string) => (colour ? `\u001b[1m${text}\u001b[22m` : text)
  let steps = 0
  return {
    step(title, why) {
      console.log(`\n${bold(`${++steps}. ${title}`)}`)
      if (why !== undefined) console.log(why)
    },
    command: (text) => console.log(`\n${bold(`$ ${text}`)}`),
    text: (text) => console.log(text),
  }
}

await main().catch((error) => {
  const interrupted = error instanceof MurderError && error.code === 'INTERRUPTED'
  if (!interrupted) console.error(`\nThe demo failed: ${explain(error)}`)
  process.exitCode = error instanceof MurderError ? error.exitCode : ExitCode.failed
})
