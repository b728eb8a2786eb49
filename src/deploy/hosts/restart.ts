import { explain, type MurderError } from '../../errors.ts'
import { pause } from '../../system/backoff.ts'
import type { Agent, AgentRole } from './running-agent.ts'

/** An agent that keeps ending has a cause that no restart cures. */
const MAX_RESTARTS = 5
/** Pause before the first restart; it grows with each further one. The port is free again after a moment. */
const RESTART_PAUSE_S = 0.25

/**
 * Starts an agent, and starts it again on the same port when it ends by itself: the servers know only that port. `ended` settles
 * only when restarts do not help.
 */
export async function startRestarted(
  start: (args: readonly string[]) => Promise<Agent>,
  role: AgentRole,
  args: readonly string[],
  log: (line: string) => void,
): Promise<Agent> {
  let current = await start([role, ...args])
  const { port } = current
  const samePort =
    role === 'tracker' ? ['--port', `${port}`, '--last-port', `${port}`] : ['--ports', `${port}-${port}`]
  let sentBefore = 0
  let stopping = false

  const again = async (ended: MurderError): Promise<MurderError | undefined> => {
    sentBefore += current.sent
    let cause = ended
    for (let attempt = 1; attempt <= MAX_RESTARTS; attempt++) {
      await pause(RESTART_PAUSE_S * attempt)
      if (stopping) return undefined
      try {
        current = await start([role, ...args, ...samePort])
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
      if (restarts === MAX_RESTARTS) return ended
      log(`${explain(ended)}; it is started again`)
      const failed = await again(ended)
      if (failed || stopping) return failed
    }
  }
  return {
    port,
    get sent() {
      return sentBefore + current.sent
    },
    ended: watch(),
    async stop() {
      stopping = true
      await current.stop()
    },
  }
}
