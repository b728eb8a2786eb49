import { ExitCode } from '../../errors.ts'
import { type Command, unknown } from '../cli/arguments.ts'
import { COMPLETION_SCRIPTS } from '../cli/completion-scripts.ts'
import { printOut } from '../cli/output.ts'

const HELP = `murder completion <shell>

  source <(murder completion bash)                              bash, zsh: in ~/.bashrc, ~/.zshrc
  murder completion fish > ~/.config/fish/completions/murder.fish

Prints what bash, zsh or fish needs to complete commands, flags and the tags of what runs here.`

export const command: Command = {
  help: HELP,
  positionals: ['<shell>'],
  flags: {},
  async run({ positionals: [shell = ''] }) {
    const script = Object.hasOwn(COMPLETION_SCRIPTS, shell) ? COMPLETION_SCRIPTS[shell] : undefined
    if (script === undefined)
      throw await unknown(
        `completion knows ${Object.keys(COMPLETION_SCRIPTS).join(', ')}, and not '${shell}'`,
        shell,
        Object.keys(COMPLETION_SCRIPTS),
      )
    printOut(script)
    return ExitCode.done
  },
}
