import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, bundledAgent, freePort, Sandbox } from '../support/harness/agent-harness.ts'

const FILES = 20_000
const MAX_MEMORY_KB = 200 * 1024
const MAX_OPEN = 256

const bundled = bundledAgent()
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await Sandbox.make(bundled.program)
})
afterAll(() => sandbox.end())

/** Looks again and again at what a process has open, until told to stop; gives the most that it saw. */
function watchOpenFiles({ child }: Agent): () => number {
  let most = 0
  const timer = setInterval(() => {
    most = Math.max(most, readdirSync(`/proc/${child.pid}/fd`).length)
  }, 5)
  return () => {
    clearInterval(timer)
    return most
  }
}

const peakMemory = ({ child }: Agent): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1])

it.skipIf(!existsSync('/proc/self/fd'))(
  'a directory of 20,000 files takes little memory and few open files',
  async () => {
    for (let directory = 0; directory < 100; directory++) {
      await mkdir(sandbox.path(`tree/${directory}`), { recursive: true })
      for (let file = directory; file < FILES; file += 100)
        await writeFile(sandbox.path(`tree/${directory}/${file}`), `${file} `.repeat(200))
    }
    const port = await freePort()
    const made = await sandbox.run(['make-torrent', 'tree', '127.0.0.1:1', 'tree.torrent'])
    expect(made).toMatchObject({ code: 0 })
    const seed = ['seed', 'tree.torrent', 'tree', '--port', String(port)]
    const seeder = sandbox.start([...seed, '--foreground', '--json'], { stdin: 'open' })
    await seeder.event('listening')
    const from = ['--peer', `127.0.0.1:${port}`, '--ports', '20000-29999']
    const peer = sandbox.start(['peer', 'tree.torrent', 'copy', ...from, '--foreground', '--json'])
    const open = [seeder, peer].map(watchOpenFiles)
    await peer.event('done', 300)
    const most = open.map((stop) => stop())
    expect(readFileSync(sandbox.path('copy/99/19999'), 'utf8')).toBe('19999 '.repeat(200))
    for (const count of most) expect(count).toBeLessThan(MAX_OPEN)
    for (const agent of [seeder, peer]) expect(peakMemory(agent)).toBeLessThan(MAX_MEMORY_KB)
  },
)
