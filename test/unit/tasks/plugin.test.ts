import { describe, expect, it } from 'vitest'
import { explain, MurderError } from '../../../src/errors.ts'
import murder from '../../../src/index.ts'
import type { Shipit } from '../../../src/shipit.ts'
import { registrations } from '../../../src/tasks/index.ts'
import { host } from './host.ts'

describe('loading the plugin', () => {
  it('keeps every task of shipit-deploy and returns nothing', () => {
    const { shipit } = host()
    const before = Object.keys(shipit.tasks)
    expect(murder(shipit)).toBeUndefined()
    expect(Object.keys(shipit.tasks)).toEqual(expect.arrayContaining(before))
  })

  it('registers only tasks of its own name or that shipit-deploy has', () => {
    const { shipit } = host()
    const before = Object.keys(shipit.tasks)
    for (const register of registrations) register(shipit)
    const added = Object.keys(shipit.tasks).filter((name) => !before.includes(name))
    expect(added.filter((name) => !name.startsWith('murder:'))).toEqual([])
  })

  it('may be loaded twice', () => {
    const { shipit } = host()
    murder(shipit)
    const names = Object.keys(shipit.tasks)
    murder(shipit)
    expect(Object.keys(shipit.tasks)).toEqual(names)
  })

  it.each([undefined, null, {}, 'shipit'])('refuses %o instead of Shipit', (wrong) => {
    const error = thrownBy(() => murder(wrong as unknown as Shipit))
    expect(explain(error)).toBe(
      'shipit-murder was called without Shipit — write murder(shipit) in the shipitfile',
    )
  })

  it('refuses to load before shipit-deploy and says what to do', () => {
    const { shipit } = host({ withDeploy: false })
    const error = thrownBy(() => murder(shipit))
    expect(error.message).toBe('shipit-murder was loaded before shipit-deploy')
    expect(error.cure).toContain('deploy(shipit) first')
    expect(error.exitCode).toBe(2)
    expect(Object.keys(shipit.tasks)).toEqual([])
  })
})

function thrownBy(action: () => void): MurderError {
  try {
    action()
  } catch (error) {
    if (error instanceof MurderError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
