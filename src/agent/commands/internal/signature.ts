import { ExitCode } from '../../../errors.ts'
import type { Command } from '../../cli/arguments.ts'

const HELP = `murder signature <release> <record> <id>

For the Shipit plugin: prints the signature of a release, of which the record says what was delivered, with this id.`

export const command: Command = {
  help: HELP,
  positionals: ['<release>', '<record>', '<id>'],
  flags: {},
  async run({ positionals }) {
    const [from = '', record = '', id = ''] = positionals
    const { sendSignature } = await import('../../deltas/send-signature.ts')
    await sendSignature(process.stdout, { from, record, id })
    return ExitCode.done
  },
}
