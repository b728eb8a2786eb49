import { posix } from 'node:path'
import { quote, quotePath } from '../../text/shell-quote.ts'
import { BROUGHT_PREFIX } from './node/find-node-script.ts'

/** A program that comes compressed with gzip on standard input. */
export interface Upload {
  /** Where it is put on the server. */
  path: string
  /** SHA-256 of the program itself, hex. */
  sha256: string
  /** Length of the compressed program. What follows is the input of the next program. */
  compressedBytes: number
}

/** Days after which files are removed: of an upload that a crash of the server cut off, and of older agents and their libraries of scripts. */
const PART_DAYS = 1
const AGENT_DAYS = 30

const REMOVE_OLD = `find . -maxdepth 1 -type f \\( -name 'murder-*.mjs' -mtime +${AGENT_DAYS} -o -name 'murder-${'[0-9a-f]'.repeat(16)}.sh' -mtime +${AGENT_DAYS} -o -name '*.part' -mtime +${PART_DAYS} \\) -exec rm -f {} +`

/**
 * Shell function `install_program`, which takes the upload to a name of its own, and renames it when its SHA-256 is right and it
 * is on the disk: at `to` there is never a part of it. Fails with one line on standard error. `is_fit PATH` may refuse it before.
 * `head` may take more than the program from a pipe: nothing else may come before the program has said that it runs.
 */
const INSTALL = `fail() { rm -f "$part"; printf '%s\\n' "$1" >&2; exit 1; }
is_fit() { :; }
sha256() { { sha256sum || shasum -a 256 || openssl dgst -sha256 -r; } 2>/dev/null; }
install_program() {
  part=$to.$$.part
  trap 'rm -f "$part"' EXIT
  trap 'exit 1' HUP INT TERM
  said=$({ head -c "$bytes" | gzip -dc >"$part"; } 2>&1)
  case "$said" in *'o space left'*|*'isk quota'*) fail "the disk is full: no room for $to" ;; esac
  got=$(sha256 <"$part") || fail "no SHA-256 can be computed there: sha256sum, shasum and openssl are missing"
  case "$got" in
    "$sha256"*) ;;
    *) case "$said" in
      *'not found'*) fail "gzip is missing there" ;;
      *'nexpected end'*) fail "the upload arrived incomplete" ;;
      *) fail "the upload arrived damaged" ;;
    esac ;;
  esac
  chmod 755 "$part" && { sync "$part" 2>/dev/null || sync; }
  is_fit "$part"
  mv -f "$part" "$to" || fail "$to cannot be made"
  trap - EXIT HUP INT TERM
}`

function install({ path, sha256, compressedBytes }: Upload): string {
  return `to=${quotePath(path)}; sha256=${quote(sha256)}; bytes=${compressedBytes}
${INSTALL}
(cd ${quotePath(posix.dirname(path))} && ${REMOVE_OLD})`
}

/**
 * Removes the Nodes that were brought to `remotePath` earlier, but the one at `keep`. Programs that run from one of these go on.
 */
const removeOthers = (remotePath: string, keep: string): string =>
  `for x in ${quotePath(remotePath)}/${BROUGHT_PREFIX}*; do case "$x" in ${keep}|*.part) ;; *) rm -f "$x" ;; esac; done`

/**
 * Installs the agent and then becomes its `command`, if one is given. `setNode` sets `node`. Also removes a Node that was brought
 * and is no longer used.
 */
export function installAgentScript(upload: Upload, setNode: string, command = ''): string {
  return `${install(upload)}
install_program
${setNode}
${removeOthers(posix.dirname(upload.path), '"$node"')}
${command === '' ? '' : `exec "$node" "$to" ${quote(command)}`}`
}

/** The answer of a new Node when it is run. */
const IS_FIT = `is_fit() {
  said=$("$1" -p process.version 2>&1 </dev/null)
  i=$?
  case "$said" in v[0-9]*.[0-9]*) version=$said ;; *) printf 'unfit=%s %s\\n' "$i" "$said" | tr '\\n' ' '; rm -f "$1"; exit 0 ;; esac
}`

/** Installs a Node, once it has run there, and removes those that were brought before. `parseInstalledNode` reads the answer. */
export function installNodeScript(upload: Upload): string {
  return `${install(upload)}
${IS_FIT}
install_program
${removeOthers(posix.dirname(upload.path), '"$to"')}
printf 'version=%s\\n' "$version"`
}

export type InstalledNode = { version: string } | { exitCode: number; said: string }

export function parseInstalledNode(output: string): InstalledNode {
  const [, version] = /^version=(v\d+\.\d+\.\d+\S*)$/m.exec(output) ?? []
  if (version !== undefined) return { version }
  const [, exitCode, said = ''] = /^unfit=(\d+) (.*)$/m.exec(output) ?? []
  return { exitCode: Number(exitCode ?? 1), said: said.trim() }
}
