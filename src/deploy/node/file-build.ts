import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isSystemError, MurderError } from '../../errors.ts'
import type { Build } from './build.ts'

/** e_machine of an ELF header, by uname's names. */
const MACHINES: Readonly<Record<number, string>> = {
  62: 'x86_64',
  183: 'aarch64',
  40: 'armv7l',
  21: 'ppc64le',
  22: 's390x',
  243: 'riscv64',
}
const HEADER_BYTES = 20

/** A program that the user names. Throws BAD_NODE_FILE unless it is one for Linux. */
export async function fileBuild(path: string): Promise<Build> {
  const absolute = resolve(path)
  const cure = 'set murder.node to { bring: path } with the program bin/node of a Linux build of Node.js'
  const header = Buffer.alloc(HEADER_BYTES)
  try {
    const file = await open(absolute)
    try {
      await file.read(header, 0, HEADER_BYTES, 0)
    } finally {
      await file.close()
    }
  } catch (error) {
    const message = isSystemError(error, 'ENOENT')
      ? `${absolute} (murder.node) is not there`
      : `${absolute} (murder.node) cannot be read`
    throw new MurderError('BAD_NODE_FILE', message, { cure, cause: error })
  }
  if (header.toString('latin1', 0, 4) !== '\x7fELF') {
    throw new MurderError('BAD_NODE_FILE', `${absolute} (murder.node) is no program for Linux`, { cure })
  }
  return { version: undefined, machine: machineIn(header), libc: undefined, from: 'file', path: absolute }
}

function machineIn(header: Buffer): string | undefined {
  const isBigEndian = header[5] === 2
  return MACHINES[isBigEndian ? header.readUInt16BE(18) : header.readUInt16LE(18)]
}
