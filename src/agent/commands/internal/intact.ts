import { lstatSync, readlinkSync } from 'node:fs'
import { ExitCode } from '../../../errors.ts'
import { shown } from '../../../files/entry.ts'
import { type ChangedEntry, changedEntries } from '../../../package/delta/base/changed-entries.ts'
import { readRecord } from '../../../package/delta/base/record.ts'
import type { Command } from '../../cli/arguments.ts'
import { onInterrupt } from '../../cli/interrupt.ts'
import { printOut } from '../../cli/output.ts'

/** Shows the waiting plugin that this goes on. */
const TELL_EVERY_MS = 5000

const HELP = `murder intact <note> <release>

For the Shipit plugin: compares a release with the note of what was delivered as it, and prints \`changed=\` with what is not there
any more as it came, or with nothing.`

export const command: Command = {
  help: HELP,
  positionals: ['<note>', '<release>'],
  flags: {},
  async run({ positionals: [note = '', release = ''] }) {
    const { signal } = onInterrupt()
    const timer = setInterval(() => printOut('comparing'), TELL_EVERY_MS)
    try {
      let first: ChangedEntry | undefined
      let count = 0
      for await (const changed of changedEntries(await readRecord(note), release, signal)) {
        first ??= changed
        count++
      }
      printOut(`changed=${first ? described(first, count, release) : ''}`)
      return ExitCode.done
    } finally {
      clearInterval(timer)
    }
  },
}

function described({ path, state }: ChangedEntry, count: number, release: string): string {
  const more = count > 1 ? `, and ${count - 1} more` : ''
  if (path === '.') return `it is ${kindOf(release)}${more}`
  return `${shown(path)} is ${state}${more}`
}

/** What is there in place of the release's directory. */
function kindOf(path: string): string {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isSymbolicLink()) return `a symlink to ${shown(readlinkSync(path))}, no directory`
  return stats ? 'no directory' : 'missing'
}
