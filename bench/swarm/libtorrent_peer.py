"""A libtorrent process: `seed`, `super-seed` or `peer`, torrent file, directory. Ends with a signal.

Set for a trusted fleet: no uTP, no encryption, no choking, no limits, no ways to find peers but the tracker.
Prints `seeding` when it serves the whole content, `done` when it has got it.
"""

import sys

import libtorrent as lt

mode, torrent, directory = sys.argv[1:4]

session = lt.session(
    {
        "listen_interfaces": "0.0.0.0:6881",
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_incoming_utp": False,
        "enable_outgoing_utp": False,
        "in_enc_policy": int(lt.enc_policy.pe_disabled),
        "out_enc_policy": int(lt.enc_policy.pe_disabled),
        "choking_algorithm": int(lt.choking_algorithm_t.fixed_slots_choker),
        "unchoke_slots_limit": -1,
        "upload_rate_limit": 0,
        "download_rate_limit": 0,
        "connections_limit": 500,
        "connection_speed": 500,
        "peer_turnover": 0,
        "piece_extent_affinity": False,
        "allow_multiple_connections_per_ip": False,
        "send_buffer_watermark": 4 * 1024 * 1024,
        "send_buffer_watermark_factor": 150,
        "alert_mask": lt.alert.category_t.status_notification | lt.alert.category_t.error_notification,
    }
)

add = lt.add_torrent_params()
add.ti = lt.torrent_info(torrent)
add.save_path = directory
add.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
if mode != "peer":
    add.flags |= lt.torrent_flags.seed_mode
if mode == "super-seed":
    add.flags |= lt.torrent_flags.super_seeding
handle = session.add_torrent(add)

if mode != "peer":
    print("seeding", flush=True)

while True:
    session.wait_for_alert(1000)
    for alert in session.pop_alerts():
        if isinstance(alert, lt.torrent_finished_alert) and mode == "peer":
            print("done", flush=True)
        elif isinstance(alert, (lt.torrent_error_alert, lt.file_error_alert, lt.listen_failed_alert)):
            print(alert.message(), file=sys.stderr, flush=True)
