const SLASH = 0x2f
const BACKSLASH = 0x5c

/** One part of a pattern. It matches any number of bytes (for `**` also slashes), or one byte of a set. */
type Part = '*' | '**' | ByteSet
/** Indexed by byte: 1 when it is in the set. */
type ByteSet = Uint8Array

/** A pattern for `matches`; undefined when nothing can match it. */
export type Wildcards = Part[] | undefined

/**
 * Compiles a pattern in rsync's dialect (rsync(1), PATTERN MATCHING RULES). `?` and classes match one byte, not one
 * character: rsync knows no encodings.
 */
export function compileWildcards(pattern: Buffer): Wildcards {
  const parts: Part[] = []
  for (let at = 0; at < pattern.length; at++) {
    const byte = pattern[at] as number
    if (byte === ord('*')) {
      const start = at
      while (pattern[at + 1] === byte) at++
      parts.push(at > start ? '**' : '*')
    } else if (byte === ord('?')) parts.push(setOf((other) => other !== SLASH))
    else if (byte === ord('[')) {
      const found = byteClass(pattern, at + 1)
      if (!found) return undefined
      parts.push(found.set)
      at = found.end
    } else {
      if (byte === BACKSLASH) at++
      if (at === pattern.length) return undefined
      parts.push(setOf((other) => other === pattern[at]))
    }
  }
  return parts
}

/**
 * Whether all of `text`, a character for each byte, matches from any of `starts`. Walks the text once for each part, so the time
 * is at most the product of both lengths.
 */
export function matches(wildcards: Wildcards, text: string, starts: readonly number[]): boolean {
  if (!wildcards) return false
  let reached: Uint8Array = new Uint8Array(text.length + 1)
  for (const start of starts) reached[start] = 1
  for (const part of wildcards) {
    const next = advance(part, text, reached)
    if (!next) return false
    reached = next
  }
  return reached[text.length] === 1
}

/** The possible ends of a match that includes `part`, from the ends before it; undefined when there are none. */
function advance(part: Part, text: string, before: Uint8Array): Uint8Array | undefined {
  const after = new Uint8Array(before.length)
  let isAny = typeof part === 'string'
  if (typeof part === 'string') {
    for (let at = 0, isOn = false; at < before.length; at++) {
      if (part === '*' && text[at - 1] === '/') isOn = false
      isOn ||= before[at] === 1
      after[at] = Number(isOn)
    }
  } else {
    for (let at = 0; at < text.length; at++) {
      if (before[at] !== 1 || part[text.charCodeAt(at)] !== 1) continue
      after[at + 1] = 1
      isAny = true
    }
  }
  return isAny ? after : undefined
}

/** The class that begins after a `[`, and where its `]` is; undefined without a `]`, or for an unknown name. */
function byteClass(pattern: Buffer, begin: number): { set: ByteSet; end: number } | undefined {
  const isNegated = pattern[begin] === ord('!') || pattern[begin] === ord('^')
  const first = isNegated ? begin + 1 : begin
  const listed = new Uint8Array(256)
  let previous: number | undefined
  for (let at = first; ; at++) {
    let byte = pattern[at]
    if (byte === ord(']') && at > first) {
      const set = setOf((other) => other !== SLASH && (listed[other] === 1) !== isNegated)
      return { set, end: at }
    }
    const next = pattern[at + 1]
    if (byte === ord('-') && previous !== undefined && next !== undefined && next !== ord(']')) {
      at += next === BACKSLASH ? 2 : 1
      const last = pattern[at]
      if (last === undefined) return undefined
      if (previous <= last) listed.fill(1, previous, last + 1)
      previous = undefined
      continue
    }
    if (byte === ord('[') && next === ord(':')) {
      const end = pattern.indexOf(']', at + 2)
      if (end === -1) return undefined
      if (end > at + 2 && pattern[end - 1] === ord(':')) {
        const named = namedSets.get(pattern.toString('latin1', at + 2, end - 1))
        if (!named) return undefined
        for (const member of named) listed[member] = 1
        previous = undefined
        at = end
        continue
      }
    }
    if (byte === BACKSLASH) byte = pattern[++at]
    if (byte === undefined) return undefined
    listed[byte] = 1
    previous = byte
  }
}

/** POSIX's classes for ASCII bytes only: other bytes are parts of characters. */
const namedSets = new Map(
  Object.entries({
    alnum: /[0-9A-Za-z]/,
    alpha: /[A-Za-z]/,
    blank: /[\t ]/,
    cntrl: /[^ -~]/,
    digit: /[0-9]/,
    graph: /[!-~]/,
    lower: /[a-z]/,
    print: /[ -~]/,
    punct: /[!-/:-@[-`{-~]/,
    space: /[\t-\r ]/,
    upper: /[A-Z]/,
    xdigit: /[0-9A-Fa-f]/,
  }).map(([name, expression]) => [name, bytesLike(expression)]),
)

function bytesLike(expression: RegExp): number[] {
  const ascii = Array.from({ length: 128 }, (_, byte) => byte)
  return ascii.filter((byte) => expression.test(String.fromCharCode(byte)))
}

function setOf(has: (byte: number) => boolean): ByteSet {
  return Uint8Array.from({ length: 256 }, (_, byte) => Number(has(byte)))
}

function ord(character: string): number {
  return character.charCodeAt(0)
}
