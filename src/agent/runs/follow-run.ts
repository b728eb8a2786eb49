import { ExitCode, MurderError } from '../../errors.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import { errorOf } from '../../protocol/failed-event.ts'
import { defined } from '../../system/defined.ts'
import type { Interrupt } from '../cli/interrupt.ts'
import type { StartedRun } from './start-run.ts'
import { stopRun } from './stop-run.ts'
import { follow } from './tail-events.ts'

const CONTINUE = 'what is here is kept, and the same command goes on from it'

/**
 * Follows a run until its event `until`. Throws its failure, or an error if it died. Ctrl-C and other signals stop the run too,
 * unless `onAsked` is 'leave'. A lost terminal leaves it running.
 */
export async function followUntil(
  started: StartedRun,
  until: 'listening' | 'done',
  interrupt: Interrupt,
  onEvent: (event: AgentEvent) => void,
  onAsked: 'stop' | 'leave' = 'stop',
): Promise<void> {
  for await (const event of follow(started.run.folder, started.alive, interrupt.signal)) {
    if (event.event === 'failed') throw errorOf(event)
    onEvent(event)
    if (event.event === until) return
  }
  if (!interrupt.signal.aborted) throw started.died()
  const { role, tag } = started.run.state
  if (interrupt.reason() === 'abandoned' || onAsked === 'leave') {
    throw new MurderError('INTERRUPTED', `interrupted; the ${role} ${tag} goes on in the background`, {
      exitCode: ExitCode.interrupted,
      cure: 'the same command follows it again',
    })
  }
  await stopRun(started.run)
  throw new MurderError('INTERRUPTED', `interrupted; the ${role} ${tag} was stopped`, {
    exitCode: ExitCode.interrupted,
    ...defined({ cure: role === 'peer' ? CONTINUE : undefined }),
  })
}
