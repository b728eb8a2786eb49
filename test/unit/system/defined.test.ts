import { expect, it } from 'vitest'
import { defined } from '../../../src/system/defined.ts'

it('leaves out what is undefined, and nothing else', () => {
  const fields = defined({ a: undefined, b: 0, c: '', d: false, e: null })
  expect(Object.keys(fields)).toEqual(['b', 'c', 'd', 'e'])
  expect(fields).toEqual({ b: 0, c: '', d: false, e: null })
})
