import { quote, quotePath } from '../../../text/shell-quote.ts'

/** The oldest Node that runs the agent. */
export const OLDEST_NODE = [20, 19] as const
/** How long a program may take to print its version. One that waits for a terminal or for the network would never end. */
const RUN_TIMEOUT_S = 10
/** At most so many programs called node are tried. */
const MAX_RUNS = 8

/**
 * Where installers put Node, as shell words that may match nothing. A command over SSH does not read the files that put these on
 * the PATH, but some of their variables may be set.
 */
const PLACES = `
  "\${NVM_DIR:-$HOME/.nvm}"/versions/node/*/bin/node
  "\${XDG_CONFIG_HOME:-$HOME/.config}"/nvm/versions/node/*/bin/node
  /usr/local/nvm/versions/node/*/bin/node
  /opt/nvm/versions/node/*/bin/node
  "\${FNM_DIR:-$HOME/.fnm}"/node-versions/*/installation/bin/node
  "\${XDG_DATA_HOME:-$HOME/.local/share}"/fnm/node-versions/*/installation/bin/node
  "\${VOLTA_HOME:-$HOME/.volta}"/tools/image/node/*/bin/node
  "\${ASDF_DATA_DIR:-$HOME/.asdf}"/installs/nodejs/*/bin/node
  "\${MISE_DATA_DIR:-\${XDG_DATA_HOME:-$HOME/.local/share}/mise}"/installs/node/*/bin/node
  "\${N_PREFIX:-$HOME/n}"/n/versions/node/*/bin/node
  /usr/local/n/versions/node/*/bin/node
  "\${NODENV_ROOT:-$HOME/.nodenv}"/versions/*/bin/node
  "\${NODEBREW_ROOT:-$HOME/.nodebrew}"/node/*/bin/node
  "\${NVS_HOME:-$HOME/.nvs}"/node/*/*/bin/node
  "$HOME"/.proto/tools/node/*/bin/node
  "$HOME"/.local/bin/node
  "$HOME"/bin/node
  "$HOME"/node*/bin/node
  "$HOME"/.nix-profile/bin/node
  /home/linuxbrew/.linuxbrew/bin/node
  /home/linuxbrew/.linuxbrew/opt/node*/bin/node
  "$HOME"/.linuxbrew/bin/node
  "$HOME"/.linuxbrew/opt/node*/bin/node
  /opt/homebrew/bin/node
  /opt/homebrew/opt/node*/bin/node
  /opt/*/bin/node
  /opt/node*/*/bin/node
  /opt/rh/*/root/usr/bin/node
  /opt/alt/*/root/usr/bin/node
  /opt/plesk/node/*/bin/node
  /usr/local/bin/node
  /usr/local/node*/bin/node
  /usr/local/lib/nodejs/*/bin/node
  /usr/bin/node
  /usr/bin/nodejs
  /snap/bin/node
  /snap/node/current/bin/node
  /run/current-system/sw/bin/node
`

/** Every Node that was uploaded has a name of its own in `remotePath`, which begins so. */
export const BROUGHT_PREFIX = 'node-'

const LEAST = OLDEST_NODE[0] * 1e6 + OLDEST_NODE[1] * 1e3

/**
 * Shell functions. `run_node PATH` sets `version` to `v22.1.0` if a Node runs there, else to nothing, and `said` to why. It runs
 * a script, because --version works even where scripts fail, as with bad NODE_OPTIONS or too little memory (ulimit -v). `order
 * TEXT` sets `k` to a number that orders versions; missing parts of a version count as high. `search` sets `node` and `version`
 * to the newest Node that is new enough, and fails where there is none. It reads versions from paths. It runs only programs
 * without a version in their path, and then the newest.
 */
const FUNCTIONS = `nl='
'
limit=; ! command -v timeout >/dev/null || limit='timeout -s KILL ${RUN_TIMEOUT_S}'
run_node() {
  version=
  said=$nl$($limit "$1" -p process.version 2>&1 </dev/null) || [ $? != 137 ] || said="\${nl}it does not end by itself"
  case "$said" in
    *"$nl"v[0-9]*) ;;
    *"'${RUN_TIMEOUT_S}'"*|*'sage: timeout'*) [ -n "$limit" ] && limit= && run_node "$1"; return ;; # the one of busybox before 1.30
    *) return 1 ;;
  esac
  version=\${said##*"$nl"v}; version=v\${version%%"$nl"*}
}
order() {
  k=\${1#"\${1%%[0-9]*}"}
  set -f; IFS=.-_; set -- $k; unset IFS; set +f
  k=0
  for i in "$1" "$2" "$3"; do
    case "$i" in ''|*[!0-9]*|0?*|????*) i=999 ;; esac
    k=$((k * 1000 + i))
  done
}
version_in() {
  i=\${1%/bin/node}; i=\${i%/installation}; i=\${i%/x64}; i=\${i%/arm64}; i=\${i%/root/usr}; i=\${i##*/}
  case "$1" in "$p"/*) return 1 ;; esac
  case "$i" in v[0-9]*|[0-9]*|*node*[0-9]*) order "$i" ;; *) return 1 ;; esac
}
is_new() { [ -n "$version" ] && order "$version" && [ "$k" -ge ${LEAST} ] && [ "$k" -gt "$top" ]; }
search() {
  node=; newest=; top=0; runs=0; tried=:
  set -- "$p"/${BROUGHT_PREFIX}* ${PLACES.trim().replace(/\s+/g, ' ')}
  for x in "$@"; do
    [ -f "$x" ] && [ -x "$x" ] && ! version_in "$x" && [ $runs -lt ${MAX_RUNS / 2} ] || continue
    case "$x" in *.part) continue ;; esac
    runs=$((runs + 1))
    if run_node "$x" && is_new; then node=$x; newest=$version; top=$k; fi
  done
  while [ $runs -lt ${MAX_RUNS} ]; do
    best=; most=$top; [ $most -ge ${LEAST} ] || most=${LEAST - 1}
    for x in "$@"; do
      case "$tried" in *":$x:"*) continue ;; esac
      [ -f "$x" ] && [ -x "$x" ] && version_in "$x" && [ "$k" -gt "$most" ] || continue
      best=$x; most=$k
    done
    [ -n "$best" ] || break
    tried=$tried$best:; runs=$((runs + 1))
    if run_node "$best" && is_new; then node=$best; newest=$version; top=$k; break; fi
  done
  version=$newest
  [ -n "$node" ]
}`

/**
 * Shell text that sets `node` to the Node of a server, `version` to its version where it was run, and else `said` to why it does
 * not run. A Node that the settings name is taken as it is. Otherwise it is the one on the PATH. If that is missing or too old,
 * it is the newest one elsewhere. If there is none, it is the one on the PATH again.
 */
export function findNode(setting: string | undefined, remotePath: string): string {
  const functions = `p=${quotePath(remotePath)}\n${FUNCTIONS}`
  if (setting !== undefined) return `${functions}\nnode=${quote(setting)}; run_node "$node"`
  return `${functions}
top=0; run_node node; path_version=$version; path_said=$said
if is_new; then node=node
elif ! search; then node=node; version=$path_version; said=$path_said; fi`
}

/** The same for scripts that only use `node`: a named Node is not run first. */
export const setNode = (node: string | undefined, remotePath: string): string =>
  node === undefined ? findNode(node, remotePath) : `node=${quote(node)}`

/** `v22.1.0 (nvm)`; the version alone for the one on the PATH, or of the setting. */
export function describeNode(version: string, path: string, remotePath: string): string {
  const origin = originOfNode(path, remotePath)
  return origin === undefined ? version : `${version} (${origin})`
}

/** The tool that installed a Node, for people; undefined for one that was named or is on the PATH. */
export function originOfNode(path: string, remotePath: string): string | undefined {
  if (!path.startsWith('/')) return undefined
  if (path.startsWith(`${remotePath}/`)) return 'brought by murder'
  return ORIGINS.find(([pattern]) => pattern.test(path))?.[1] ?? path.replace(/\/bin\/node(js)?$/, '')
}

const ORIGINS: readonly [RegExp, string][] = [
  [/\/nvm\/versions\/|\/\.nvm\//, 'nvm'],
  [/\/node-versions\/.*\/installation\//, 'fnm'],
  [/\/tools\/image\/node\//, 'volta'],
  [/\/installs\/nodejs\//, 'asdf'],
  [/\/installs\/node\//, 'mise'],
  [/\/n\/versions\/node\//, 'n'],
  [/\/\.nodenv\//, 'nodenv'],
  [/\/\.nodebrew\//, 'nodebrew'],
  [/\/\.nvs\//, 'nvs'],
  [/\/\.proto\//, 'proto'],
  [/linuxbrew\/|^\/opt\/homebrew\//, 'Homebrew'],
  [/^\/snap\//, 'snap'],
]
