import { ExitCode } from '../../../errors.ts'
import type { Command } from '../../cli/arguments.ts'

const HELP = `murder link <directory>

For the Shipit plugin: what a key of a deploy can do on this machine, and nothing else. Joins standard input and output with the
peer whose transfer has this directory.`

export const command: Command = {
  help: HELP,
  positionals: ['<directory>'],
  flags: {},
  async run({ positionals }) {
    const { beOtherEnd } = await import('../../links/link-end.ts')
    await beOtherEnd(positionals[0] ?? '')
    return ExitCode.done
  },
}
