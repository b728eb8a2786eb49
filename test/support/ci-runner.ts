/** Commands that GitHub's runner registers, and one that stops them all. */
const REGISTERED =
  'add-mask add-matcher add-path debug echo endgroup error group notice remove-matcher save-state set-env set-output stop-commands warning'.split(
    ' ',
  )

/** The commands that GitHub's runner finds in the output of a step. Source: `ActionCommand.cs` and `ActionCommandManager.cs` there. */
export const githubCommands = (output: string): string[] =>
  output.split(/\r\n|\r|\n/).filter((line) => isCommand(line))

function isCommand(line: string): boolean {
  const text = line.replace(/^[\s\u0085]+/, '')
  const [, ofNow] = text.startsWith('::') ? text.split('::') : []
  if (ofNow !== undefined && text.indexOf('::', 2) > 0 && isRegistered(ofNow)) return true
  const at = line.indexOf('##[')
  const end = line.indexOf(']', at)
  return at >= 0 && end > 0 && isRegistered(line.slice(at + 3, end))
}

const isRegistered = (info: string) => REGISTERED.includes((info.split(' ')[0] ?? '').toLowerCase())
