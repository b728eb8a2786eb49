/** `::name …::` at the beginning of a line, and `##[name …]` anywhere in it. */
const GITHUB_COMMAND = /^((?:[^\S\r\n]|\u0085)*:)(?=:[a-z][\w-]*(?: [^\r\n]*)?::)|(##)(?=\[)/gim
/** The beginning or the end of a collapsible section. */
const GITLAB_SECTION = /(section_(?:start|end):\d+:[^\r\n]*)\r/g

/**
 * Text of others as it may be printed: in a CI job, where lines of the log can be commands, it has none. A blank comes between
 * their signs, as characters without width would be skipped there.
 * Sources: `ActionCommand.cs` of GitHub's runner; docs.gitlab.com, "CI/CD job logs", "Custom collapsible sections".
 */
export function withoutCommands(text: string, env: NodeJS.ProcessEnv = process.env): string {
  if (env.GITHUB_ACTIONS === 'true') return text.replace(GITHUB_COMMAND, '$1$2 ')
  return env.GITLAB_CI === 'true' ? text.replace(GITLAB_SECTION, '$1 ') : text
}

/** Characters of JSON that could be read as a command by a CI, or by a terminal. */
const COMMANDS_IN_JSON = /(?<=#)#(?=\[)|[\u007f-\u009f]|\p{Bidi_Control}/gu

/** One line of JSON, with a line break. No text in it is a command: what could be one is written by its number. */
export const jsonLine = (value: unknown): string =>
  `${JSON.stringify(value).replace(COMMANDS_IN_JSON, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`
