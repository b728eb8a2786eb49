import { OLDEST_NODE } from './find-node-script.ts'

/** The platform, which decides which programs run on a server. */
export interface Platform {
  /** `Linux`, as uname says it. */
  system: string
  /** `x86_64`, `aarch64`, … */
  machine: string
  /** The C library: `glibc 2.36`, `musl`; undefined where it cannot be told. */
  libc: string | undefined
  /** Free bytes where a Node would be put; infinite where that is not known. */
  free: number
  /** Whether the file system of that directory is mounted noexec, so that no program there may run. */
  isNoexec: boolean
}

/**
 * Prints the platform of a server if the Node that `findNode` found will not do, or was brought. Makes a file only to test
 * noexec.
 */
export const platformScript = (readOnly: boolean): string => `k=0; [ -z "$version" ] || order "$version"
case "$node" in "$p"/*) k=0 ;; esac
if [ "$k" -lt ${OLDEST_NODE[0] * 1e6 + OLDEST_NODE[1] * 1e3} ]; then
  say system "$(uname -sm)"
  l=$(getconf GNU_LIBC_VERSION 2>/dev/null) || l=$(ldd --version 2>&1)
  say libc "\${l%%"$nl"*}"
  near "$p"; l=$(df -Pk "$y" 2>/dev/null); say nodeRoom "\${l##*"$nl"}"
  ${readOnly ? '' : TRY_TO_RUN}
fi`

const TRY_TO_RUN = `l=$p/.murder.$$.try
  if { printf '#!/bin/sh\\n' >"$l"; } 2>/dev/null; then
    chmod 700 "$l"; "$l" 2>/dev/null; [ $? != 126 ] || say noexec yes
    rm -f "$l"
  fi`

export function parsePlatform(values: ReadonlyMap<string, string>): Platform | undefined {
  const said = values.get('system')
  if (said === undefined) return undefined
  const [system = '', machine = ''] = said.split(' ')
  const [, kibibytes] = /\s\d+\s+\d+\s+(\d+)\s+\S+\s+\/.*$/.exec(values.get('nodeRoom') ?? '') ?? []
  return {
    system,
    machine,
    libc: parseLibc(values.get('libc') ?? ''),
    free: kibibytes === undefined ? Number.POSITIVE_INFINITY : Number(kibibytes) * 1024,
    isNoexec: values.get('noexec') === 'yes',
  }
}

/** The first line of getconf (`glibc 2.36`) or of `ldd --version`: `ldd (Debian GLIBC 2.36-9) 2.36`, `musl libc (x86_64)`. */
function parseLibc(line: string): string | undefined {
  if (/musl/i.test(line)) return 'musl'
  const [, version] = /(?:glibc|gnu libc).*?(\d+\.\d+)\S*$/i.exec(line) ?? []
  return version === undefined ? undefined : `glibc ${version}`
}
