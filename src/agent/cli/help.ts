export const HELP = `murder: one file or directory to many machines over BitTorrent

  On one machine:    murder make-torrent /data 10.0.0.1:8998 data.torrent
                     murder tracker
                     murder seed data.torrent /data
  On all others:     murder peer data.torrent /data
  Afterwards:        murder stop --all

Commands
  make-torrent <file|directory> <tracker host:port> <out.torrent>
  tracker                                           start the tracker, port 8998
  seed <torrent> <file|directory> [own address]     give the content to others
  peer <torrent> <file|directory> [own address]     get the content; ends with Done and done
  verify <torrent> <file|directory>                 compare what is here with the torrent
  status                                            what runs here
  stop [tag] | --all                                end it
  completion <bash|zsh|fish>                        complete commands, flags and tags in your shell

murder <command> --help tells more; --version prints the version.
Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 timed out or stalled, 130 interrupted.`
