import { MurderError } from '../errors.ts'

/**
 * One word for a POSIX shell that expands to exactly `value`. This is the only place where a value becomes shell text in this
 * project. Throws for NUL, which no shell or file name can contain, and for halves of surrogate pairs, which UTF-8 lacks.
 */
export function quote(value: string): string {
  if (value.includes('\0') || /\p{Surrogate}/u.test(value)) {
    throw new MurderError('BAD_VALUE', `${JSON.stringify(value)} cannot be passed to a server`, {
      cure: 'remove the NUL byte or broken character from this setting',
    })
  }
  return `'${value.replaceAll("'", "'\\''")}'`
}

/**
 * One word for a file name on a server. A leading `~/` means the home directory there, as it does in shipit-deploy's own
 * commands; a leading dash cannot become an option.
 */
export function quotePath(path: string): string {
  if (path === '') throw new MurderError('BAD_VALUE', 'An empty path cannot be used on a server')
  if (path === '~') return '"$HOME"'
  if (path.startsWith('~/')) return `"$HOME"/${quote(path.slice(2))}`
  // Most need no quotes, which would count four times in a script that travels in quotes.
  return quoteIfNeeded(path.startsWith('/') || path.startsWith('./') ? path : `./${path}`)
}

/** One word for a POSIX shell, as from `quote`, with quotes only where needed. */
export const quoteIfNeeded = (value: string): string =>
  /^[\w@%+=:,./-]+$/.test(value) ? value : quote(value)

/** A simple command from literal words: `command('mkdir', '-p', directory)`. */
export function command(...words: string[]): string {
  return words.map(quote).join(' ')
}
