import { describe, expect, it } from 'vitest'
import { plainError } from '../../../../src/agent/cli/system-error.ts'
import { MurderError } from '../../../../src/errors.ts'

describe('an error in plain words', () => {
  it('names the file and what to do', () => {
    const error = Object.assign(new Error("ENOSPC: no space, write '/x'"), { code: 'ENOSPC', path: '/x' })
    expect(plainError(error)).toMatchObject({
      message: '/x cannot be written: the disk is full',
      exitCode: 1,
      cure: expect.stringMatching(/free/),
    })
  })

  it('keeps to one line', () => {
    expect(plainError(new Error('first\nsecond')).message).toBe('first')
    expect(plainError('just text').message).toBe('just text')
  })

  it('leaves our own as it is', () => {
    const error = new MurderError('X', 'mine')
    expect(plainError(error)).toBe(error)
  })
})
