import { MurderError } from '../../errors.ts'

export function dictionary(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Array.isArray(value)) {
    throw bad(`${what} is no dictionary`)
  }
  return value as Record<string, unknown>
}

export function text(value: unknown, what: string): string {
  if (!(value instanceof Uint8Array)) throw bad(`${what} is no text`)
  return Buffer.from(value).toString('utf8')
}

export function count(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw bad(`${what} is no length`)
  return value
}

export function bad(
  why: string,
  cure = 'make it again with `murder make-torrent` and copy it as a binary file',
): MurderError {
  return new MurderError('BAD_TORRENT', `This is no usable torrent: ${why}`, { cure, exitCode: 2 })
}
