// A plain BitTorrent tracker for contenders that bring none: `node tracker.mjs <port>`.
import Server from 'bittorrent-tracker/server'

const server = new Server({ http: true, udp: false, ws: false, stats: false, trustProxy: false })
server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
server.on('warning', (error) => process.stderr.write(`${error.message}\n`))
server.on('listening', () => process.stdout.write('listening\n'))
server.listen(Number(process.argv[2]), '0.0.0.0')
