import Server from 'bittorrent-tracker/server'

type Announce = Parameters<InstanceType<typeof Server.Swarm>['announce']>

/** The tracker module's list of a torrent's peers, with two things put right. */
export class OtherPeers extends Server.Swarm {
  /**
   * The module keeps what it knows of an address, the peer id and whether the peer is complete, although another client is there now:
   * one that was killed and started again announces a new id from the same port.
   */
  override announce(params: Announce[0], answered: Announce[1]): void {
    const known = this.peers.peek(params.addr)
    if (known && known.peerId !== params.peer_id) this._onAnnounceStopped(params, known, params.addr)
    super.announce(params, answered)
  }

  /**
   * Leaves whoever asks out of the answer. rtorrent keeps one peer of each address: told of itself, it would not dial a seeder on its
   * own machine.
   */
  override _getPeers(want: number, asking: string, isWebRtc: boolean): { peerId: string }[] {
    const peers = super._getPeers(want + 1, asking, isWebRtc)
    return peers.filter(({ peerId }) => peerId !== asking).slice(0, want)
  }
}
