/** How long a server may take for a script that asks, or changes a link. */
export const SCRIPT_TIMEOUT_S = 60
/** How long a server may take to remove releases, which may be large. */
export const REMOVAL_TIMEOUT_S = 600
/** A server may be silent this much longer than its own stall timeout, so that it can report the stall itself. */
export const STALL_GRACE_S = 15
