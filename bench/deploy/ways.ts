import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { closePorts } from '../../test/support/lab/firewall.ts'
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

/** Closes all ports but that of sshd where the way is for that: of the deploy host, or of all hosts. */
export async function applyFirewall(lab: Lab, way: Way): Promise<void> {
  if (way === 'host-over-ssh') await closePorts(lab, ['deploy'])
  if (way === 'port-22' || way === 'star') await closePorts(lab, lab.hosts)
}
