/**
 * Packages that bittorrent-tracker loads and the agent never uses (WebRTC, WebSocket trackers, SOCKS proxies), with what
 * stands in for them. simple-peer needs a native add-on, ws looks for two optional ones.
 */
const EMPTY = {
  '@thaunknown/simple-peer/lite.js': 'export default class { static WEBRTC_SUPPORT = false }',
  '@thaunknown/simple-websocket': 'export default class {}',
  ws: 'export class WebSocketServer {}',
  socks: 'export default {}',
}

/** An esbuild plugin: replaces those packages. */
export const unusedInAgent = {
  name: 'unused-in-agent',
  setup(build) {
    const names = Object.keys(EMPTY).map((name) => name.replaceAll('/', '\\/'))
    build.onResolve({ filter: new RegExp(`^(${names.join('|')})$`) }, ({ path }) => ({
      path,
      namespace: 'unused',
    }))
    build.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({
      contents: EMPTY[path],
      loader: 'js',
    }))
  },
}
