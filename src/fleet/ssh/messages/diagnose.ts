import { ExitCode, MurderError } from '../../../errors.ts'
import { defined } from '../../../system/defined.ts'
import { lastWords as lastWordsOf } from '../../../text/last-words.ts'
import type { Route } from '../connection/route.ts'
import { asOurs } from '../options.ts'
import type { Server } from '../server.ts'
import type { SessionResult } from '../session.ts'
import type { Finding } from './message.ts'
import { defaultLogin, findBeforeStart } from './ssh-messages.ts'

/** How a command over SSH ended. */
export interface Ending {
  server: string
  /** The command that does the same login by hand. */
  byHand?: string | undefined
  step: string
  exitCode: number | null
  signal: string | null
  /** Whether the script began to run on the server. Before that, everything on stderr is ssh's or the login shell's. */
  started: boolean
  /** The tail of stderr. */
  stderr: string
}

/** Once a script has started, only these messages say that the connection, not the script, has failed. */
const CONNECTION_LOST =
  /Connection to \S+ closed by remote host|client_loop: send disconnect|Timeout, server .* not responding|Connection reset by|packet_write_wait|ssh_dispatch_run_fatal|read from master failed|Shared connection to \S+ closed|^$/

const SSH_REMARKS =
  /^(?:debug\d: |Warning: Permanently added |Pseudo-terminal will not be|Shared connection to |ControlSocket .* already exists|mux_client_|Control socket connect\(|\*\* )/

/** Why a command failed, in the user's terms. Pure. */
export function diagnose(ending: Ending): MurderError {
  const { code, what, cure } = find(ending)
  const { server, step, stderr } = ending
  return new MurderError(code, `${server}: ${step}: ${what}`, {
    server,
    step,
    ...defined({ cure }),
    cause: stderr.trim(),
  })
}

/** Whether the connection was rejected before the login, as sshd and firewalls do when too many come at once: worth a retry. */
export function isTurnedAway(ending: Pick<Ending, 'started' | 'stderr'>): boolean {
  return !ending.started && findBeforeStart(ending.stderr, '')?.passes === true
}

/** Whether the way to the server failed, and ssh did not say all that it could about it. */
export function hidesCause(ending: { started?: boolean; stderr: string }): boolean {
  return ending.started !== true && findBeforeStart(ending.stderr, '')?.hidesCause === true
}

/** Messages that say that a program could not be started, here or on the server. */
const EXHAUSTED =
  /[Cc]annot fork|fork: |Resource temporarily unavailable|Cannot allocate memory|Too many open files|(?:shell|exec) request failed|\bE(?:AGAIN|MFILE|NFILE|NOMEM)\b/

/** Whether processes, descriptors or memory ran out, here or there: worth a retry. */
export function isExhausted({ stderr }: Pick<Ending, 'stderr'>): boolean {
  return EXHAUSTED.test(stderr)
}

/**
 * Whether the connection, not the command, failed: a repeatable command can be tried again. A signal that ended ssh here says
 * nothing about the command there.
 */
export function isLost({ exitCode, stderr }: Pick<Ending, 'exitCode' | 'stderr'>): boolean {
  if (exitCode === null) return true
  return exitCode === 255 && CONNECTION_LOST.test(lastWords(stderr) ?? stderr.trim())
}

/** Whether the shared connection broke before the command had a session on it: worth a new connection. */
export function lostShared(ending: Pick<Ending, 'started' | 'stderr'>): boolean {
  return !ending.started && /^mux_client_\w+: .*(?:master|packet|Broken pipe)/m.test(ending.stderr)
}

/** The last words of `stderr`, without ssh's own remarks; undefined when there are none. */
export const lastWords = (stderr: string): string | undefined => lastWordsOf(stderr, SSH_REMARKS)

function find(ending: Ending): Finding {
  return ending.started ? afterStart(ending) : notStarted(ending)
}

function notStarted({ stderr, server, byHand, exitCode, signal }: Ending): Finding {
  const known = findBeforeStart(stderr, server, byHand)
  if (known) return known
  if (isExhausted({ stderr })) return exhaustedFinding(lastWords(stderr))
  const said = lastWords(stderr)
  return {
    code: 'SSH_FAILED',
    what: `no command could be run (${ended(exitCode, signal)})${said ? `: ${said}` : ''}`,
    cure: `this must work: ${asOurs(byHand ?? defaultLogin(server))} 'echo ok'`,
  }
}

/** What a shell gives for a program that SIGKILL has ended. */
const KILLED = 128 + 9

function afterStart({ stderr, exitCode, signal }: Ending): Finding {
  const said = lastWords(stderr)
  if (isLost({ exitCode, stderr })) {
    return {
      code: 'SSH_LOST',
      what:
        exitCode === null
          ? `the command failed without a message (${ended(exitCode, signal)})`
          : 'the connection broke while the command ran',
      cure: 'run the same command again',
    }
  }
  if (/No space left on device|Disk quota exceeded/.test(stderr)) {
    return {
      code: 'DISK_FULL',
      what: `its disk is full: ${said}`,
      cure: 'free space or inodes there (df, df -i)',
    }
  }
  if (isExhausted({ stderr })) return exhaustedFinding(said)
  if (exitCode === 127 && said) {
    return { code: 'COMMAND_NOT_FOUND', what: said, cure: 'install it there, or set its full path' }
  }
  if (exitCode === KILLED) {
    return {
      code: 'COMMAND_KILLED',
      what: 'the program there was killed (SIGKILL), as the kernel does where memory runs out',
      cure: "look for 'Out of memory' in dmesg there, or for who else ended it; then run the same command again",
    }
  }
  return {
    code: 'COMMAND_FAILED',
    what: said ?? `the command failed without a message (${ended(exitCode, signal)})`,
  }
}

const exhaustedFinding = (said: string | undefined): Finding => ({
  code: 'NO_PROCESSES',
  what: `there are no processes, file descriptors or memory left, also on every retry: ${said ?? 'it said no more'}`,
  cure: 'see what uses them up, or raise the limits (ulimit -u, ulimit -n)',
})

function ended(exitCode: number | null, signal: string | null): string {
  return exitCode === null ? `killed by ${signal ?? 'a signal'}` : `exit code ${exitCode}`
}

/** Settings that limit the user's own commands, by step. */
const OWN_TIMEOUTS: Record<string, string> = {
  health: 'health',
  before: 'hook',
  after: 'hook',
  activate: 'hook',
}

/** The failure when a limit has run out. `connect` counts until the script starts, `stall` while nothing moves. */
export function outOfTime(
  limit: 'connect' | 'stall' | 'total',
  seconds: number,
  server: string,
  step: string,
  { turns, through }: Route = { turns: 1 },
): MurderError {
  const [code, what, cure] = {
    connect: [
      'SSH_TIMEOUT',
      `it did not answer within ${seconds} s${turns > 1 ? ` on any of ${turns} tries` : ''}${through ? ` through ${through}` : ''}`,
      `check that it ${through ? `and ${through} are` : 'is'} up and that no firewall drops the connection`,
    ],
    stall: [
      'STALLED',
      `nothing moved for ${seconds} s`,
      'check the server and its network, or raise murder.timeouts.stall',
    ],
    total: [
      'TIMED_OUT',
      `it was not done after ${seconds} s`,
      // The agent keeps the limit of a transfer. Of all other commands only the user's own have a setting.
      OWN_TIMEOUTS[step] === undefined
        ? 'see what keeps the server busy, then try again'
        : `see why it takes so long, or raise murder.timeouts.${OWN_TIMEOUTS[step]}`,
    ],
  }[limit] as [string, string, string]
  const exitCode = limit === 'connect' ? ExitCode.failed : ExitCode.stalled
  return new MurderError(code, `${server}: ${step}: ${what}`, { server, step, cure, exitCode })
}

export const outputTooLong = (server: string, step: string): MurderError =>
  new MurderError('OUTPUT_TOO_LONG', `${server}: ${step}: it printed more than expected`, {
    server,
    step,
    cure: 'see what the login shell of this user prints there',
  })

/** Why a session failed; undefined when it succeeded: it started, ended by itself, and its exit code is 0. */
export function judge(
  result: SessionResult,
  { label: server, byHand }: Pick<Server, 'label' | 'byHand'>,
  step: string,
  signal: AbortSignal,
): MurderError | undefined {
  const { stop, exitCode, started } = result
  if (!stop) return exitCode === 0 && started ? undefined : diagnose({ ...result, server, byHand, step })
  switch (stop.why) {
    case 'abort':
      return abortError(signal, server, step)
    case 'output':
      return outputTooLong(server, step)
    case 'error':
      return failure(stop.error, server, step)
    case 'connect':
      return outOfTime(stop.why, stop.seconds, server, step, stop.route)
    default:
      return outOfTime(stop.why, stop.seconds, server, step)
  }
}

/** The failure of work that was aborted: the signal's reason, when that is a MurderError. */
export function abortError(signal: AbortSignal, server: string, step: string): MurderError {
  if (signal.reason instanceof MurderError) return failure(signal.reason, server, step)
  return new MurderError('INTERRUPTED', `${server}: ${step}: interrupted`, {
    server,
    step,
    exitCode: ExitCode.interrupted,
  })
}

/** `error` as a failure of this server. A MurderError keeps its code, step, cure and exit code. */
export function failure(error: unknown, server: string, step: string): MurderError {
  if (error instanceof MurderError && error.server !== undefined) return error
  const message = error instanceof Error ? error.message : String(error)
  const known = error instanceof MurderError ? error : undefined
  const at = known?.step ?? step
  return new MurderError(known?.code ?? 'FAILED', `${server}: ${at}: ${message}`, {
    server,
    step: at,
    cause: error,
    ...defined({ exitCode: known?.exitCode, cure: known?.cure }),
  })
}
