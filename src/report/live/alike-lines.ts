/** Of lines that say the same of different servers so many are shown: a hundred would hide everything else. */
const MAX_ALIKE = 6

/** Lines about servers, thinned out. */
export class AlikeLines {
  readonly #counts = new Map<string, number>()

  /** What to print: the line, that more servers have the same, or nothing. */
  take(line: string, server: string): string | undefined {
    const same = line.replace(server, '').replace(/^[:\s]+/, '')
    const count = (this.#counts.get(same) ?? 0) + 1
    this.#counts.set(same, count)
    if (count <= MAX_ALIKE) return line
    return count === MAX_ALIKE + 1 ? `more servers: ${same}` : undefined
  }
}
