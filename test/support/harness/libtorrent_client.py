"""A libtorrent client as it is by default: `seed`, `super-seed` or `peer`, torrent file or magnet link, directory, and hosts that it
connects to beside those of the tracker. Ends with a signal."""

import sys

import libtorrent as lt

role, torrent, directory, *hosts = sys.argv[1:]

session = lt.session({"listen_interfaces": "0.0.0.0:6881"})
if torrent.startswith("magnet:"):
    add = lt.parse_magnet_uri(torrent)
else:
    add = lt.add_torrent_params()
    add.ti = lt.torrent_info(torrent)
add.save_path = directory
add.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
if role == "super-seed":
    add.flags |= lt.torrent_flags.super_seeding
handle = session.add_torrent(add)

while True:
    for host in hosts:
        handle.connect_peer((host, 6881))
    session.wait_for_alert(1000)
    for alert in session.pop_alerts():
        print(alert.message(), file=sys.stderr, flush=True)
