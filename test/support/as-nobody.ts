/** Only root can become somebody else. */
export const canBeNobody = process.getuid?.() === 0

export const NOBODY = 65_534

/** Does `work` as an ordinary user who owns nothing. Call it only as root. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  process.setegid?.(NOBODY)
  process.seteuid?.(NOBODY)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}
