/** A command that people are told to run ends the text: see `shipitCommand`. Environment variables may be before it. */
const COMMAND = String.raw`(?:\w+=\S+ )*(?:npx shipit|ssh(?= -| \S+@)|ssh-keygen|sudo install) .*`
const WORD = new RegExp(String.raw`(?<!\S)${COMMAND}|\S+`, 'g')

/**
 * `text` split at its spaces. A command that people paste is one word, because a shell would run the first half of a broken one.
 */
export const wordsOf = (text: string): string[] => text.match(WORD) ?? ['']

export const isCommand = (word: string): boolean => word.includes(' ')
