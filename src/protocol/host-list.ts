import { deflateRawSync, inflateRawSync } from 'node:zlib'

const MAX_LIST_BYTES = 1024 * 1024

/** Addresses and networks as one text. Every server gets those of the whole fleet. Sorted and deflated, each takes few bytes. */
export const packHosts = (hosts: readonly string[]): string =>
  deflateRawSync([...hosts].sort().join(' '), { level: 9 }).toString('base64')

/** Throws for anything else. */
export const unpackHosts = (packed: string): string[] =>
  inflateRawSync(Buffer.from(packed, 'base64'), { maxOutputLength: MAX_LIST_BYTES })
    .toString()
    .split(' ')
    .filter((host) => host !== '')
