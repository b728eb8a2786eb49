import { bytes } from '../../text/format.ts'
import type { Platform } from '../scripts/node/platform-script.ts'
import { type Build, NODE_BYTES } from './build.ts'

/** Why no Node can be brought to a server, and what helps. */
export interface Refusal {
  cause: string
  cure: string
}

export type Choice = { build: Build; refusal?: never } | { build?: never; refusal: Refusal }

/** The first of these builds that a server can probably run. Only a run there shows whether it can. */
export function chooseBuild(platform: Platform, builds: readonly Build[], remotePath: string): Choice {
  const unfit = unfitPlace(platform, remotePath)
  if (unfit) return { refusal: unfit }
  const build = builds.find((each) => fits(each, platform))
  return build ? { build } : { refusal: noBuild(platform, builds) }
}

function unfitPlace({ free, isNoexec }: Platform, remotePath: string): Refusal | undefined {
  const cause = `there is no Node.js, and none can be brought:`
  if (isNoexec) {
    return {
      cause: `${cause} programs in ${remotePath} may not run (mounted noexec)`,
      cure: 'set murder.remotePath to a directory on a file system without noexec, or install Node.js there',
    }
  }
  if (free < NODE_BYTES) {
    return {
      cause: `${cause} it takes ${bytes(NODE_BYTES)} in ${remotePath}, ${bytes(free)} are free`,
      cure: 'free space there, or set murder.remotePath to a larger disk',
    }
  }
  return undefined
}

function fits(build: Build, { system, machine, libc }: Platform): boolean {
  return (
    system === 'Linux' &&
    (build.machine === undefined || build.machine === machineOf(machine)) &&
    (build.libc === undefined || libc === undefined || libcFits(build.libc, libc))
  )
}

/** Kernels and Node use different names for the same machine. */
export const machineOf = (name: string): string =>
  ({ amd64: 'x86_64', x64: 'x86_64', arm64: 'aarch64' })[name] ?? name

/** Whether the C library is of the same kind, and at least as new. */
function libcFits(needed: string, found: string): boolean {
  const [[kind, least = ''], [foundKind, version = '']] = [needed.split(' '), found.split(' ')]
  if (kind !== foundKind) return false
  const [major = 0, minor = 0] = least.split('.').map(Number)
  const [foundMajor = 0, foundMinor = 0] = version.split('.').map(Number)
  return foundMajor > major || (foundMajor === major && foundMinor >= minor)
}

function noBuild({ system, machine, libc }: Platform, builds: readonly Build[]): Refusal {
  const cause = 'there is no Node.js, and none can be brought: '
  const cure =
    'install Node.js 20.19 or newer there, or set murder.node to { bring: path } with a build for it'
  if (system !== 'Linux') return { cause: `${cause}its system is ${system || 'unknown'}, not Linux`, cure }
  const sameMachine = builds.filter(
    (each) => each.machine === undefined || each.machine === machineOf(machine),
  )
  if (sameMachine.length === 0) return { cause: `${cause}no build is for ${machine}`, cure }
  if (libc === 'musl') {
    return {
      cause: `${cause}the C library is musl (Alpine), and Node's builds need glibc`,
      cure: `${cure}; on Alpine: apk add nodejs`,
    }
  }
  const oldest = sameMachine.map((each) => each.libc).sort(byVersion)[0]
  return { cause: `${cause}it has ${libc}, and Node's builds need ${oldest}`, cure }
}

export const isNewer = (version: string, other: string): boolean => byVersion(version, other) > 0

const byVersion = (one = '', other = '') => one.localeCompare(other, 'en', { numeric: true })

/** Why a Node that was uploaded does not run, in words for people. `said`: its last words, or those of the shell. */
export function whyUnfit(exitCode: number, said: string, remotePath: string): Refusal {
  const cause = 'the Node.js that was brought does not run there'
  const own =
    'install Node.js 20.19 or newer there, or set murder.node to { bring: path } with a build for it'
  const [, symbol] = /version [`'"]?((?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)/.exec(said) ?? []
  if (symbol) return { cause: `${cause}: its C library is too old (${symbol} is missing)`, cure: own }
  const [, library] = /loading shared librar(?:y|ies):? ([^\s:]+)/i.exec(said) ?? []
  if (library)
    return {
      cause: `${cause}: ${library} is missing`,
      cure: `install the package that has ${library} there, or Node.js`,
    }
  if (/exec format error|cannot execute binary/i.test(said))
    return { cause: `${cause}: it is for another processor`, cure: own }
  if (exitCode === 126) {
    return {
      cause: `${cause}: programs in ${remotePath} may not run (mounted noexec?)`,
      cure: 'set murder.remotePath to a directory on a file system without noexec, or install Node.js there',
    }
  }
  if (exitCode === 127 || /no such file|not found/i.test(said)) {
    return { cause: `${cause}: the loader of glibc is missing (musl?)`, cure: own }
  }
  return { cause: `${cause}: ${said || `it ended with ${exitCode}`}`, cure: own }
}
