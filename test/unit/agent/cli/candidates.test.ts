import { describe, expect, it } from 'vitest'
import { candidates } from '../../../../src/agent/cli/candidates.ts'

const known = (command?: Parameters<typeof candidates>[1]['command']) => ({
  commands: ['seed', 'status', 'stop'],
  command,
  tags: ['web-1', 'web-2', 'db'],
  shells: ['bash', 'fish'],
})
const stop = {
  help: '--all, --run-dir DIR and --tag T',
  positionals: ['[tag]'],
  flags: {
    all: { type: 'boolean' as const },
    'run-dir': { type: 'string' as const },
    tag: { type: 'string' as const },
    secret: { type: 'boolean' as const },
  },
}

describe('candidates', () => {
  it.each([
    ['nothing typed', [], ['seed', 'status', 'stop', '--help', '--version']],
    ['the begin of a command', ['st'], ['status', 'stop']],
    ['flags that the help names', ['stop', '--'], ['--all', '--run-dir', '--tag', '--help']],
    ['a running tag', ['stop', 'we'], ['web-1', 'web-2']],
    ['a tag after flags and their values', ['stop', '--run-dir', '/tmp', 'd'], ['db']],
    ['the value of --tag', ['stop', '--tag', 'w'], ['web-1', 'web-2']],
    ['the value of --tag, after an equals sign', ['stop', '--tag=w'], ['--tag=web-1', '--tag=web-2']],
    ['the value of another flag, after an equals sign', ['stop', '--run-dir=/t'], []],
    ['a path: the shell knows', ['stop', '--run-dir', '/t'], []],
    ['one word too many', ['stop', 'db', ''], []],
  ])('%s', (_, words, expected) => {
    expect(candidates(words, known(words.length > 1 ? stop : undefined))).toEqual(expected)
  })

  it('offers nothing for a command that is none, and shells where one is wanted', () => {
    expect(candidates(['sed', ''], known())).toEqual([])
    const completion = { help: '', positionals: ['<shell>'], flags: {} }
    expect(candidates(['completion', 'f'], known(completion))).toEqual(['fish'])
  })
})
