/** Where the agent `a` is not in `p`, sets `a` to one of another version: it reads the same run directories. */
export const ANY_AGENT = `if [ ! -f "$a" ]; then for x in "$p"/murder-*.mjs; do [ -f "$x" ] && a=$x; done; fi`
