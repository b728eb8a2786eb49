#!/bin/sh
# Copies a file or a directory to the same path on other machines, without Shipit: the six commands of murder.
#
#   examples/by-hand/replicate.sh /data 10.0.0.1 deploy@a deploy@b deploy@c
#
# 10.0.0.1 is this machine as the others reach it. They need Node 20.19 or newer; TCP ports 8998 here and 6881-6999 on
# all of them must be open. MURDER names another program than the one built in this checkout.
set -eu
[ $# -ge 3 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }

data=$1 own=$2
shift 2
case $data in *\'*) echo "a path with ' in it cannot be passed on by this script" >&2; exit 2 ;; esac
murder=${MURDER:-$(dirname "$0")/../../dist/murder.mjs}
work=$(mktemp -d)
torrent=$work/data.torrent
tag=by-hand-$$
trap '"$murder" stop "$tag"; rm -rf "$work"' EXIT # 6. stop
trap 'exit 130' INT TERM

"$murder" make-torrent "$data" "$own:8998" "$torrent"    # 1.
"$murder" tracker --tag "$tag"                           # 2.
"$murder" seed "$torrent" "$data" "$own" --tag "$tag"    # 3.

for host; do
  scp -q "$murder" "$torrent" "$host:"                   # 4.
done

# 5. All at once: they get the content from each other, too. Each prints "Done and done".
peers=
for host; do
  ssh "$host" "node murder.mjs peer data.torrent '$data'" &
  peers="$peers $!"
done
status=0
for peer in $peers; do
  wait "$peer" || status=1
done
exit $status
