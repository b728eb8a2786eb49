import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { shellWords } from '../../../../src/config/copy/shell-words.ts'
import { fuzz } from '../../../support/fuzz.ts'

const fromShell = (text: string) =>
  execFileSync('sh', ['-c', `set -- ${text}\nfor word; do printf '%s\\0' "$word"; done`], {
    encoding: 'utf8',
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
    .split('\0')
    .slice(0, -1)

it.each([
  '--del',
  ' -a  -z ',
  `--exclude='*.log' --exclude="a b" --exclude=c\\ d`,
  `"" '' x""y`,
  '"a\\$b \\\\ \\x $ $." "a\\\nb" a\\\nb',
  '--exclude=*.log',
  `'it'\\''s'`,
  'a#b c~ "#"',
])('reads %j as sh does', (text) => expect(shellWords(text)).toEqual(fromShell(text)))

it.each([
  '$x',
  '"$x"',
  '`id`',
  '"`id`"',
  'a;b',
  'a|b',
  'a&',
  '(a)',
  '>x',
  '{a,b}',
  '~',
  '#x',
  '*.log',
  '"a',
  "'a",
  'a\\',
  'a\nb',
  '\0',
])('does not read %j', (text) => expect(shellWords(text)).toBeUndefined())

it('reads what it reads as sh does, whatever it is', async () => {
  const parts = ['a', ' ', "'", '"', '\\', '$', '.', '-', '*', '\n', '`', '#', '~', '{', 'é']
  await fuzz(60, (next) => {
    const text = Array.from({ length: 1 + next(9) }, () => parts[next(parts.length)]).join('')
    const words = shellWords(text)
    if (words) expect(words, JSON.stringify(text)).toEqual(fromShell(text))
  })
})
