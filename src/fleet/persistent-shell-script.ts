import { quote } from '../text/shell-quote.ts'
import { oneLine } from './ssh/bootstrap.ts'

/** The line with which a command says that it has printed all, and stays. */
export const SAID_ALL = '<<< murder has said all <<<'

/** The line after a further script's output. Then come its exit code, its standard error, and `SAID_ALL`. */
export const HAS_ENDED = '<<< murder script has ended <<<'

/** Lines of the input that are signs of life. The shell answers the second one with `IS_HERE`. */
export const PULSE = '\n'
export const PULSE_TO_ANSWER = '?\n'
export const IS_HERE = '<<< murder is here <<<'

/**
 * After this silence, by the server's own clock, no more scripts run. It is shorter than the time after which the other side
 * gives up. So a script that a dead network has delayed cannot run after it was counted as failed.
 */
const MAX_SILENCE_S = 25

/** Seconds since the system's start (proc(5)). The shell reads it without a program, and it cannot be set, unlike the clock. */
export const UPTIME = '/proc/uptime'

/**
 * A script that stays until its standard input ends, and does `pulse` for every sign of life. Any other line is a script
 * (`furtherScript`). It runs beside the loop, so that signs of life are still read, gets none of the input, and cannot change
 * the shell that runs the loop. After a long silence a script ends as if its connection had broken.
 */
export const stay = (
  pulse: string,
) => `clock() { { IFS=' .' read -r now _; } 2>/dev/null <${UPTIME} || now=$(date +%s); }
clock; heard=$now; late=
printf '%s\\n' ${quote(SAID_ALL)}
while IFS= read -r x; do
  clock; [ $((now - heard)) -lt ${MAX_SILENCE_S} ] || late=yes; heard=$now
  case "$x" in
    '?') printf '%s\\n' ${quote(IS_HERE)}; ${pulse}; continue ;;
    '') ${pulse}; continue ;;
  esac
  [ -z "$late" ] || x='exit 255'
  ( { e=$(eval "$x" 2>&1 >&3 3>&- </dev/null); c=$?; } 3>&1
    printf '\\n%s\\n%s\\n%s\\n%s\\n' ${quote(HAS_ENDED)} "$c" "$e" ${quote(SAID_ALL)} ) &
done`

/** The line of input that makes such a shell run `script`. */
export const furtherScript = (script: string): string => `${oneLine(script)}\n`
