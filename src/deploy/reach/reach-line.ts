import type { Way } from './choose-reach.ts'

const WHY = {
  silent: 'nothing answers there',
  refused: 'the connection is refused',
  failed: 'there is no way',
  mute: 'something on the way drops what has the text "BitTorrent protocol"',
  unknown: 'its address is not known',
  setting: 'as murder.reach says',
}

/** The choice and its reason; undefined where all is direct. `one`: the only server that was asked. */
export function reachLine(ways: readonly Way[], one?: string): string | undefined {
  const through = ways.flatMap((way) => (way.way === 'ssh' ? way.why : []))
  if (through.length === 0) return undefined
  const why = [...new Set(through)].map((word) => WHY[word]).join('; ')
  if (one !== undefined) return `${one} reaches the deploy host through SSH: ${why}`
  const who = through.length === ways.length ? 'All servers' : `${through.length} of ${ways.length} servers`
  return `${who} reach the deploy host through SSH: ${why}`
}
