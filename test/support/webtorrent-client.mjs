// A WebTorrent client: `seed` or `peer`, torrent file, directory, and options of its own as JSON. Ends with a signal.
// It uses TCP and the torrent's trackers only; everything else is as WebTorrent has it.
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'

/** Without its native add-on webrtc-polyfill does not load, and WebTorrent imports it also when nothing uses WebRTC. */
const standIn = ['RTCPeerConnection', 'RTCSessionDescription', 'RTCIceCandidate']
  .map((name) => `export class ${name} {}`)
  .join('\n')
const asUrl = (code) => `data:text/javascript,${encodeURIComponent(code)}`
register(
  asUrl(`export const resolve = (name, context, next) =>
    name === 'webrtc-polyfill' ? { url: ${JSON.stringify(asUrl(standIn))}, shortCircuit: true } : next(name, context)`),
)
const { default: WebTorrent } = await import('webtorrent')

const [role, torrentFile, directory, options = '{}'] = process.argv.slice(2)
const own = JSON.parse(options)
const client = new WebTorrent({
  dht: false,
  lsd: false,
  utPex: false,
  utp: false,
  natUpnp: false,
  natPmp: false,
  ...own,
})
client.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
const torrent = client.add(await readFile(torrentFile), { path: directory, ...own })
torrent.on('warning', (warning) => process.stderr.write(`${warning}\n`))
torrent.on('wire', (_, address) => process.stderr.write(`connected with ${address}\n`))
torrent.on('done', () => process.stdout.write(role === 'seed' ? 'seeding\n' : 'done\n'))
