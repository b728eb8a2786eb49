import { quote, quotePath } from '../../text/shell-quote.ts'

/**
 * Says `same` where `path` holds what was made of the package with this SHA-256, and `other` where it holds something else. Where
 * it holds nothing, it notes the package at `note`, because that is what will be made of it.
 */
export const completeScript = (path: string, note: string, sha256: string): string => `
r=${quotePath(path)}; n=${quotePath(note)}; s=${quote(sha256)}
if [ -d "$r" ] && [ -n "$(ls -A "$r")" ]; then
  if [ "$(cat "$n" 2>/dev/null)" = "$s" ]; then echo same; else echo other; fi
else
  mkdir -p "$(dirname "$n")" && printf '%s\\n' "$s" > "$n"
fi`
