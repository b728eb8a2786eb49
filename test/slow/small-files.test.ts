import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DeployLab, deployTo } from '../support/harness/lab-deploy.ts'
import { labAvailable } from '../support/lab/lab.ts'

describe.skipIf(!labAvailable())('a deploy of a great many files', () => {
  let fleet: DeployLab

  beforeAll(async () => {
    fleet = await DeployLab.of(2)
  })
  afterAll(() => fleet?.lab.destroy())

  test('50,000 small files', async () => {
    const { workspace } = fleet.project
    for (let directory = 0; directory < 500; directory++) {
      mkdirSync(join(workspace, `d${directory}`), { recursive: true })
      for (let file = 0; file < 100; file++)
        writeFileSync(join(workspace, `d${directory}/f${file}`), `${directory} ${file}`)
    }
    expect(await fleet.run()).toMatchObject({ code: 0, stderr: '' })
    await Promise.all(
      fleet.servers.map((server) =>
        fleet.lab.exec(server, ['diff', '-r', workspace, `${deployTo}/current/`]),
      ),
    )
    expect(await fleet.quiet(5)).toEqual([])
  })
})
