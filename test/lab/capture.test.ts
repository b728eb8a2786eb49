import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeProject } from '../../bench/deploy/project.ts'
import { Lab, labAvailable } from '../support/lab/lab.ts'

describe.skipIf(!labAvailable())('what a deploy says to the network', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await Lab.create({ hosts: 3, deployHost: true })
    await Promise.all(lab.servers.map((server) => lab.sshd(server)))
  })
  afterAll(() => lab?.destroy())

  test('no packet leaves to any address but those of fleet and deploy host, and none by UDP', async () => {
    const addresses = lab.servers.map(({ address }) => address)
    const { directory, workspace } = await makeProject(
      ...([join(lab.directory, 'project'), 'murder', addresses, '/srv/app', lab.keys.identity] as const),
    )
    const shipitfile = join(directory, 'shipitfile.js')
    const text = readFileSync(shipitfile, 'utf8')
    writeFileSync(shipitfile, text.replace(/"repositoryUrl": .*\n/, '"keepWorkspace": true,\n'))
    writeFileSync(join(workspace, 'content'), Buffer.alloc(3_000_000, 'content '))

    const names = ['deploy', ...lab.servers.map(({ name }) => name)]
    const captures = names.map((name) =>
      lab.spawn(name, ['tcpdump', '-i', 'any', '-nn', '-l', '-q', '-Z', 'root', 'tcp or udp']),
    )
    for (const capture of captures)
      await expect.poll(() => capture.stderr, { timeout: 20_000 }).toContain('listening on')
    const deploy = lab.spawn('deploy', ['npx', 'shipit', 'production', 'deploy'], { cwd: directory })
    expect(await deploy.ended, deploy.stdout + deploy.stderr).toMatchObject({ code: 0 })
    for (const capture of captures) capture.kill('SIGINT')
    await Promise.all(captures.map(({ ended }) => ended))

    const lines = captures.flatMap(({ stdout }) => stdout.split('\n')).filter((line) => / IP6? /.test(line))
    expect(lines.length).toBeGreaterThan(50)
    expect(lines.filter((line) => line.includes('UDP'))).toEqual([])
    const known = new Set(['127.0.0.1', '::1', lab.host('deploy').address, ...addresses])
    const targets = lines.flatMap((line) => / > (\S+)\.\d+: /.exec(line)?.[1] ?? [])
    expect(targets.length).toBe(lines.length)
    expect([...new Set(targets)].filter((address) => !known.has(address))).toEqual([])
  })
})
