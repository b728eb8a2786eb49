import { expect, it } from 'vitest'
import { GitLabSections } from '../../../src/report/gitlab-sections.ts'

it('opens a section for each step, and closes the one before', () => {
  let written = ''
  let now = 1_767_323_045_900
  const sections = new GitLabSections({ write: (text) => (written += text) }, () => now)
  sections.begin('check')
  now += 1000
  sections.begin('transfer')
  sections.end()
  sections.end()
  expect(written.split('\n')).toEqual([
    '\u001b[0Ksection_start:1767323045:murder_1_check\r\u001b[0Kshipit-murder: check',
    '\u001b[0Ksection_end:1767323046:murder_1_check\r\u001b[0K',
    '\u001b[0Ksection_start:1767323046:murder_2_transfer\r\u001b[0Kshipit-murder: transfer',
    '\u001b[0Ksection_end:1767323046:murder_2_transfer\r\u001b[0K',
    '',
  ])
})
