import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ExitCode, explain, MurderError } from '../../src/errors.ts'
import { startFleet } from './index.ts'
import { readFleetState, removeFleetState, writeFleetState } from './state.ts'
import { FLEET_FILE_PATH } from './target.ts'

const USAGE = 'npm run fleet -- [--count 5] [--root DIRECTORY] [--state FILE]'

interface Options {
  count: number
  /** Keys and home directories; without it a temporary one that is removed at the end. */
  root?: string | undefined
  state: string
}

function options(): Options {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '5' },
      root: { type: 'string' },
      state: { type: 'string', default: FLEET_FILE_PATH },
    },
  })
  const count = Number(values.count)
  if (!Number.isInteger(count) || count < 1 || count > 250) {
    throw new MurderError('USAGE', `--count takes 1 to 250, not ${values.count}`, {
      exitCode: ExitCode.usage,
      cure: USAGE,
    })
  }
  return { count, root: values.root, state: resolve(values.state) }
}

/** A fleet in the foreground, until Ctrl-C. */
async function main(): Promise<void> {
  const { count, root: given, state } = options()
  const running = readFleetState(state)
  if (running) {
    throw new MurderError('FLEET_RUNS', `A fleet is running already, as process ${running.pid}`, {
      cure: 'use that one, stop it, or start another with --state FILE',
    })
  }
  const root = given === undefined ? mkdtempSync(join(tmpdir(), 'murder-fleet-')) : resolve(given)
  const removeRoot = () => {
    if (given === undefined) rmSync(root, { recursive: true, force: true })
  }
  const fleet = await startFleet({ count, root }).catch((error) => {
    removeRoot()
    throw error
  })
  writeFleetState(state, fleet)

  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    removeFleetState(state)
    await fleet.stop()
    removeRoot()
    process.exit(ExitCode.done)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)

  console.log(`${count} SSH servers in this process; Ctrl-C stops them.`)
  for (const { user, host, port, home } of fleet.servers) console.log(`  ${user}@${host}:${port}  ${home}`)
  const elsewhere = state === resolve(FLEET_FILE_PATH) ? '' : `FLEET_FILE=${state} `
  console.log(`Now, in another terminal: ${elsewhere}npx shipit production deploy`)
}

await main().catch((error) => {
  console.error(explain(error))
  process.exitCode = error instanceof MurderError ? error.exitCode : ExitCode.failed
})
