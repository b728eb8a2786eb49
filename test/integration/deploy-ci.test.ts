import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import type { Span } from '../../src/deploy/outcome/trace.ts'
import { githubCommands } from '../support/ci-runner.ts'
import { embedded } from '../support/harness/deploy-embedded.ts'

it('a deploy that fails tells GitHub, Prometheus and OpenTelemetry which server failed and why', async () => {
  const { fleet, project, configure } = await embedded(2)
  writeFileSync(join(project.workspace, 'file'), 'content')
  const broken = '#!/bin/sh\ncase "$*" in *receive*) echo "boom: no more memory" >&2; exit 9;; esac\n'
  for (const [at, { home }] of fleet.servers.entries()) {
    writeFileSync(join(home, 'node'), `${at === 1 ? broken : '#!/bin/sh\n'}exec '${process.execPath}' "$@"\n`)
    chmodSync(join(home, 'node'), 0o755)
  }
  configure({ murder: { node: join(fleet.home, 'node') } })
  const traces: { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }[] = []
  const collector = createServer(async (request, response) => {
    traces.push((await json(request)) as (typeof traces)[number])
    response.end('{}')
  })
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const [metrics, summary] = [join(project.root, 'run.prom'), join(project.root, 'summary.md')]
  const run = await project.run('deploy', {
    GITHUB_ACTIONS: 'true',
    GITHUB_STEP_SUMMARY: summary,
    MURDER_METRICS: metrics,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  })
  collector.close()
  expect(run.code).toBe(1)
  expect(run.stdout).toMatch(/^::error title=\S+%3A \w+::boom: no more memory/m)
  expect(readFileSync(summary, 'utf8')).toMatch(/\| failed \|.*boom: no more memory/)
  expect(readFileSync(metrics, 'utf8')).toMatch(/^murder_run_servers\{.*outcome="failed"\} 1$/m)
  const spans = traces.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((s) => s.spans)),
  )
  expect(
    spans.filter(({ status }) => status.message === 'boom: no more memory').map(({ name }) => name),
  ).toHaveLength(2)
  expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['check', 'package']))
})

it('what servers print is no command to GitHub, wherever it is shown', async () => {
  const { project, configure } = await embedded(3)
  writeFileSync(join(project.workspace, 'file'), 'content')
  const hostile = 'echo "##[add-mask]a"; echo "::add-mask::b"; '
  const wrapped = `echo "${'long '.repeat(30)} ${'::error::c '.repeat(30)}" >&2; exit 3`
  const after = `shipit.blTask('ask', async () => {
    await shipit.remote(${JSON.stringify(hostile)})
    await shipit.murder.servers().run(${JSON.stringify(hostile)})
    console.log('::add-mask::my own')
    await shipit.local('printf "::add-mask::d\\\\n##[add-mask]e\\\\n" >&2; exit 3')
  })`
  configure({ murder: { healthCheck: `${hostile}${wrapped}` } }, { after })
  const github = { GITHUB_ACTIONS: 'true' }
  const failed = await project.run('deploy', github)
  expect(failed.code).toBe(1)
  expect(failed.stdout).toMatch(/^ +: :error::c/m)
  const json = await project.run('deploy', { ...github, MURDER_OUTPUT: 'json' })
  const asked = await project.run('ask', github)
  expect(asked.stdout).toContain('## [add-mask]a')
  const all = [failed, json, asked].map(({ stdout, stderr }) => `${stdout}\n${stderr}`)
  expect(all[2]).toContain('## [add-mask]e')
  const isAnnotation = (line: string) => /^::error title=\S+%3A health::/.test(line)
  const found = all.map(githubCommands)
  expect(found[0]?.filter((line) => !isAnnotation(line))).toEqual([])
  expect(found[1]?.filter((line) => !isAnnotation(line))).toEqual([])
  expect(found[2]).toEqual(['::add-mask::my own'])
})
