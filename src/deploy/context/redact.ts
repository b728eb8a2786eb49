const HIDDEN = '***'

/** Names of environment variables that hold secrets. */
const secretName = /TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIAL|API_?KEY|PRIVATE_?KEY/i

/** Terminal colours. */
const colours = new RegExp(`${String.fromCharCode(27)}\\[[\\d;?]*[A-Za-z]`, 'g')

/**
 * Hides secrets in a log: credentials in URLs, values of variables and options with such names, the secret in an announce path,
 * private keys, and `secrets`.
 */
export function redact(text: string, env: NodeJS.ProcessEnv, secrets: readonly string[] = []): string {
  const values = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value.length >= 6 && secretName.test(name) ? [value] : [],
  )
  let safe = text.replace(colours, '')
  for (const value of [...secrets, ...values]) if (value !== '') safe = safe.replaceAll(value, HIDDEN)
  return safe
    .replace(/(\b[a-z][a-z\d+.-]*:\/\/)[^\s/@'"]+@/gi, `$1${HIDDEN}@`)
    .replace(/\/[^\s/]{16,}\/announce\b/g, `/${HIDDEN}/announce`)
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN)
    .replace(
      /((?:token|password|passwd|secret|api[-_]?key)\w*["']?\s*[=:]\s*["']?)[^\s"',;&]+/gi,
      `$1${HIDDEN}`,
    )
    .replace(/(\bauthorization:\s*(?:\w+\s+)?)[^\s"']+/gi, `$1${HIDDEN}`)
}
