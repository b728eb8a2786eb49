import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../../test/support/lab/lab.ts'

/** How the release travels: by shipit-deploy's own rsync, or by this plugin on top of shipit-deploy, with ports open or not. */
export const WAYS = ['rsync', 'murder', 'host-over-ssh', 'port-22', 'star'] as const
export type Way = (typeof WAYS)[number]

export const usesPlugin = (way: Way): boolean => way !== 'rsync'

export const plugin = join(process.cwd(), 'dist', 'index.cjs')

/** Why a way can't take part; undefined when it can. */
export function missing(way: Way): string | undefined {
  return usesPlugin(way) && !existsSync(plugin) ? `${plugin} is missing: run npm run build` : undefined
}

/** Settings of the plugin that a way needs. */
export const settingsOf = (way: Way): Record<string, unknown> =>
  way === 'port-22' ? { between: 'ssh' } : way === 'star' ? { between: 'direct' } : {}

/** Closes all ports but that of sshd: of the deploy host, or of all hosts. */
export async function closePorts(lab: Lab, way: Way): Promise<void> {
  const hosts = way === 'host-over-ssh' ? ['deploy'] : way === 'port-22' || way === 'star' ? lab.hosts : []
  const rules = [
    'add table inet closed',
    'add chain inet closed input { type filter hook input priority 0; }',
    'add rule inet closed input iifname != "lo" tcp dport != 22 tcp flags & (syn|ack) == syn drop',
  ]
  for (const host of hosts) await lab.exec(host, ['nft', '-f', '-'], { input: `${rules.join('\n')}\n` })
}
