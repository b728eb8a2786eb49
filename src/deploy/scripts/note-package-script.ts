import { quote, quotePath } from '../../text/shell-quote.ts'

/**
 * Looks whether a directory is there already, and prints `same` where its note names this package, else `other`. Where there is
 * none, notes the package that it will be made of.
 */
export const notePackageScript = (o: { path: string; note: string; sha256: string }) => `
r=${quotePath(o.path)}; n=${quotePath(o.note)}; s=${quote(o.sha256)}
if [ -d "$r" ] && [ -n "$(ls -A "$r")" ]; then
  if [ "$(cat "$n" 2>/dev/null)" = "$s" ]; then echo same; else echo other; fi
else
  mkdir -p "$(dirname "$n")" && printf '%s\\n' "$s" > "$n"
fi`
