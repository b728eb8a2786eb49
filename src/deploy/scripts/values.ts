/** The `KEY=VALUE` lines of an output. If a key occurs twice, the last one counts. */
export function parseValues(output: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of output.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).trim())
  }
  return values
}
