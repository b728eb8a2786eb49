/** Lines of a Node crash around the error's own line: a place in code, the stack, properties, the version. */
const CRASH = /^(?:Node\.js v\d|#$|<--- )/
const AROUND = /^(?:Node\.js v\d|#?$|<--- |\s|\}|\^|node:\S+:\d+$|\(Use `node)/
const CAUSE = /^(?:\w*Error(?: \[\w+\])?: |# (?:Fatal|Check failed)|FATAL ERROR: )/

/**
 * The line of a program's output that says why it failed: the last line, or in a Node crash the error's own. Ignores empty lines
 * and those that `skip` matches. Undefined when there is none; no longer than 500 characters.
 */
export function lastWords(text: string, skip?: RegExp): string | undefined {
  const lines = text
    .split(/[\r\n]+/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !skip?.test(line.trim()))
  const isCrash = lines.some((line) => CRASH.test(line))
  const telling = isCrash ? lines.filter((line) => !AROUND.test(line)) : lines
  const cause = isCrash ? telling.find((line) => CAUSE.test(line)) : undefined
  const line = cause?.replace(/^# /, '') ?? telling.at(-1) ?? lines.at(-1)
  return line?.trim().slice(0, 500)
}
