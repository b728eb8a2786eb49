import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { pauseBefore } from '../../../../src/deploy/rollout/pause.ts'

/** Asks on a terminal, and gives what the answer means. `act` types it. */
async function asked(act: (keyboard: PassThrough, abort: AbortController) => unknown): Promise<boolean> {
  const [input, output, abort] = [new PassThrough(), new PassThrough(), new AbortController()]
  const context = {
    settings: { rollout: { pause: 'ask' } },
    display: { finish() {} },
    signal: abort.signal,
  } as unknown as Context
  output.once('data', () => act(input, abort))
  return pauseBefore(context, 'group 2 of 3', { input, output })
}

test.each([
  ['y\n', true],
  [' Yes \n', true],
  ['n\n', false],
  ['\n', false],
  ['yesterday\n', false],
])('%j is %j', async (typed, answer) => {
  expect(await asked((keyboard) => keyboard.write(typed))).toBe(answer)
})

test.each([
  ['Ctrl-D', (keyboard: PassThrough) => keyboard.end()],
  ['a terminal that is gone', (keyboard: PassThrough) => keyboard.destroy(new Error('EIO'))],
])('%s says no', async (_, act) => {
  expect(await asked(act)).toBe(false)
})

test('the end of the run is no answer', async () => {
  await expect(asked((_, abort) => abort.abort(new Error('over')))).rejects.toThrow('over')
})
