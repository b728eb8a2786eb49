import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { choosePieceLength } from '../../src/torrent/metainfo/piece-length.ts'
import type { Lab } from '../../test/support/lab/lab.ts'

/** Bytes of TCP payload that left the deploy host. */
export interface Control {
  ssh: number
  tracker: number
  /** Without content and the heads of its blocks. */
  swarm: number
  /** Content that the seeder has sent, and the content's size. */
  content: number
  size: number
}

type Way = 'ssh' | 'tracker' | 'swarm'

/** Where each goes by, in nft's words. */
const RULES: [Way, string][] = [
  ['ssh', 'tcp dport 22'],
  ['tracker', 'tcp sport 8998'],
  ['swarm', 'tcp sport 6881-6999'],
  ['swarm', 'tcp dport 6881-6999'],
]
/** IPv4 and TCP with time stamps. A segment that is cut up later counts once, as one packet. */
const HEADER_BYTES = 52
/** Agents send each other blocks of 128 KiB, or whole pieces; each has a head of 13 bytes (BEP 3). */
const LARGEST_BLOCK_BYTES = 128 * 1024
const BLOCK_HEAD_BYTES = 13
const DEPLOY_TIMEOUT_S = 1800

/** One deploy that must succeed. */
export async function deployCounted(lab: Lab, directory: string): Promise<Control> {
  const report = join(directory, 'report.json')
  await startCounting(lab)
  await lab.exec('deploy', ['npx', 'shipit', 'production', 'deploy'], {
    cwd: directory,
    env: { MURDER_REPORT: report },
    timeout: DEPLOY_TIMEOUT_S * 1000,
  })
  const { ssh, tracker, swarm } = await counted(lab)
  const { size, seederUploaded } = JSON.parse(await readFile(report, 'utf8')) as Record<
    'size' | 'seederUploaded',
    number
  >
  const block = Math.min(LARGEST_BLOCK_BYTES, choosePieceLength(size, lab.servers.length))
  const heads = Math.ceil(seederUploaded / block) * BLOCK_HEAD_BYTES
  return { ssh, tracker, swarm: swarm - seederUploaded - heads, content: seederUploaded, size }
}

/** What `ssh host true` costs over a connection that is there. */
export async function sharedCommand(lab: Lab): Promise<number> {
  const host = lab.servers[0]?.address ?? ''
  const socket = ['-o', 'ControlPath=/tmp/control-%C']
  await lab.exec('deploy', ['ssh', '-fNM', ...socket, host])
  await startCounting(lab)
  await lab.exec('deploy', ['ssh', ...socket, host, 'true'])
  const { ssh } = await counted(lab)
  await lab.exec('deploy', ['ssh', ...socket, '-O', 'exit', host], { anyExit: true })
  return ssh
}

async function startCounting(lab: Lab): Promise<void> {
  const rules = RULES.map(([way, match]) => `${match} counter comment "${way}"`).join('; ')
  const table = `table inet count { chain out { type filter hook output priority 0; ${rules}; }; }`
  await lab.exec('deploy', ['nft', '-f', '-'], {
    input: `table inet count\ndelete table inet count\n${table}\n`,
  })
}

async function counted(lab: Lab): Promise<Record<Way, number>> {
  const { stdout } = await lab.exec('deploy', ['nft', 'list', 'table', 'inet', 'count'])
  const sums = { ssh: 0, tracker: 0, swarm: 0 }
  for (const [, packets, bytes, way] of stdout.matchAll(/packets (\d+) bytes (\d+) comment "(\w+)"/g))
    sums[way as Way] += Number(bytes) - Number(packets) * HEADER_BYTES
  return sums
}
