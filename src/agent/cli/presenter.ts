import type { AgentEvent } from '../../protocol/events.ts'
import { bytes, duration } from '../../text/format.ts'
import { printError, printJson, printOut } from './output.ts'
import { progressLine, progressText } from './progress-line.ts'

export interface Presenter {
  event(event: AgentEvent): void
  /** A line for people; nothing with `--json`. */
  note(line: string): void
  close(): void
}

/** One JSON object a line on stdout. A failure is written by `main`, once. */
const json: Presenter = {
  event: (event) => {
    if (event.event !== 'failed') printJson(event)
  },
  note: () => {},
  close: () => {},
}

/** Lines for people: all on stderr but `Done and done`. */
function people(): Presenter {
  const line = progressLine()
  const note = (text: string) => {
    line.clear()
    printError(text)
  }
  return {
    event(event) {
      if (event.event === 'progress') line.show((columns) => progressText(event, columns))
      if (event.event === 'downloaded') {
        const { total, seconds, received, sent } = event
        note(
          `${bytes(total)} complete after ${duration(seconds)}: ${bytes(received)} received, ${bytes(sent)} sent`,
        )
      }
      if (event.event === 'banned')
        note(`murder: ${event.address} sent wrong bytes and is not asked any more`)
      if (event.event === 'warning') note(`murder: ${event.message}`)
      if (event.event === 'done') {
        line.clear()
        printOut('Done and done')
      }
    },
    note,
    close: line.clear,
  }
}

export const presenter = (asJson: boolean): Presenter => (asJson ? json : people())
