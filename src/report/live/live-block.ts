import { widthOf } from '../../text/format.ts'
import type { OutputStream } from '../output.ts'

const CSI = '\u001b['
const COLOURS = new RegExp(`${'\u001b'}\\[\\d*m`, 'g')

/**
 * Lines at the bottom of a terminal that are redrawn in place. The cursor always stays below them, where the shell's prompt
 * appears when the process is interrupted.
 */
export class LiveBlock {
  readonly #stream: OutputStream
  readonly #write: (text: string) => unknown
  /** Widths of the lines that are on the screen. */
  #shown: number[] = []
  /** False while another writer's line is unfinished: drawing would tear it. */
  #atLineStart = true

  constructor(stream: OutputStream) {
    this.#stream = stream
    this.#write = stream.write.bind(stream)
  }

  /** Replaces the lines. Does nothing while another writer's line is unfinished. */
  show(lines: readonly string[]): void {
    if (!this.#atLineStart) return
    const visible = lines.slice(0, Math.max(1, (this.#stream.rows || 24) - 1))
    const text = visible.map((line) => `${line}\n`).join('')
    this.#write(`${this.#takenOff()}${text}`)
    this.#shown = visible.map((line) => widthOf(line.replace(COLOURS, '')))
  }

  /** Takes the block off the screen. */
  clear(): void {
    if (this.#shown.length === 0) return
    this.#write(this.#takenOff())
    this.#shown = []
  }

  /** Writes `text` in place of the block, which comes back below it with the next `show`. */
  print(text: string): void {
    this.clear()
    this.#write(`${this.#atLineStart ? '' : '\n'}${text}\n`)
    this.#atLineStart = true
  }

  /** Whether the block is on the screen. Another writer may have removed it. */
  get visible(): boolean {
    return this.#shown.length > 0
  }

  /**
   * Lets others (Shipit, other plugins) write to these streams without tearing the block, which is cleared first and comes
   * back with the next `show`. Returns the function that ends this.
   */
  guard(streams: readonly OutputStream[]): () => void {
    const restore = [...new Set(streams)]
      .filter((stream) => stream.isTTY)
      .map((stream) => {
        const own = Object.getOwnPropertyDescriptor(stream, 'write')
        const write = stream.write as (...args: unknown[]) => unknown
        stream.write = (...args: unknown[]) => {
          this.clear()
          const text = typeof args[0] === 'string' ? args[0] : Buffer.from(args[0] as Uint8Array).toString()
          if (text !== '') this.#atLineStart = text.replace(COLOURS, '').endsWith('\n')
          return write.apply(stream, args)
        }
        const guarded = stream.write
        return () => {
          if (stream.write !== guarded) return // It was wrapped again meanwhile, and restoring it would also remove that wrapper.
          if (own) Object.defineProperty(stream, 'write', own)
          else delete (stream as { write?: unknown }).write
        }
      })
    return () => {
      for (const each of restore) each()
    }
  }

  /**
   * Deletes the block's lines and the one with the cursor, which is then where the block began. A terminal that became narrower
   * has wrapped the lines, so they are counted at its present width; a terminal that does not know its size says 0. Lines that
   * are only written over stay wrapped ones, and become one when the terminal is made wider again.
   */
  #takenOff(): string {
    const columns = this.#stream.columns || 80
    const rows = this.#shown.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0)
    return rows === 0 ? '' : `${CSI}${rows}A\r${CSI}${rows + 1}M`
  }
}
