import { variableAliases } from './aliases.ts'
import { isGroup, type SettingInfo, settingInfos } from './keys.ts'

/** A value as TypeScript source, in the style of this project's shipitfiles. */
function source(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(source).join(', ')}]`
  if (isGroup(value))
    return `{ ${Object.entries(value)
      .map(([name, inner]) => `${name}: ${source(inner)}`)
      .join(', ')} }`
  return typeof value === 'string' ? `'${value}'` : String(value)
}

const nested = (path: readonly string[], value: string): string =>
  path.reduceRight((inner, name) => `{ ${name}: ${inner} }`, value)

const variables = ({ key, variable }: SettingInfo, text: string): string =>
  [variable, ...variableAliases(key)].map((name) => `\`${name}=${text}\``).join(' or ')

function section(info: SettingInfo): string {
  const { key, path, doc, default: value } = info
  const standard = value === undefined ? `${doc.unset?.replace(/<.*/, '`$&`')}` : `\`${source(value)}\``
  return `### ${key}

${doc.description}

- Default: ${standard}
- Allowed: ${doc.kind.allowed}
- Example: \`murder: ${nested(path, source(doc.example))}\`, or ${variables(info, doc.kind.toText(doc.example))}
`
}

/** The whole text of docs/settings.md. */
export function settingsMarkdown(): string {
  return `# Settings

All settings are optional. They go under the \`murder\` key of a shipitfile, for all environments or for one:

\`\`\`ts
shipit.initConfig({
  default: { deployTo: '/srv/app', murder: { linger: 60, tracker: { port: 9000 } } },
  production: { servers: ['deploy@a.example.com', 'deploy@b.example.com'] },
})
\`\`\`

What an environment's \`murder\` key does not set comes from the one in \`default\`, also within a group such as \`tracker\`.

Each setting also has an environment variable, which wins over the shipitfile. An empty variable counts as not set.
\`npx shipit production murder:config\` prints what is in force and where each value came from. A setting that does
not exist, or a value that does not fit, stops a task before it does anything, with a line that says what is allowed.

Times are in seconds. Sizes are in bytes, or text with K, M or G (1024 bytes, 1024 K, 1024 M).

## All settings

${settingInfos.map(section).join('\n')}
## Other variables

- \`MURDER_OUTPUT\`: \`text\` (default) or \`json\`, see [output.md](output.md).
- \`MURDER_REPORT\`: file that the final report is written to as JSON, see [output.md](output.md).
- \`MURDER_METRICS\`: file that the final report is written to for Prometheus, see [output.md](output.md).
- \`MURDER_DRY_RUN=1\`: nothing is changed on any server; each task says what it would do where.
- \`MURDER_LOCK_REASON\`: why \`murder:lock\` locks.
`
}
