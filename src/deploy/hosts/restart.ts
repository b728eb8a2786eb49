import { explain, type MurderError } from '../../errors.ts'
import { pause } from '../../system/backoff.ts'

/** A tracker or a seeder, for as long as this process lives. */
export interface Agent {
  /** Content bytes that it has sent so far. */
  readonly sent: number
  /** Settles when it ended by itself: with what it said, or undefined when it was stopped. */
  readonly ended: Promise<MurderError | undefined>
  stop(): Promise<void>
}

export type Role = 'tracker' | 'seed'
export type StartAgent = (role: Role, args: readonly string[]) => Promise<{ agent: Agent; port: number }>

/** Restarts of one agent: one that keeps ending has a cause that no restart cures. */
const MOST_RESTARTS = 5
/** Seconds before a restart, and before the next attempt: its port is free again a moment later. */
const PAUSE = 0.25

/**
 * Starts an agent, and again, on the same port, when it ends by itself: the servers know it there. `ended` settles only when
 * that does not help.
 */
export async function startKept(
  start: StartAgent,
  role: Role,
  args: readonly string[],
  log: (line: string) => void,
): Promise<{ agent: Agent; port: number }> {
  const first = await start(role, args)
  const { port } = first
  const samePort = [...args, ...(role === 'tracker' ? ['--port', `${port}`] : ['--ports', `${port}-${port}`])]
  let current: Agent = first.agent
  let sentBefore = 0
  let stopping = false

  const again = async (ended: MurderError): Promise<MurderError | undefined> => {
    sentBefore += current.sent
    let cause = ended
    for (let attempt = 1; attempt <= MOST_RESTARTS; attempt++) {
      await pause(PAUSE * attempt)
      if (stopping) return undefined
      try {
        current = (await start(role, samePort)).agent
        if (stopping) await current.stop()
        return undefined
      } catch (error) {
        cause = error as MurderError
      }
    }
    return cause
  }
  const watch = async (): Promise<MurderError | undefined> => {
    for (let restarts = 0; ; restarts++) {
      const ended = await current.ended
      if (!ended || stopping) return undefined
      if (restarts === MOST_RESTARTS) return ended
      log(`${explain(ended)}; it is started again`)
      const failed = await again(ended)
      if (failed || stopping) return failed
    }
  }
  const agent: Agent = {
    get sent() {
      return sentBefore + current.sent
    },
    ended: watch(),
    async stop() {
      stopping = true
      await current.stop()
    },
  }
  return { agent, port }
}
