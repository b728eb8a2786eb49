import { readFile } from 'node:fs/promises'
import type { Build } from './build.ts'
import { machineOf } from './choose-build.ts'

/** Libraries that come with the C library, or with every compiler. A Node that needs others runs only where it was installed. */
const COMMON_LIBRARY =
  /^(ld-|libc\.|libdl\.|libm\.|libpthread\.|librt\.|libgcc_s\.|libstdc\+\+\.|libatomic\.|linux-vdso)/

/**
 * The Node that runs this, as a build for servers; undefined where it is not for Linux, or needs libraries that servers may lack.
 */
export async function ownBuild(): Promise<Build | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    const libc = libcOf(await readFile('/proc/self/maps', 'utf8'), await readFile(process.execPath))
    const { version, arch, execPath: path } = process
    return libc === undefined
      ? undefined
      : { version, machine: machineOf(arch), libc, from: 'deploy host', path }
  } catch {
    return undefined // Without /proc, or if the program may be run but not read, its libraries are unknown.
  }
}

/** The C library that a program needs. `maps`: its memory maps. Undefined when it also needs other libraries. */
export function libcOf(maps: string, program: Buffer): string | undefined {
  const libraries = [...maps.matchAll(/\/([^/\s]+\.so[^/\s]*)$/gm)].map(([, name = '']) => name)
  if (!libraries.every((name) => COMMON_LIBRARY.test(name))) return undefined
  if (libraries.some((name) => name.includes('musl'))) return 'musl'
  const minor = newestSymbol(program)
  return minor === undefined ? undefined : `glibc 2.${minor}`
}

const SYMBOL = 'GLIBC_2.'

/** The dynamic linker refuses a program when the library lacks one of the versions that it names. */
function newestSymbol(program: Buffer): number | undefined {
  let newest: number | undefined
  for (let at = program.indexOf(SYMBOL); at !== -1; at = program.indexOf(SYMBOL, at + 1)) {
    const minor = Number.parseInt(program.toString('latin1', at + SYMBOL.length, at + SYMBOL.length + 2), 10)
    if (minor >= (newest ?? 0)) newest = minor
  }
  return newest
}
