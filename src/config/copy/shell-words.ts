/** What comes next in a word: in single quotes, in double quotes, after a backslash, plain, or the blanks after it. */
const piece =
  /^(?:'([^']*)'|"((?:[^"\\`$]|\\.|\$(?![\w{(@*#?$!-]))*)"|\\(.)|((?:[^\s'"\\`$|&;<>(){}~#]|(?<=.)[~#])+)|[ \t]+)/s

/**
 * The words that a POSIX shell makes of `text`; undefined where the shell would change the text (variables, commands, braces,
 * file names) or end the command.
 */
export function shellWords(text: string): string[] | undefined {
  if (text.includes('\0')) return undefined
  const words: string[] = []
  let word: string | undefined
  for (let rest = text; rest !== ''; ) {
    const found = piece.exec(rest)
    if (!found) return undefined
    const [whole, single, double, escaped, plain] = found
    rest = rest.slice(whole.length)
    const inner = double?.replace(/\\(["$`\\\n])/g, (_, it: string) => unescaped(it))
    const part = single ?? inner ?? plain ?? (escaped && unescaped(escaped))
    if (part === undefined) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    word = (word ?? '') + part
    // In an option it would have to be the name of a file that begins with dashes.
    if (plain !== undefined && /[*?[]/.test(plain) && !word.startsWith('-')) return undefined
  }
  return word === undefined ? words : [...words, word]
}

/** A backslash at the end of a line joins it with the next one. */
const unescaped = (character: string) => (character === '\n' ? '' : character)
