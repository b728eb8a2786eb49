import type { LabHost } from './host.ts'
import type { Lab } from './lab.ts'

type Hosts = readonly (string | LabHost)[]

/** Matches what opens a TCP connection. */
export const NEW = 'tcp flags & (syn|ack) == syn'

/** Adds rules (nft(8)) for what comes into each of these hosts. `openAll` removes them. */
export async function addRules(lab: Lab, hosts: Hosts, ...rules: string[]): Promise<void> {
  const lines = [
    'add table inet closed',
    'add chain inet closed input { type filter hook input priority 0; }',
    ...rules.map((rule) => `add rule inet closed input ${rule}`),
  ]
  for (const host of hosts) await nft(lab, host, lines)
}

/** Lets only connections to sshd into these hosts. `how`: `drop`, or a `reject` of nft. */
export const closePorts = (lab: Lab, hosts: Hosts, how = 'drop'): Promise<void> =>
  addRules(lab, hosts, `iifname != "lo" tcp dport != 22 ${NEW} ${how}`)

export async function openAll(lab: Lab, hosts: Hosts): Promise<void> {
  for (const host of hosts) await nft(lab, host, ['add table inet closed', 'delete table inet closed'])
}

const nft = (lab: Lab, host: string | LabHost, lines: string[]) =>
  lab.exec(host, ['nft', '-f', '-'], { input: `${lines.join('\n')}\n` })
