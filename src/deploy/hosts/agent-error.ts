import type { Settings } from '../../config/schema.ts'
import { MurderError } from '../../errors.ts'
import { type AgentEvent, parseEvent } from '../../protocol/events.ts'
import { errorOf } from '../../protocol/failed-event.ts'
import { defined } from '../../system/defined.ts'
import { fullDiskCure } from '../preflight/space.ts'

/** A message is cut to this length, because a server may have made it up. */
const MAX_TEXT_CHARACTERS = 1000

/**
 * The failure that an agent reported. Its own cures are for its command line; in a deploy the settings help. `isRelayed`: it reaches
 * tracker and seeder through SSH, at addresses that are nobody's business.
 */
export function agentError(
  failed: AgentEvent & { event: 'failed' },
  settings: Settings,
  { isRelayed = false } = {},
): MurderError {
  const { code, message, exitCode, step, cure: own } = errorOf(failed)
  if (code === 'NOT_CONNECTED' && isRelayed) return nothingThroughSsh(exitCode, settings)
  const cure = cureOf(code, step, settings) ?? own?.slice(0, MAX_TEXT_CHARACTERS)
  return new MurderError(code, message.slice(0, MAX_TEXT_CHARACTERS), {
    exitCode,
    ...defined({ cure, step }),
  })
}

/** The agent's event in a line of its output, if it is one. Throws the failure that the agent reports. */
export function checkedEvent(line: string, settings: Settings): AgentEvent | undefined {
  const event = parseEvent(line)
  if (event?.event === 'failed') throw agentError(event, settings)
  return event
}

const nothingThroughSsh = (exitCode: number, { timeouts: { stall } }: Settings): MurderError =>
  new MurderError('NOT_CONNECTED', `nothing came through its SSH connection in ${stall} s`, {
    exitCode,
    cure: `see whether the deploy host or this server has too much to do (uptime), or a firewall that drops the text "BitTorrent protocol" on loopback, too; murder.timeouts.stall sets how long to wait (${stall} s)`,
  })

function cureOf(
  code: string,
  step: string | undefined,
  { tracker, ports, seeder, timeouts }: Settings,
): string | undefined {
  switch (code) {
    case 'NOT_CONNECTED':
      return (
        (seeder === 'local'
          ? 'set murder.announce to the address of the deploy host that servers reach, or murder.seeder to one of the servers, '
          : 'set murder.announce to the address of the seeder that the other servers reach, ') +
        `and let TCP ports ${tracker.port} (murder.tracker.port) and ${ports.join('-')} (murder.ports) through firewalls`
      )
    case 'STALLED':
      return `check the network between this server and ${seeder === 'local' ? 'the deploy host' : seeder}, where the seeder is; murder.timeouts.stall sets how long to wait (${timeouts.stall} s)`
    case 'TIMED_OUT':
      return 'raise murder.timeouts.total, or set it to 0 for no limit'
    case 'PORT_TAKEN':
      return 'stop the program that uses it (another deploy?), or set murder.tracker.port to another port'
    case 'NO_PORT':
      return 'set murder.ports to a range with free ports'
    case 'DISK_FULL':
      return step === 'unpack' ? 'free space there, for example by removing old releases' : fullDiskCure(true)
    case 'STOPPED':
    case 'DIED':
      return 'deploy again; if it happens again, look for what ends it (its memory limit, another deploy)'
    case 'TAG_TAKEN':
    case 'RELEASE_EXISTS':
      return 'see whether another deploy is running, then deploy again'
    default:
      return undefined
  }
}
