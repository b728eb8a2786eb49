import { expect, it } from 'vitest'
import { ContiguousBytes } from '../../../../src/agent/receive/contiguous-bytes.ts'

const contiguous = () => new ContiguousBytes({ pieceLength: 10, length: 25 })

it('tells how far the content is there without a gap, the last piece being shorter', async () => {
  const content = contiguous()
  content.add(2)
  content.add(0)
  expect(await content.beyond(0)).toBe(10)
  content.add(1)
  expect(await content.beyond(10)).toBe(25)
})

it('waits for the piece that is missing, however many come after it', async () => {
  const content = contiguous()
  content.add(0)
  let reached: number | undefined
  const waiting = content.beyond(10).then((bytes) => {
    reached = bytes
  })
  content.add(2)
  await new Promise(setImmediate)
  expect(reached).toBeUndefined()
  content.add(1)
  await waiting
  expect(reached).toBe(25)
})

it('stops waiting when it is told to', async () => {
  const stop = new AbortController()
  const waiting = contiguous().beyond(0, stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})

it('is behind while its reader works on what it got, until it waits for more or ends', async () => {
  const content = contiguous()
  expect(content.isBehind).toBe(false)
  content.add(0)
  await content.beyond(0)
  expect(content.isBehind).toBe(true)
  const more = content.beyond(10)
  expect(content.isBehind).toBe(false)
  content.add(1)
  await more
  expect(content.isBehind).toBe(true)
  content.end()
  expect(content.isBehind).toBe(false)
})
