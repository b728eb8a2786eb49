import { quoteIfNeeded } from '../../text/shell-quote.ts'

/** Options of shipit-cli without which the same call would read another shipitfile. */
const OPTION = /^--(?:shipitfile|require)(?:=|$)/

/**
 * The command for people to run: `npx shipit production murder:unlock`, with the shipitfile of this run. It is the end of a
 * sentence, so that a report can keep it on one line.
 */
export function shipitCommand(environment: string, tasks: string, argv = process.argv.slice(2)): string {
  const options = argv.flatMap((word, at) => {
    if (!OPTION.test(word)) return []
    return word.includes('=') ? [word] : [word, argv[at + 1] ?? '']
  })
  return ['npx shipit', ...options.map(quoteIfNeeded), environment, tasks].join(' ')
}
