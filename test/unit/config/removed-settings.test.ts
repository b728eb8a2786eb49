import { expect, test } from 'vitest'
import { loadSettings } from '../../../src/config/load.ts'

const load = (file: object, env: NodeJS.ProcessEnv = {}) =>
  loadSettings({ file, env, deployTo: '/srv/app', servers: ['a'] })

test.each([
  [{ prefill: false }, {}, 'murder.prefill'],
  [{}, { MURDER_PREFILL: 'maybe' }, 'MURDER_PREFILL'],
  [{ prefill: 1 }, { MURDER_PREFILL: '1' }, 'MURDER_PREFILL and murder.prefill'],
])('%j with %j is accepted, with a line that says what does it now', (file, env, names) => {
  const { settings, notes } = load({ ...file, linger: 5 }, env)
  expect(notes).toEqual([
    `${names} does nothing any more: what servers have is reused by deltas (murder.deltas); remove it`,
  ])
  expect(settings).toEqual(load({ linger: 5 }).settings)
})

test('nothing is said of settings that are in force, and of an empty variable', () => {
  expect(load({ deltas: true }, { MURDER_PREFILL: '' }).notes).toEqual([])
})
