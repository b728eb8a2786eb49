import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { frozenDocument } from '../../../../src/page/serve/document.ts'
import { SimulatedRun } from '../../../support/simulated-run.ts'

test('a frozen page allows its own script and style by hash, and holds hostile names as data', () => {
  const hostile = '</script><script>alert(1)</script><!--'
  const { recorder } = new SimulatedRun(2, { labels: [hostile, 'deploy@b'] })
  const text = frozenDocument(recorder.picture, { script: 'run()', style: 'a{}' })
  const hash = (content: string) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`
  expect(text).toContain(`script-src ${hash('run()')}`)
  expect(text).toContain(`style-src ${hash('a{}')}`)
  expect(text.match(/<\/script/g)).toHaveLength(2)
  const [, data = ''] = /<script id="picture" type="application\/json">(.*?)<\/script>/s.exec(text) ?? []
  expect(JSON.parse(data).servers[0].server).toBe(hostile)
})
