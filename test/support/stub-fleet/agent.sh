#!/bin/sh
# Stands in for Node and the agent on a server: answers as a peer does that downloads for some time, without a swarm. A sign of
# life comes every two seconds, and in that time a peer reports twice: so this needs neither a clock nor another program.
if [ "$1" = -p ]; then echo v24.0.0; exit; fi
[ "$2" = receive ] || exit 2
IFS= read -r from <"$HOME/sources"
IFS= read -r profile <"$STUB_FLEET/profile"
read -r pulses total <"$STUB_FLEET/transfer"

say() {
  read -r now _ </proc/uptime
  printf '%s,"at":%s}\n' "$1" "$now"
}
answer() { printf '{"event":"answered","answer":%s}\n' "$1"; }
ask() {
  case "$line" in
    *'"listen":'*) answer '{"port":6881}' ;;
    *)
      words= rest=$line
      while :; do
        case "$rest" in *'"isPeer":'*) rest=${rest#*'"isPeer":'}; words=$words',"reached"' ;; *) break ;; esac
      done
      answer "[${words#,}]" ;;
  esac
}
# An order is compressed; the history says which release it is about.
order() {
  while IFS='	' read -r _ word name _; do [ "$word" != receiving ] || tag=$name; done <"$HOME/app/.murder-history"
  into=$HOME/app/releases/$tag
  directory=$HOME/app/shared/murder/tmp/$tag
  mkdir -p "$directory" "$into.part"
  read -r began _ </proc/uptime
  say '{"event":"listening","port":6881,"pid":1'
  progress
}
progress() {
  bytes=$((total * pulse / pulses))
  say "{\"event\":\"progress\",\"bytes\":$bytes,\"total\":$total,\"down\":1000000,\"up\":1000000,\"peers\":40,\"sent\":$bytes,\"kept\":0$1"
}
complete() {
  read -r now _ </proc/uptime
  say "{\"event\":\"downloaded\",\"bytes\":$total,\"total\":$total,\"seconds\":1,\"kept\":0,\"received\":$total,\"fromSeeder\":0,\"sent\":$total,\"from\":$from"
  say "{\"event\":\"profile\",\"began\":$began,\"ended\":$now,$profile"
  say '{"event":"done"'
  mv "$into.part" "$into"
  say '{"event":"spent","cpu":1,"queued":0'
  say '{"event":"unpacked","files":1,"bytes":1,"seconds":0'
}

pulse=-1
printf '{"event":"ready"}\n'
while IFS= read -r line; do
  case "$line" in
    end) rm -rf "$directory"; exit ;;
    '{"ask":'*) ask ;;
    ?*) pulse=0; order ;;
    '')
      if [ "$pulse" -lt 0 ]; then printf '{"event":"ready"}\n'; continue; fi
      pulse=$((pulse + 1))
      if [ "$pulse" -lt "$pulses" ]; then progress; progress ",\"from\":$from"
      elif [ "$pulse" -eq "$pulses" ]; then complete
      else pulse=$pulses; progress; progress; fi ;;
  esac
done
