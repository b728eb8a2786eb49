import { plainAddress } from '../../system/addresses.ts'
import { quote, quotePath } from '../../text/shell-quote.ts'

/** What one server says of itself when it is asked before a deploy. */
export interface ServerFacts {
  /** `v20.19.0`; undefined when there is no Node at the configured path. */
  node: string | undefined
  /** Whether the agent with this content is there already. */
  hasAgent: boolean
  /** Address of the deploy host as the server sees it, and of the server as the deploy host sees it, over SSH. */
  clientAddress: string | undefined
  serverAddress: string | undefined
  /** All addresses that the server says it has. */
  addresses: string[]
  /** Directory name of the release that `current` points to. */
  currentRelease: string | undefined
  /** Of all that are there, by name: after a rollback it is not the current one. */
  newestRelease: string | undefined
  revision: string | undefined
  /** Free bytes, and which file system that is: two paths on one file system share them. */
  temporary: Space
  releases: Space
  /** Tells machines apart, whatever their names: the kernel's boot and the place of `deployTo`. */
  identity: string | undefined
  /** What stands in the way, in words of its own. */
  trouble: string | undefined
}

export interface Space {
  fileSystem: string
  free: number
}

export interface FactPaths {
  deployTo: string
  remotePath: string
  temporaryPath: string
  agent: string
  node: string
}

/** Asks only for the addresses of the SSH connection. */
export const addressScript = `printf 'ssh=%s\\n' "$SSH_CONNECTION"`

/** Makes the directories, each with what it is that keeps it from being made. */
const MAKE = [
  `make() { [ -d "$1" ] || m=$([ -z "$2" ] || umask "$2"; mkdir -p "$1" 2>&1) || bad "$1 cannot be made: \${m##*: }"; [ -w "$1" ] || bad "$1 is not writable"; }`,
  'make "$d/releases"; make "$p"; make "$t" 077',
]

const LOOK = [
  'for x in "$d/releases" "$p" "$t"; do near "$x"; [ -d "$y" ] || bad "$y is not a directory"; [ -w "$y" ] || bad "$y is not writable"; done',
]

/**
 * The script that asks: one round trip, POSIX sh, prints `key=value` lines. It makes the directories that a deploy
 * needs, because only that shows whether it may; `readOnly` looks at the nearest ones that are there instead. What the
 * shell can do itself it does: each program that it starts takes several times as long as the question.
 */
export function factsScript(paths: FactPaths, readOnly = false): string {
  const { deployTo, remotePath, temporaryPath, agent, node } = paths
  return [
    `d=${quotePath(deployTo)}; p=${quotePath(remotePath)}; t=${quotePath(temporaryPath)}`,
    `nl='\n'; say() { printf '%s=%s\\n' "$1" "$2"; }`,
    `bad() { say trouble "$1"; exit 0; }`,
    addressScript,
    `say node "$(${quote(node)} --version 2>/dev/null)"`,
    '[ ! -e "$d" ] || [ -d "$d" ] || bad "$d is not a directory"',
    'if [ -d "$d/current" ] && [ ! -L "$d/current" ]; then bad "$d/current is a directory, not a link"; fi',
    `near() { y=$1; while [ ! -e "$y" ]; do case "$y" in ?*/*) y=\${y%/*};; /*) y=/;; *) y=.;; esac; done; }`,
    ...(readOnly ? LOOK : MAKE),
    `[ -f ${quotePath(agent)} ] && say agent yes`,
    `if [ -L "$d/current" ]; then c=$(readlink "$d/current"); c=\${c%/}; c=\${c##*/}; if [ -d "$d/releases/$c" ]; then say current "$c"; v=; [ -f "$d/releases/$c/REVISION" ] && IFS= read -r v <"$d/releases/$c/REVISION"; say revision "$v"; fi; fi`,
    `set -- "$d"/releases/${'[0-9]'.repeat(14)}; shift $(($# - 1)); x=\${1##*/}; case "$x" in *[!0-9]*) ;; *) say newest "$x";; esac`,
    // The last two lines are the two file systems, also when they are the same one.
    `near "$t"; x=$y; near "$d/releases"; s=$(df -Pk "$x" "$y" 2>/dev/null); say releases "\${s##*"$nl"}"; s=\${s%"$nl"*}; say temporary "\${s##*"$nl"}"`,
    'set -f; set -- $({ hostname -I || ip -o addr show | sed -n "s/.* inet6\\{0,1\\} \\([^ /]*\\).*/\\1/p"; } 2>/dev/null); set +f; say addresses "$*"',
    'b=; { IFS= read -r b </proc/sys/kernel/random/boot_id; } 2>/dev/null; say boot "$b"',
    `say place "$(stat -c %d:%i "$d" 2>/dev/null)"`,
  ].join('; ')
}

/** Reads what the script printed. Lines of a login banner are passed over. */
export function parseFacts(output: string): ServerFacts {
  const values = parseValues(output)
  const text = (key: string) => values.get(key) || undefined
  const [boot, place] = [text('boot'), text('place')]
  return {
    node: text('node'),
    hasAgent: values.get('agent') === 'yes',
    ...parseAddresses(output),
    currentRelease: text('current'),
    newestRelease: text('newest'),
    revision: text('revision'),
    temporary: parseSpace(text('temporary')),
    releases: parseSpace(text('releases')),
    identity: boot && place ? `${boot} ${place}` : undefined,
    addresses: (text('addresses') ?? '').split(' ').filter(Boolean),
    trouble: text('trouble'),
  }
}

/** SSH_CONNECTION: client address and port, server address and port. */
export function parseAddresses(output: string): Pick<ServerFacts, 'clientAddress' | 'serverAddress'> {
  const [client, , server] = (parseValues(output).get('ssh') ?? '').split(' ')
  return { clientAddress: addressIn(client), serverAddress: addressIn(server) }
}

/** The `key=value` lines of an answer. Of a key that is there twice the last one counts. */
export function parseValues(output: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of output.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).trim())
  }
  return values
}

const addressIn = (text = '') => plainAddress(text) || undefined

/** A line of `df -Pk`: file system, blocks, used, available (KiB), use, mount point. */
function parseSpace(line: string | undefined): Space {
  const match = /\s(\d+)\s+(\d+)\s+(-?\d+)\s+\S+\s+(\/.*)$/.exec(line ?? '')
  if (!match) return { fileSystem: '', free: Number.POSITIVE_INFINITY }
  return { fileSystem: match[4] as string, free: Math.max(0, Number(match[3])) * 1024 }
}
