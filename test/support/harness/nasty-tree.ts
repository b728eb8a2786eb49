import { randomBytes } from 'node:crypto'
import { plant, type Tree, touch } from '../../unit/package/trees.ts'

const deep = `${'deep directory/'.repeat(18)}${'x'.repeat(60)}`

/** A release of all that is awkward: names, depths, modes, links, times. `deep` is longer than 300 characters. */
export function nastyTree(root: string): void {
  const tree: Tree = {
    'plain.txt': 'plain\n',
    'two words': 'spaces',
    'new\nline': 'newline',
    '-rf': 'a leading dash',
    '--help/-x': 'another',
    'ünïcödé/日本語/🦀.txt': 'UTF-8',
    'quote\'"`$(touch hacked)\\': 'shell',
    [deep]: 'deep',
    [`${'n'.repeat(255)}`]: 'a long name',
    'read only': { content: 'r', mode: 0o400 },
    script: { content: '#!/bin/sh\n', mode: 0o755 },
    'group writable': { content: 'g', mode: 0o664 },
    'private/': { mode: 0o700 },
    'private/inside': { content: 'p', mode: 0o600 },
    'empty directory/': {},
    'empty file': '',
    'one byte': 'x',
    'random.bin': { content: randomBytes(3_000_000) },
    'zeros.bin': { content: Buffer.alloc(700_000) },
    'links/relative': { link: '../plain.txt' },
    'links/absolute': { link: '/etc/hostname' },
    'links/dangling': { link: 'nowhere at all' },
    'links/directory': { link: '../empty directory' },
    'long ago': { content: 'x', at: '1.5' },
    'to the nanosecond': { content: 'x', at: '1700000001.123456789' },
    'hidden/.dot': 'x',
  }
  plant(root, tree)
  // Directories last: making their entries changed them.
  touch(
    ['empty directory', 'links', 'private'].map((name) => `${root}/${name}`),
    '1600000000.987654321',
  )
}
