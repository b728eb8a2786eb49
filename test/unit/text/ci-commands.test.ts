import { describe, expect, it } from 'vitest'
import { jsonLine, withoutCommands } from '../../../src/text/ci-commands.ts'
import { githubCommands } from '../../support/ci-runner.ts'

const github = { GITHUB_ACTIONS: 'true' }

const commands = [
  '::error::x',
  '::add-mask::e',
  '  \t\u00a0\u0085\u2028::stop-commands::x',
  '::ERROR file=a:b,line=1 \u2028::x',
  'web1 said ##[add-mask]e',
  '###[group]##[error]',
  'above\r::warning::below',
  'above\n   ::notice ::below\n::group::y',
]

describe('text of others in a job of GitHub', () => {
  it.each(commands)('is no command: %j', (text) => {
    expect(githubCommands(text)).not.toEqual([])
    const shown = withoutCommands(text, github)
    expect(githubCommands(shown)).toEqual([])
    expect(shown.replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
    expect(withoutCommands(shown, github)).toBe(shown)
    expect(withoutCommands(text, {})).toBe(text)
  })

  it.each([
    '::1 did not answer, nor ::2',
    '  ::ffff:192.0.2.1',
    '::ffff:192.0.2.1 and ::1',
    'std::string::npos',
    '# 3 # [x]',
  ])('stays as it is where it is none: %s', (text) => {
    expect(withoutCommands(text, github)).toBe(text)
  })
})

it('no text is a section of the log in GitLab', () => {
  const text = 'section_start:1:x[collapsed=true]\r\u001b[0Kheading\nsection_end:2:x\r\u001b[0K'
  const shown = withoutCommands(text, { GITLAB_CI: 'true' })
  expect(shown).not.toMatch(/section_(start|end):\d+:[^\r\n]*\r/)
  expect(shown).toContain('section_start:1:x[collapsed=true]')
})

it('JSON keeps its values, and has no command', () => {
  const value = { message: '::error::x ##[add-mask]e', '##[error]': [1] }
  const line = jsonLine(value)
  expect(JSON.parse(line)).toEqual(value)
  expect(githubCommands(line)).toEqual([])
})
