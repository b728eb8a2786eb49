import { plainAddress } from '../../system/addresses.ts'
import { lastWords } from '../../text/last-words.ts'
import { quotePath } from '../../text/shell-quote.ts'
import { RECORDS, type ServerPaths } from '../paths/server-paths.ts'
import { findNode } from './node/find-node-script.ts'
import { type Platform, parsePlatform, platformScript } from './node/platform-script.ts'
import { STAGED } from './releases/staged-script.ts'
import { SAY } from './shell-functions.ts'
import { parseValues } from './values.ts'

/** What a server answers before a deploy. */
export interface ServerFacts {
  /** `v20.19.0`; undefined when no Node runs there. */
  node: string | undefined
  /** How to run it: a path, or a name on the PATH. */
  nodePath: string | undefined
  /** Why no Node runs. */
  nodeSaid: string | undefined
  /** The platform for a Node. Known only where Node is missing, too old, or was brought. */
  platform: Platform | undefined
  /** Whether this version of the agent is there already. */
  hasAgent: boolean
  /** Address of the deploy host as the server sees it, and of the server as the deploy host sees it, over SSH. */
  clientAddress: string | undefined
  serverAddress: string | undefined
  /** The port of its sshd, as the server sees it. */
  serverPort: number | undefined
  /** All addresses of the server, as it knows them. */
  addresses: string[]
  /** Directory name of the release that `current` points to. */
  currentRelease: string | undefined
  /** The last release by name. After a rollback it is not the current one. */
  newestRelease: string | undefined
  revision: string | undefined
  /** The id under which the current release was delivered, where that was noted. */
  base: string | undefined
  /** The staged release, and the id under which it was delivered. */
  staged: { release: string; base: string | undefined } | undefined
  /** Two paths on one file system share its free bytes and inodes. */
  temporary: Space
  releases: Space
  /** Tells machines apart, whatever their names: the kernel's boot, and device and inode of `deployTo`. */
  identity: string | undefined
  /** The same for `deployTo`, `remotePath` and `temporaryPath`. For a directory on another machine: its share and inode. */
  places: string[]
  /** Why no deploy is possible, as a sentence. */
  problem: string | undefined
}

export interface Space {
  fileSystem: string
  free: number
  /** How many more files fit, whatever their size; infinite where that is not known, or not limited. */
  inodes: number
}

interface FactsPaths extends ServerPaths {
  /** The agent's content is checked, not only its name: after a power failure the file may be empty or damaged. */
  content: { bytes: number; sha256: string }
}

/** Prints only the addresses of the SSH connection. */
export const ADDRESS_SCRIPT = `printf 'ssh=%s\\n' "$SSH_CONNECTION"`

/** Prints how many files a process may have open. Follows `factsScript`. */
export const OPEN_FILES_SCRIPT = `say files "$(ulimit -n | sed 's/unlimited/999999999/')"`

/** Enough of a SHA-256 to notice damage, hex digits. */
const DIGITS = 32

/** Makes the directories. Reports the first that cannot be made or written to. */
const MAKE = `make() {
  [ -d "$1" ] || m=$([ -z "$2" ] || umask "$2"; mkdir -p "$1" 2>&1) || bad "$1 cannot be made: \${m##*: }"
  [ -w "$1" ] || unwritable "$1"
}
make "$d/releases"; make "$p"; make "$t" 077`

const LOOK = `for x in "$d/releases" "$p" "$t"; do
  near "$x"
  [ -d "$y" ] || bad "$y is not a directory"
  [ -w "$y" ] || unwritable "$y"
done`

/**
 * Script that answers all that a deploy asks beforehand, in one round trip. It makes the directories that a deploy needs, because
 * only that shows whether it may. With `readOnly` it looks at their nearest parents instead. It starts as few programs as
 * possible, because the shell itself answers several times faster.
 */
export function factsScript(paths: FactsPaths, readOnly = false): string {
  const { deployTo, remotePath, temporaryPath, agent, node, content } = paths
  return `d=${quotePath(deployTo)}; p=${quotePath(remotePath)}; t=${quotePath(temporaryPath)}
${SAY}
bad() { say problem "$1"; exit 0; }
unwritable() { bad "$1 is not writable: it belongs to $(ls -ld "$1" | { read -r x x x _; echo "$x"; })"; }
near() {
  y=$1
  while [ ! -e "$y" ]; do case "$y" in ?*/*) y=\${y%/*} ;; /*) y=/ ;; *) y=. ;; esac; done
}
${ADDRESS_SCRIPT}
${STAGED}
${findNode(node, remotePath)}
if [ -n "$version" ]; then say node "$version"; say nodePath "$node"
else say nodeSaid "$(printf '%s\\n' "$said" | tail -n 60 | tr '\\n' '\\036')"; fi

[ ! -e "$d" ] || [ -d "$d" ] || bad "$d is not a directory"
if [ -e "$d/current" ] && [ ! -L "$d/current" ]; then
  [ ! -d "$d/current" ] || bad "$d/current is a directory, not a link: move it away"
  bad "$d/current is a file, not a link: move it away"
fi
${readOnly ? LOOK : MAKE}
${platformScript(readOnly)}
a=${quotePath(agent)}
if [ -f "$a" ]; then
  set -- $({ sha256sum || wc -c; } 2>/dev/null <"$a")
  case "$1" in ${content.sha256.slice(0, DIGITS)}*|${content.bytes}) say agent yes ;; esac
fi

base() { v=; { [ -f "$d/${RECORDS}/$1" ] && IFS= read -r v <"$d/${RECORDS}/$1"; } 2>/dev/null; }
c=
if [ -L "$d/current" ]; then
  c=$(readlink "$d/current"); c=\${c%/}; c=\${c##*/}
  if [ -d "$d/releases/$c" ]; then
    say current "$c"
    v=; [ -f "$d/releases/$c/REVISION" ] && IFS= read -r v <"$d/releases/$c/REVISION"
    say revision "$v"
    base "$c"; say base "$v"
  fi
fi
set -- "$d"/releases/${'[0-9]'.repeat(14)}
shift $(($# - 1)); x=\${1##*/}
case "$x" in *[!0-9]*) ;; *)
  say newest "$x"
  # A staged one is later than the current one, so mostly no program has to look for it.
  if [ "$x" != "$c" ]; then
    c=$(staged "$d")
    if [ -n "$c" ]; then say staged "$c"; base "$c"; say stagedBase "$v"; fi
  fi ;;
esac

near "$t"; x=$y; near "$d/releases"
s=$(df -Pk "$x" "$y" 2>/dev/null) # its last two lines, also when both are on one file system
say releases "\${s##*"$nl"}"; s=\${s%"$nl"*}
say temporary "\${s##*"$nl"}"
s=$(df -Pi "$x" "$y" 2>/dev/null)
say releasesInodes "\${s##*"$nl"}"; s=\${s%"$nl"*}
say temporaryInodes "\${s##*"$nl"}"

set -f
set -- $({ hostname -I || ip -o addr show | sed -n "s/.* inet6\\{0,1\\} \\([^ /]*\\).*/\\1/p"; } 2>/dev/null)
set +f
say addresses "$*"
b=; { IFS= read -r b </proc/sys/kernel/random/boot_id; } 2>/dev/null
say boot "$b"
say place "$(stat -c %d:%i "$d" "$p" "$t" 2>/dev/null)"`
}

/** Reads what the script printed. Ignores a login banner. */
export function parseFacts(output: string): ServerFacts {
  const values = parseValues(output)
  const text = (key: string) => values.get(key) || undefined
  const [boot, place] = [text('boot'), text('place')]
  const placed = /^place=(\d+:\d+(?:\n\d+:\d+)*)/m.exec(output)?.[1]?.split('\n') ?? []
  const [inReleases, , inTemporary] = placed.map(deviceOf)
  const sourceOf = (device: string) =>
    sourceIn(device === inReleases ? text('releases') : device === inTemporary ? text('temporary') : '')
  return {
    node: text('node'),
    nodePath: text('nodePath'),
    platform: parsePlatform(values),
    nodeSaid: lastWords((values.get('nodeSaid') ?? '').replaceAll('\x1e', '\n')),
    hasAgent: values.get('agent') === 'yes',
    ...parseAddresses(output),
    currentRelease: text('current'),
    newestRelease: text('newest'),
    revision: text('revision'),
    base: idIn(text('base')),
    staged: text('staged')
      ? { release: values.get('staged') ?? '', base: idIn(text('stagedBase')) }
      : undefined,
    temporary: { ...parseSpace(text('temporary')), inodes: parseInodes(text('temporaryInodes')) },
    releases: { ...parseSpace(text('releases')), inodes: parseInodes(text('releasesInodes')) },
    identity: boot && place ? `${boot} ${place}` : undefined,
    places: placed.flatMap(
      (at) => placeOnNetwork(sourceOf(deviceOf(at)), at) ?? (boot ? `${boot} ${at}` : []),
    ),
    addresses: (text('addresses') ?? '').split(' ').filter(Boolean),
    problem: text('problem'),
  }
}

const idIn = (text = '') => (/^[0-9a-f]{64}$/.test(text) ? text : undefined)

/** What is mounted, in a line of df. */
const sourceIn = (line = '') => line.replace(/\s.*/, '')
const deviceOf = (place: string) => place.replace(/:.*/, '')

/** A file system of another machine: `nas:/srv` (NFS, sshfs, Ceph, Gluster) or `//nas/srv` (CIFS). */
function placeOnNetwork(source: string, place: string): string | undefined {
  return /:|^\/\//.test(source) ? `${source} ${place.replace(/.*:/, '')}` : undefined
}

/** SSH_CONNECTION: client address and port, server address and port. */
export function parseAddresses(
  output: string,
): Pick<ServerFacts, 'clientAddress' | 'serverAddress' | 'serverPort'> {
  const [client, , server, port] = (parseValues(output).get('ssh') ?? '').split(' ')
  return {
    clientAddress: addressIn(client),
    serverAddress: addressIn(server),
    serverPort: Number(port) > 0 && Number(port) < 65_536 ? Number(port) : undefined,
  }
}

const addressIn = (text = '') => plainAddress(text) || undefined

/** A line of `df -Pk`: file system, blocks, used, available (KiB), use, mount point. */
function parseSpace(line: string | undefined): Omit<Space, 'inodes'> {
  const match = /\s(\d+)\s+(\d+)\s+(-?\d+)\s+\S+\s+(\/.*)$/.exec(line ?? '')
  if (!match) return { fileSystem: '', free: Number.POSITIVE_INFINITY }
  return { fileSystem: match[4] as string, free: Math.max(0, Number(match[3])) * 1024 }
}

/** A line of `df -Pi`: file system, inodes, used, free, use, mount point. Some file systems have none, and say 0 of 0. */
function parseInodes(line: string | undefined): number {
  const [, all, free] = /\s(\d+)\s+\d+\s+(\d+)\s+\S+\s+\/.*$/.exec(line ?? '') ?? []
  return Number(all) > 0 ? Number(free) : Number.POSITIVE_INFINITY
}
