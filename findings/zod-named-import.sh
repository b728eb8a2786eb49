#!/bin/bash
# zod 4.6.7 and esbuild 0.28.2 (npm packages), no network after the installation.
# Expected: `import { z } from 'zod'`, as zod's own pages begin, and `import * as z from 'zod'` make the same bundle: zod has no side
#   effects, and both use only `z.string()`.
# Seen: the first is six times as large: `z` is then a value that has everything, zod's texts in all languages included, and
#   esbuild can leave out nothing of it. A namespace can be taken apart.
# For us: the plugin loads all of its bundle at each start, so it imports the namespace, and a lint rule keeps it so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund zod@4.6.7 esbuild@0.28.2 >/dev/null 2>&1

bytes() {
  printf '%s\nconsole.log(z.string().parse("text"))\n' "$1" >entry.mjs
  node_modules/.bin/esbuild entry.mjs --bundle --platform=node --minify --log-level=error --outfile=out.cjs
  [ "$(node out.cjs)" = text ]
  wc -c <out.cjs
}
named=$(bytes "import { z } from 'zod'")
namespace=$(bytes "import * as z from 'zod'")
echo "named: $named bytes, namespace: $namespace bytes"
[ "$named" -gt $((5 * namespace)) ]
echo 'as described: the named import brings all of zod'
