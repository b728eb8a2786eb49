import { expect, test, vi } from 'vitest'
import { runSession } from '../../../../src/fleet/ssh/session.ts'
import { awakeSeconds } from '../../../../src/system/awake.ts'

vi.mock('../../../../src/system/awake.ts', () => ({ awakeSeconds: vi.fn() }))

test('a limit is over only when this process has run for so long', async () => {
  // It looks when the session begins, and was suspended the next two times.
  const looks = [10, 10, 10.02, 10.5]
  vi.mocked(awakeSeconds).mockImplementation(() => looks.shift() ?? 11)
  const limits = { connect: 0, stall: 0, total: 0.2 }
  const result = await runSession({
    commandLine: 'sleep 20',
    script: 'true',
    limits,
    maxOutputBytes: 0,
    route: () => expect.fail(),
  })
  expect(result).toMatchObject({ stop: { why: 'total', seconds: 0.2 } })
  expect(looks).toEqual([])
})
