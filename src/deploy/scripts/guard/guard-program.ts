import { oneLine, READ_AND_RUN } from '../../../fleet/ssh/bootstrap.ts'
import { quote } from '../../../text/shell-quote.ts'
import { type LockOwner, lockFunctions, TOUCH_EVERY_S, takeFunction } from '../lock-script.ts'
import { guardRevertScript } from '../releases/publish-script.ts'
import { guardPath, READ_ABOUT } from './tell-guard-script.ts'

/** How long a guard waits for somebody else's deploy to end, and for a command that has no limit. */
const MAX_WAIT_S = 3600

export interface Guard {
  remotePath: string
  deployTo: string
  /** The id of the lock of the deploy, which no other deploy has. */
  token: string
  /** How long a new connection may take. */
  seconds: number
  /** Owner of the lock while the guard goes back. */
  owner: LockOwner
  /** Scripts that then run, where it is done and something was live before; with `MURDER_RELEASE` in their environment. */
  activate?: string | undefined
  /** One that runs in each case, and one that puts a server back that is out of service. */
  undo?: string | undefined
  after?: string | undefined
  /** Of each of them, in seconds; 0 is no limit. */
  timeoutS: number
}

/**
 * The program of a guard, in a session of its own. It says `ready`, and then waits until the deploy takes it away. When there has
 * been no sign of life from the deploy for `seconds`, or since `due` no new connection, it takes the lock and goes back. It leaves
 * everything as it is where somebody else has published, and waits while somebody else's deploy has the lock. If it ends before
 * either, its files stay and tell of that.
 */
export function guardProgram(o: Guard): string {
  const limit = o.timeoutS > 0 ? o.timeoutS : MAX_WAIT_S
  return `trap '' HUP
umask 077
g=${guardPath(o.remotePath)}; token=${quote(o.token)}
${READ_ABOUT}
${lockFunctions(o.remotePath, [o.token])}
${takeFunction(o.owner)}
${WAIT(o.seconds)}
${RUN(limit)}
drop() { if look && [ "$id_of" = "$id" ]; then rm -f "$l"; fi; }
mine() { about; [ "$t" = "$token" ]; }
mine || exit 1
started $$; echo "$$ $start" >"$g/process" || exit 1
echo ready
exec </dev/null >/dev/null 2>&1
waited=0
while :; do
  wait_for_life
  until (take); do
    if ! look || [ "$kind" = manual ]; then break; fi
    sleep 1; waited=$((waited + 1))
    mine || exit 0
    [ "$waited" -lt ${MAX_WAIT_S} ] || exit 0
  done
  if ! mine || ! mv "$g" "$g.back"; then drop; exit 0; fi
  [ ! -e "$g.back/$because" ] || break
  mv "$g.back" "$g"; drop # It was confirmed in the last moment.
done
if ${guardRevertScript(o.deployTo, `${o.owner.who} (not confirmed)`)}; then
  MURDER_RELEASE=\${former%/}; MURDER_RELEASE=\${MURDER_RELEASE##*/}; export MURDER_RELEASE
  ${o.activate === undefined ? '' : `[ -z "$former" ] || run ${quote(oneLine(o.activate))}`}
  ${o.undo === undefined ? '' : `run ${quote(oneLine(o.undo))}`}
  ${o.after === undefined ? '' : `[ ! -e "\${g%/*}/drained" ] || run ${quote(oneLine(o.after))}`}
fi
drop; rm -rf "$g.back"`
}

/**
 * Shell function `wait_for_life`: ends when the deploy counts as gone, and then `because` is the file that tells so. It counts its own
 * seconds, because clocks are set. Signs of life come some seconds apart.
 */
const WAIT = (seconds: number) => `wait_for_life() {
  n=0; because=silent; limit=${seconds + TOUCH_EVERY_S}
  while [ "$n" -lt "$limit" ]; do
    sleep 1; n=$((n + 1))
    mine || exit 0
    if [ -e "$g/due" ]; then
      [ "$because" = due ] || { because=due; limit=${seconds}; n=0; }
    elif [ "$because" = due ] || [ ! -e "$g/silent" ]; then
      because=silent; limit=${seconds + TOUCH_EVERY_S}; n=0; true >"$g/silent"
    fi
  done
}`

/**
 * Shell function `run TEXT`: runs a script in a session of its own, and ends all of that when it is late. A guard needs `setsid` in
 * any case, and so it needs no `ps`, without which `watch` of other commands ends nothing: nobody is there to give up a guard.
 */
const RUN = (seconds: number) => `run() {
  printf '%s\\n' "$1" | setsid sh -c '${READ_AND_RUN}' &
  p=$!; n=0
  while kill -0 "$p" 2>/dev/null; do
    touch -c "$l"
    [ "$n" -lt ${seconds} ] || { kill -9 "-$p" || kill -9 "$p"; break; }
    sleep 1; n=$((n + 1))
  done
  wait "$p"
}`
