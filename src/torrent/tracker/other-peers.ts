import Server from 'bittorrent-tracker/server'

/**
 * Makes the tracker module leave whoever asks out of the answer. rtorrent keeps one peer of each address: told of itself, it would
 * not dial a seeder on its own machine.
 */
export class OtherPeers extends Server.Swarm {
  override _getPeers(want: number, asking: string, isWebRtc: boolean): { peerId: string }[] {
    const peers = super._getPeers(want + 1, asking, isWebRtc)
    return peers.filter(({ peerId }) => peerId !== asking).slice(0, want)
  }
}
