#!/bin/sh
# toMatchObject of Vitest takes any value at all where a regular expression is expected.
#
# What:     Vitest 3.2.7 and 4.1.12, toMatchObject({ text: /pattern/ })
# Expected: as with Node.js's assert.partialDeepStrictEqual, which compares them, or with toEqual, which fails: a test that
#           looks as if it compared a text with a pattern fails when the text is another one
# Seen:     it passes for any text, and also for a number or an object: a subset has the expected value's own enumerable
#           properties, and these have none. An Error and a Date do fail. Such tests never fail, and look like good ones.
# Instead:  { text: expect.stringMatching(/pattern/) }
#
# Needs npm and the npm registry. Ends with 0 while that is so, and with 1 when it has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true,"type":"module"}' >package.json
cat >look.test.js <<'TEST'
import { expect, test } from 'vitest'
test('a text and a pattern', () => expect({ text: 'one' }).toMatchObject({ text: /two/ }))
test('a number and a pattern', () => expect({ text: 1 }).toMatchObject({ text: /two/ }))
test.fails('with toEqual', () => expect({ text: 'one' }).toEqual({ text: /two/ }))
test.fails('a text and a date', () => expect({ text: 'one' }).toMatchObject({ text: new Date(0) }))
test.fails('with stringMatching', () => expect({ text: 'one' }).toMatchObject({ text: expect.stringMatching(/two/) }))
TEST

status=0
for version in 3.2.7 4.1.12; do
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "vitest@$version" >&2
  if npx vitest run --reporter=dot >look.log 2>&1; then
    echo "Vitest $version: a pattern takes anything"
  else
    cat look.log >&2
    echo "Vitest $version: it was otherwise" >&2
    status=1
  fi
done
exit "$status"
