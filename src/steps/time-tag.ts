/** The time (UTC) as a name, as shipit-deploy names releases; a later one while it is taken, even within the same second. */
export function timeTag(taken: readonly (string | undefined)[], now = Date.now()): string {
  const tag = new Date(now).toISOString().replace(/\D/g, '').slice(0, 14)
  return taken.includes(tag) ? timeTag(taken, now + 1000) : tag
}
