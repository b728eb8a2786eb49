import { expect, test } from 'vitest'
import { START_MARK } from '../../../../src/fleet/ssh/bootstrap.ts'
import { Greeting } from '../../../../src/fleet/ssh/greeting.ts'
import { LineSplitter } from '../../../../src/fleet/ssh/line-splitter.ts'
import { Tail } from '../../../../src/fleet/ssh/tail.ts'
import { parseEvent } from '../../../../src/protocol/events.ts'

/** The same bytes in pieces of every size must give the same lines. */
function split(text: string, limit?: number): string[][] {
  const bytes = Buffer.from(text)
  return Array.from({ length: bytes.length }, (_, index) => {
    const lines: string[] = []
    const splitter = new LineSplitter((line) => lines.push(line), limit)
    for (let at = 0; at < bytes.length; at += index + 1) splitter.push(bytes.subarray(at, at + index + 1))
    splitter.end()
    return lines
  })
}

test('lines are the same however the bytes are cut', () => {
  for (const lines of split('one\n\ntwo: é日🎉\r\nlast'))
    expect(lines).toEqual(['one', '', 'two: é日🎉', 'last'])
  for (const lines of split('a\nb\n')) expect(lines).toEqual(['a', 'b'])
})

test('a line over the limit is cut there and the next is whole', () => {
  for (const lines of split('123456789\nabc\n', 4)) expect(lines).toEqual(['1234', 'abc'])
})

test('the tail keeps the last bytes', () => {
  const tail = new Tail(5)
  for (const part of ['ab', 'cdefghij', 'k']) tail.push(Buffer.from(part))
  expect(tail.toString()).toBe('ghijk')
})

test('what a server prints before the script starts is not the script’s', () => {
  const bytes = Buffer.from(`Welcome! ${START_MARK}\nno newline\n${START_MARK}\nthe output`)
  for (let size = 1; size <= bytes.length; size++) {
    const greeting = new Greeting()
    let output = ''
    for (let at = 0; at < bytes.length; at += size) output += greeting.push(bytes.subarray(at, at + size))
    expect(output).toBe('the output')
    expect(greeting.found).toBe(true)
  }
})

test('without a start everything is greeting', () => {
  const greeting = new Greeting()
  expect(greeting.push(Buffer.from('go away\n'))).toHaveLength(0)
  expect(greeting.found).toBe(false)
  expect(greeting.text).toBe('go away\n')
})

test('events are recognized among noise', () => {
  expect(parseEvent('{"event":"done"}\r')).toEqual({ event: 'done' })
  for (const noise of ['', 'Welcome', '{', '{"event":1}', '[1]', 'null', '{"a":"b"}', '"event"']) {
    expect(parseEvent(noise)).toBeUndefined()
  }
})
