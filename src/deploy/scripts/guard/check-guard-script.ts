import type { Settings } from '../../../config/schema.ts'
import { quote } from '../../../text/shell-quote.ts'

const NO_SETSID =
  'no guard can be started there: there is no setsid (util-linux), so set murder.rollout.confirm to 0 or install it'
const SESSION_ENDS =
  'a guard would end with its SSH session there: logind ends all processes of a user who logs out; set KillUserProcesses=no in /etc/systemd/logind.conf, or murder.rollout.confirm to 0'

/**
 * Ends with a line where a guard could not outlive the session that starts it: where that is one of logind's, and logind ends the
 * processes of such sessions (logind.conf(5), KillUserProcesses). `cgroup`: proc(5).
 */
export const canGuardScript = (cgroup = '/proc/self/cgroup'): string => `(
command -v setsid >/dev/null 2>&1 || { echo ${quote(NO_SETSID)} >&2; exit 1; }
case "$(cat ${quote(cgroup)} 2>/dev/null)" in */session-*.scope*) ;; *) exit 0 ;; esac
logind() { busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager "$1" 2>/dev/null; }
[ "$(logind KillUserProcesses)" = 'b true' ] || exit 0
u=$(id -un)
case "$(logind KillExcludeUsers) " in *"\\"$u\\" "*) exit 0 ;; esac
case "$(logind KillOnlyUsers) " in 'as 0 '|' '|*"\\"$u\\" "*) ;; *) exit 0 ;; esac
echo ${quote(SESSION_ENDS)} >&2; exit 1
) || exit 1`

/** Asks that before anything changes, where guards are wanted. */
export const checkGuardScript = ({ settings }: { settings: Pick<Settings, 'rollout'> }): string =>
  settings.rollout.confirm > 0 ? canGuardScript() : ''
