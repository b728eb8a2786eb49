import { quote } from '../text/shell-quote.ts'
import { oneLine } from './ssh/bootstrap.ts'

/** The line after which a held command has said all and stays. */
export const saidAll = '<<< murder has said all <<<'

/** The line after a further script's output; its exit code follows, then what it said on standard error, then `saidAll`. */
export const hasEnded = '<<< murder script has ended <<<'

/**
 * Seconds without a line, by the server's own clock, after which a held command runs no more scripts: fewer than it takes until
 * the other side gives it up. A script that a dead network has kept must not run when it counts as failed everywhere else.
 */
const LONGEST_SILENCE = 25

/** Seconds since the system's start (proc(5)), which the shell can read by itself, and which nobody sets. */
export const UPTIME = '/proc/uptime'

/**
 * Script that stays until its standard input ends, and does `pulse` for every empty line on it. Any other line is a script
 * (`furtherScript`), which runs beside the loop, so that signs of life are heard while it does. It gets none of the input,
 * and whatever it does to its shell ends with it. After a long silence a script ends as if its connection had broken.
 */
export const stay = (
  pulse: string,
) => `clock() { { IFS=' .' read -r now _; } 2>/dev/null <${UPTIME} || now=$(date +%s); }
clock; heard=$now; late=
printf '%s\\n' ${quote(saidAll)}
while IFS= read -r x; do
  clock; [ $((now - heard)) -lt ${LONGEST_SILENCE} ] || late=yes; heard=$now
  if [ -z "$x" ]; then ${pulse}; continue; fi
  [ -z "$late" ] || x='exit 255'
  ( { e=$(eval "$x" 2>&1 >&3 3>&- </dev/null); c=$?; } 3>&1
    printf '\\n%s\\n%s\\n%s\\n%s\\n' ${quote(hasEnded)} "$c" "$e" ${quote(saidAll)} ) &
done`

/** The line that makes a shell which stays run `script`. */
export const furtherScript = (script: string): string => `${oneLine(script)}\n`
