// A WebTorrent process: `seed` or `peer`, torrent file, directory. Without arguments: only sees whether it loads.
// It is copied to where WebTorrent was installed and run there.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const entry = createRequire(import.meta.url).resolve('webtorrent/index.js')
const { default: WebTorrent } = await import(pathToFileURL(entry).href)
const [mode, torrentFile, directory] = process.argv.slice(2)

if (mode) {
  const client = new WebTorrent({
    dht: false,
    lsd: false,
    utPex: false,
    utp: false,
    natUpnp: false,
    natPmp: false,
    maxConns: 200,
  })
  client.on('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  // Without alwaysChokeSeeders: false peers that start together choke each other.
  const torrent = client.add(await readFile(torrentFile), {
    path: directory,
    strategy: 'rarest',
    uploads: 100,
    alwaysChokeSeeders: false,
  })
  torrent.on('done', () => process.stdout.write(mode === 'peer' ? 'done\n' : 'seeding\n'))
}
