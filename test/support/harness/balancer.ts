import { mkdirSync, writeFileSync } from 'node:fs'
import type { MurderSettings } from '../../../src/config/schema.ts'
import type { LabHost } from '../lab/host.ts'
import type { Lab } from '../lab/lab.ts'
import type { LabProcess } from '../lab/process.ts'

/** Where the service of each server listens, and the balancer on the deploy host. */
export const SERVICE_PORT = 8080
export const BALANCER_PORT = 80
const ADMIN_PORT = 9999
const DIRECTORY = '/srv/balancer'

/** Something in front of the servers, which takes them out of service and puts them back by hooks of the rollout. */
export interface Balancer {
  program: string
  start(lab: Lab, servers: readonly LabHost[]): Promise<LabProcess>
  hooks(lab: Lab): MurderSettings['rollout']
  /** Names of servers that are out of service. */
  out(lab: Lab, servers: readonly LabHost[]): Promise<string[]>
}

/** Each server takes itself out, over the runtime socket, and waits until its last request is answered. */
export const haproxy: Balancer = {
  program: 'haproxy',
  async start(lab, servers) {
    const { address } = lab.deployHost
    const lines = [
      'global',
      `  stats socket ipv4@${address}:${ADMIN_PORT} level admin`,
      'defaults',
      '  mode http',
      '  timeout connect 30s',
      '  timeout client 60s',
      '  timeout server 60s',
      `listen app`,
      `  bind 127.0.0.1:${BALANCER_PORT}`,
      '  balance roundrobin',
      ...servers.map((server) => `  server ${server.name} ${server.address}:${SERVICE_PORT}`),
    ]
    write(lab.deployHost, 'haproxy.cfg', lines)
    for (const server of servers) write(server, 'tool', haproxyTool(address))
    write(lab.deployHost, 'tool', haproxyTool(address))
    return lab.spawn('deploy', ['haproxy', '-db', '-f', `${DIRECTORY}/haproxy.cfg`])
  },
  hooks: () => ({
    before: `bash ${DIRECTORY}/tool drain $(hostname)`,
    after: `bash ${DIRECTORY}/tool ready $(hostname)`,
  }),
  async out(lab) {
    const { stdout } = await lab.exec('deploy', ['bash', `${DIRECTORY}/tool`, 'out'])
    return stdout.split('\n').filter(Boolean)
  },
}

/** `show stat` is CSV: proxy, server, …, the current sessions as the fifth field, the status as the eighteenth. */
const haproxyTool = (address: string) => [
  `ask() { exec 3<>"/dev/tcp/${address}/${ADMIN_PORT}" && printf '%s\\n' "$1" >&3 && cat <&3; }`,
  'stat() { ask "show stat" | awk -F, -v s="$1" "$2"; }',
  'case "$1" in',
  '  drain) ask "set server app/$2 state drain"',
  `    until [ "$(stat "$2" '$1 == "app" && $2 == s {print $5}')" = 0 ]; do sleep 0.1; done ;;`,
  '  ready) ask "set server app/$2 state ready" ;;',
  `  out) stat x '$1 == "app" && $2 ~ /^server/ && $18 !~ /^(UP|no check)/ {print $2}' ;;`,
  'esac',
]

/** The deploy host takes a group out, by a new configuration. */
export const nginx: Balancer = {
  program: 'nginx',
  async start(lab, servers) {
    const upstream = servers.map(({ address }) => `server ${address}:${SERVICE_PORT};`)
    write(lab.deployHost, 'upstream', upstream)
    write(lab.deployHost, 'nginx.conf', [
      `daemon off; pid ${DIRECTORY}/pid; error_log /dev/null;`,
      'events {}',
      'http {',
      // A reload closes connections that are kept, also when a request is on its way: that is nginx's own failure.
      '  access_log off; keepalive_timeout 0;',
      `  upstream app { include ${DIRECTORY}/upstream; }`,
      '  server {',
      `    listen 127.0.0.1:${BALANCER_PORT};`,
      '    location / { proxy_pass http://app; }',
      '  }',
      '}',
    ])
    write(lab.deployHost, 'tool', [
      'how=$1; shift',
      'for host in "$@"; do',
      `  case "$how" in`,
      `    drain) sed -i "s/server $host:${SERVICE_PORT};/server $host:${SERVICE_PORT} down;/" ${DIRECTORY}/upstream ;;`,
      `    ready) sed -i "s/server $host:${SERVICE_PORT} down;/server $host:${SERVICE_PORT};/" ${DIRECTORY}/upstream ;;`,
      '  esac',
      'done',
      `nginx -c ${DIRECTORY}/nginx.conf -s reload`,
      'sleep 2', // Old workers end when they have answered.
    ])
    return lab.spawn('deploy', ['nginx', '-c', `${DIRECTORY}/nginx.conf`])
  },
  hooks: () => ({
    local: {
      beforeGroup: `bash ${DIRECTORY}/tool drain $MURDER_HOSTS`,
      afterGroup: `bash ${DIRECTORY}/tool ready $MURDER_HOSTS`,
    },
  }),
  async out(lab, servers) {
    const { stdout } = await lab.exec('deploy', ['cat', `${DIRECTORY}/upstream`])
    return servers
      .filter(({ address }) => stdout.includes(`${address}:${SERVICE_PORT} down`))
      .map(({ name }) => name)
  },
}

function write(host: LabHost, name: string, lines: readonly string[]): void {
  mkdirSync(host.outside(DIRECTORY), { recursive: true })
  writeFileSync(host.outside(`${DIRECTORY}/${name}`), `${lines.join('\n')}\n`)
}
