/** Writes bytes as `\ooo` that are not printable or mean something in mtree(5), as vis(3) does with VIS_OCTAL. */
export function escapePath(path: string): string {
  if (/^[\w./@%+,:~-]*$/.test(path)) return path
  let text = ''
  for (const byte of Buffer.from(path)) {
    const letter = String.fromCharCode(byte)
    text += /[\w./@%+,:~-]/.test(letter) ? letter : `\\${byte.toString(8).padStart(3, '0')}`
  }
  return text
}

/** The reverse; undefined for text that `escapePath` cannot have made, and for bytes that are not UTF-8. */
export function unescapePath(text: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(text)) return undefined
  if (!text.includes('\\')) return text
  const bytes: number[] = []
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '\\') {
      bytes.push(text.charCodeAt(at))
      continue
    }
    const digits = text.slice(at + 1, at + 4)
    if (!/^[0-3][0-7]{2}$/.test(digits)) return undefined
    bytes.push(Number.parseInt(digits, 8))
    at += 3
  }
  try {
    return strict.decode(Uint8Array.from(bytes))
  } catch {
    return undefined
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
