import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { embedded } from '../support/harness/deploy-embedded.ts'

test('what restarts the application on published does so after a revert and after a rollback', async () => {
  const { project, app, configure, current } = await embedded(2)
  const restart = `cat ${JSON.stringify(`${'$PWD'}/app/current/file`)} >>restarted`
  configure(
    { murder: { healthCheck: '! grep -q broken file', batch: 1, linger: 0 } },
    { after: `shipit.on('published', () => void shipit.remote(${JSON.stringify(restart)}).catch(() => {}))` },
  )
  const run = async (content: string, task = 'deploy') => {
    writeFileSync(join(project.workspace, 'file'), content)
    const { code, stdout } = await project.run(task)
    const restarted = [0, 1].map((index) => readFileSync(join(app(index), '../restarted'), 'utf8'))
    const events = project.seen().map(({ event, releaseDirname }) => `${event} ${releaseDirname ?? ''}`)
    return { code, stdout, restarted, events }
  }
  expect(await run('one ')).toMatchObject({ code: 0, restarted: ['one ', 'one '] })
  const first = current()[0]?.replace('releases/', '')
  expect(await run('two ')).toMatchObject({ code: 0, restarted: ['one two ', 'one two '] })
  const second = current()[0]?.replace('releases/', '')

  const reverted = await run('broken ')
  expect(reverted, reverted.stdout).toMatchObject({ code: 1, restarted: ['one two two ', 'one two two '] })
  expect(reverted.events.at(-1)).toBe(`published ${second}`)
  expect(reverted.stdout).not.toContain('Release published.')

  for (const both of ['deploy rollback', 'rollback deploy']) {
    const { code, stderr, stdout } = await project.run(both)
    expect(code, stdout).toBe(2)
    expect(stderr + stdout).toContain('cannot run in one call')
    expect(current()).toEqual([`releases/${second}`, `releases/${second}`])
  }

  const { code, restarted, events } = await run('', 'rollback')
  expect({ code, restarted }).toEqual({ code: 0, restarted: ['one two two one ', 'one two two one '] })
  expect(events).toEqual(
    ['rollback', 'published', 'cleaned', 'rollbacked'].map((event) => `${event} ${first}`),
  )
})
