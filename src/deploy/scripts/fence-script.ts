import { type KnownLinks, type LockOwner, lockFunctions, takeFunction } from './lock-script.ts'

/** The fence where nothing is locked. */
export const NO_FENCE = 'fence() { :; }; fence_back() { :; }'

const REFUSE = `part() { case "$about" in *"\\"$1\\":\\""*) x=\${about#*"\\"$1\\":\\""}; printf %s "\${x%%\\"*}";; *) printf '?';; esac; }
refuse() { echo "somebody else has taken the lock meanwhile: $(part who), $(part what)" >&2; return 1; }`

/** The fence of a run without the lock: it passes only if nobody has the lock. */
export const outsiderFenceScript = (remotePath: string): string => `${lockFunctions(remotePath)}
${REFUSE}
fence() { ! look || left || refuse; }
fence_back() { fence; }`

/**
 * Shell function `fence`: succeeds if the lock is still this owner's. It keeps a deploy that lost its lock from publishing over a
 * newer one. A lock that is gone is taken back, unless `current` has changed meanwhile, because then another deploy has
 * published. It must run in the script that changes something, right before the change. `fence_back` is for the script that takes
 * back this owner's own publication, while `current` still points to that. Only the lock of another deploy forbids it.
 */
export function fenceScript(remotePath: string, owner: LockOwner, known: KnownLinks): string {
  return `${lockFunctions(remotePath)}
${takeFunction(owner, known)}
${REFUSE}
unset seen_link
keeps() { look && [ "$id_of" = "$id" ] && touch -c "$l"; }
fence() {
  if keeps || take again >/dev/null; then return; fi
  if [ -z "\${seen_link+x}" ] || { [ "$id_of" != "$id" ] && [ -n "$about" ]; }; then refuse; return; fi
  echo "current has changed meanwhile: it points to \${seen_link:-nothing}" >&2
  return 1
}
fence_back() { keeps || take >/dev/null || [ "$kind" = manual ] || refuse; }`
}
