import bencode from 'bencode'
import { decodeUntrusted } from '../encoding/bencode.ts'
import { KNOWN_EXTENSIONS } from './extensions.ts'

/** The extended handshake (BEP 10): `mapping` holds the extensions that we offer, by the id of their messages to us. */
export function encodeExtendedHandshake(
  mapping: Record<number, string>,
  keys: Record<string, unknown>,
): Uint8Array {
  const m = Object.fromEntries(Object.entries(mapping).map(([id, name]) => [name, Number(id)]))
  return bencode.encode({ ...keys, m } as Parameters<typeof bencode.encode>[0])
}

/** The dictionary of an extended handshake; undefined when the bytes are none. */
export function decodeExtendedHandshake(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value = decodeUntrusted(bytes)
    if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array)
      return undefined
    return value as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** The extensions that we know of those that the other side offers: its id of each by the name. */
export function offeredExtensions(handshake: Record<string, unknown>): Record<string, number> {
  const offered: Record<string, unknown> = Object(handshake.m)
  const known: Record<string, number> = {}
  for (const name of KNOWN_EXTENSIONS) {
    const id = offered[name]
    if (typeof id === 'number') known[name] = id
  }
  return known
}
