import { chmod } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chromiumFile, openBrowser, seriousFaults } from '../support/browser.ts'
import { freePort, Sandbox } from '../support/harness/agent-harness.ts'

const program = join(import.meta.dirname, '../../dist/murder.mjs')
let sandbox: Sandbox
let port: number

beforeEach(async () => {
  sandbox = await Sandbox.make(program)
  port = await freePort()
})
afterEach(() => sandbox.end())

/** Status and headers of an answer, and the first bytes of its text. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number | undefined; policy: string; type: string; text: string }>(
    (resolve, reject) => {
      request({ host: '127.0.0.1', port, path, headers, method }, (response) => {
        const { statusCode: status, headers } = response
        const found = (text: string) => {
          response.destroy()
          const policy = String(headers['content-security-policy'] ?? '')
          resolve({ status, policy, type: String(headers['content-type'] ?? ''), text })
        }
        response.once('data', (chunk) => found(String(chunk))).once('end', () => found(''))
      })
        .on('error', reject)
        .end()
    },
  )
}

const announce = (query: string) =>
  fetch(
    `http://127.0.0.1:${port}/announce?info_hash=${'%cd'.repeat(20)}&peer_id=${'%01'.repeat(20)}&${query}`,
  )

it('is a page for people and numbers for programs', async () => {
  const { stdout } = await sandbox.run(['tracker', '--port', String(port)])
  expect(stdout).toMatch(new RegExp(`page +http://\\S+:${port}/stats\n`))
  const page = await ask('/stats')
  expect(page).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' })
  expect(page.policy).toContain("default-src 'none'; script-src 'self'")
  expect((await ask('/stats/page.js')).status).toBe(200)
  expect((await ask('/stats/page.css')).status).toBe(200)
  expect(await ask('/stats/events')).toMatchObject({ status: 200, type: 'text/event-stream; charset=utf-8' })
  for (const answer of [await ask('/stats.json'), await ask('/stats', { accept: 'application/json' })]) {
    expect(answer).toMatchObject({ status: 200, type: 'application/json' })
    expect(JSON.parse(answer.text)).toMatchObject({ torrents: 0, peersAll: 0 })
  }
  expect((await ask('/stats', {}, 'POST')).status).toBe(405)
  expect((await ask('/stats/../etc/passwd')).text).not.toContain('root')
  for (const host of ['evil.example.com', `evil.example.com:${port}`, '[::1', '127.0.0.1@evil.example.com'])
    expect((await ask('/stats/events', { host })).status, host).toBe(403)
  for (const host of ['10.1.2.3:8998', '[fd00::1]:8998', 'localhost', 'tracker'])
    expect((await ask('/stats', { host })).status, host).toBe(200)
})

it('is at a path that nobody guesses where the tracker has a secret', async () => {
  const secret = await sandbox.file('secret', `${'5e'.repeat(32)}\n`)
  await chmod(secret, 0o600)
  const { stdout, stderr } = await sandbox.run(['tracker', '--port', String(port), '--secret-file', secret])
  expect(stderr).toBe('')
  const [, path = ''] = /page +http:\/\/[^/]+(\/[\w-]{43}\/stats)\n/.exec(stdout) ?? []
  expect(await ask(path)).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' })
  expect((await ask(`${path}/events`)).type).toContain('text/event-stream')
  for (const other of [
    '/stats',
    '/stats/events',
    '/stats.json',
    '/metrics',
    `${path}.json`,
    `/${'x'.repeat(43)}/stats`,
  ])
    expect((await ask(other)).status, other).toBe(404)
  // Who may look may not announce.
  expect((await ask(path.replace('stats', `announce?info_hash=${'%ab'.repeat(20)}`))).status).toBe(404)
})

describe.skipIf(!chromiumFile)('in a browser', () => {
  const { open } = openBrowser()

  it.each([390, 1400])(
    'shows a swarm by hand, with a peer that is gone, %i wide',
    { timeout: 60_000 },
    async (width) => {
      await sandbox.run(['tracker', '--port', String(port)])
      await sandbox.torrent(3_000_000, port)
      const { page, faults } = await open(`http://127.0.0.1:${port}/stats`, width)
      await page.getByText('No torrent has been announced yet').waitFor()
      await sandbox.run(['seed', 'data.torrent', 'data', '--tag', 's'])
      const peers = ['a', 'b'].map((name) => sandbox.run(['peer', 'data.torrent', name, '--tag', name]))
      for (const { code } of await Promise.all(peers)) expect(code).toBe(0)
      await page.getByText('2 of 2', { exact: true }).waitFor()
      await page.getByText('done').first().waitFor()
      expect(await page.locator('#completion [role=img]').getAttribute('aria-label')).toContain(
        '2 of 2 peers have everything',
      )
      // The seeder says it with its next announce, which comes sooner while somebody looks on.
      await page.locator('#seeder [role=img]:not([aria-label*=": 0 B"])').waitFor({ timeout: 10_000 })
      expect(await page.locator('#swarm').count()).toBe(0)

      // Another torrent, whose peer goes away before it has everything; its address is hostile text.
      await announce('port=7001&left=4000&event=started')
      await announce('port=7002&left=1000&event=started')
      await announce('port=7002&left=0&event=completed&uploaded=0')
      await announce('port=7001&left=3000&event=stopped')
      await page.locator('nav a', { hasText: '1 of 2' }).click()
      await page.getByText('left, with 25% of the content').waitFor()
      await page.getByText('started again, it keeps what it has').waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
      expect(await seriousFaults(page)).toEqual([])
      await sandbox.run(['stop', '--all'])
      await page.getByText('this is the last picture').waitFor()
      expect(faults).toEqual([])
      await page.close()
    },
  )
})
