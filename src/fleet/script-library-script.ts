import { quote, quotePath } from '../text/shell-quote.ts'
import { escapeLines } from './ssh/bootstrap.ts'

/** The line with which a server asks for the library. */
export const LACKS_LIBRARY = '<<< murder needs its library <<<'

/** Ends the head of a library. */
const END_OF_HEAD = '#='

/**
 * The head of every library: puts its lines into `lib1`, `lib2`, …, and defines `lib PART…`, which sets `lib` to a script. A part is a
 * number, a range of numbers, or a line after a colon, which then gets the next number.
 */
export const LIBRARY_HEAD = `lib_n=0; set -f; IFS='
'
for lib_x in $lib_text; do lib_n=$((lib_n + 1)); eval "lib$lib_n=\\$lib_x"; done
unset IFS; set +f; lib_nl='
'
lib() {
  lib=
  for lib_x in "$@"; do
    case "$lib_x" in
      :*) lib_n=$((lib_n + 1)); eval "lib$lib_n=\\\${lib_x#:}"; lib=$lib\${lib_x#:}$lib_nl; continue ;;
    esac
    lib_i=\${lib_x%-*}; lib_x=\${lib_x#*-}
    while [ "$lib_i" -le "$lib_x" ]; do eval "lib=\\$lib\\$lib$lib_i\\$lib_nl"; lib_i=$((lib_i + 1)); done
  done
}
${END_OF_HEAD}`

const ASK = `printf '%s\\n' ${quote(LACKS_LIBRARY)}; while IFS= read -r lib_new; do [ \${#lib_new} -lt 2 ] || break; done; lib_text=$(printf %b "$lib_new")`

/** Enough of a SHA-256 to notice damage, hex digits. */
const DIGITS = 32

/**
 * One line that makes the library known to a shell. The file counts only with the right SHA-256: a power failure may have damaged it.
 * Otherwise, and where no SHA-256 can be computed, the shell asks for the library and waits for its line, past signs of life.
 */
export const openLibrary = (path: string, sha256: string): string =>
  [
    `lib_at=${quotePath(path)}; lib_new=; lib_text=$(cat "$lib_at" 2>/dev/null)`,
    `case $(printf %s "$lib_text" | { sha256sum || shasum -a 256; } 2>/dev/null) in ${sha256.slice(0, DIGITS)}*) ;; *) ${ASK} ;; esac`,
    `eval "\${lib_text%%${END_OF_HEAD}*}"`,
  ].join('; ')

/** The line of input that such a shell asks for. */
export const libraryLine = (text: string): string => `${escapeLines(text)}\n`

/** Keeps a library that was asked for. Its directory must be there. */
export const KEEP_LIBRARY = `[ -z "$lib_new" ] || (
  umask 022
  printf %s "$lib_text" >"$lib_at.$$" && mv -f "$lib_at.$$" "$lib_at" || rm -f "$lib_at.$$"
) 2>/dev/null`
