import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { lastWords } from '../../../src/text/last-words.ts'

/** What this Node prints when it fails. */
function crash(script: string, env: Record<string, string> = {}): string {
  try {
    execFileSync(process.execPath, ['-e', script], { env, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    return (error as { stderr: string }).stderr
  }
  throw new Error('it did not fail')
}

test.each([
  ['', { NODE_OPTIONS: '--require /no/such.js' }, "Error: Cannot find module '/no/such.js'"],
  ['throw new TypeError("one\\ntwo")', {}, 'TypeError: one'],
  ['throw Object.assign(new Error("one"), { code: "X" })', {}, 'Error: one'],
  ['x x', {}, /^SyntaxError: /],
  ['require("node:fs").readFileSync("/no")', {}, /^Error: ENOENT: /],
  ['throw null', {}, 'null'],
  ['console.error("first"); console.error("last"); process.exit(1)', {}, 'last'],
])('Node with %j and %j', (script, env, expected) => {
  const line = lastWords(crash(script, env))
  if (typeof expected === 'string') expect(line).toBe(expected)
  else expect(line).toMatch(expected)
})

test.each([
  [
    '\n#\n# Fatal process OOM in Failed to reserve virtual memory for CodeRange\n#\n\n',
    'Fatal process OOM in Failed to reserve virtual memory for CodeRange',
  ],
  [
    '\n<--- Last few GCs --->\n\n\n#\n# Fatal javascript OOM in GC during deserialization\n#\n\nTrace/breakpoint trap\n',
    'Fatal javascript OOM in GC during deserialization',
  ],
  [
    '<--- Last few GCs --->\n[1:0x2] 32 ms: Mark-Compact\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0xb9c310 node::Abort() [node]\n',
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  ],
  ['Error: first\n  last\n', 'last'],
  ['Node.js v20.19.0\n', 'Node.js v20.19.0'],
  [' \r\n', undefined],
  ['', undefined],
])('%j', (text, expected) => {
  expect(lastWords(text)).toBe(expected)
})

test('what is no message of the program is passed over', () => {
  expect(lastWords('cause\nremark: x\n', /^remark: /)).toBe('cause')
})
