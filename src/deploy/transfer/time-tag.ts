const SECOND_MS = 1000

/**
 * A name for a release or transfer: the time (UTC), as shipit-deploy names releases. Rollback and cleaning rely on the order of
 * the names. So the name is later than all `others`, even those of the same second or of a deploy host whose clock is ahead.
 */
export function timeTag(others: readonly (string | undefined)[], now = Date.now()): string {
  return nameOf(Math.max(now, ...others.map((name) => timeOf(name) + SECOND_MS)))
}

const nameOf = (time: number) => new Date(time).toISOString().replace(/\D/g, '').slice(0, 14)

/** In milliseconds since 1970; 0 for a name that is not a time. */
function timeOf(name: string | undefined): number {
  const [, date, hour, minute, second] = /^(20\d{6})(\d\d)(\d\d)(\d\d)$/.exec(name ?? '') ?? []
  const day = date?.replace(/^(....)(..)/, '$1-$2-')
  return Date.parse(`${day}T${hour}:${minute}:${second}Z`) || 0
}
