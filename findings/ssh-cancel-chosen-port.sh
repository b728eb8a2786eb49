#!/bin/bash
# OpenSSH 9.2p1 (Debian 12, openssh-client and openssh-server 1:9.2p1-2+deb12u10), loopback only.
# Expected: a port that sshd chose for `ssh -O forward -R 0:TARGET`, and that ssh printed, is closed by `ssh -O cancel` with that
#   port; and where `-O cancel` fails it says so by its exit code, as `-O forward` does.
# Seen: the port stays open: only `-R 0:TARGET`, as it was asked for, closes it. And a failed `-O cancel` ends with 0 and a line on
#   stderr. So a script that closes what it opened leaves it open, and believes it closed.
# For us: no port is opened by SSH: streams go through a session or `ssh -W` (src/protocol/tunnel, src/agent/links).
set -euo pipefail
work=$(mktemp -d)
daemon=''
trap 'kill $daemon 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
for name in openssh-client openssh-server; do
  version=$(dpkg-query -W -f '${Version}' "$name" 2>/dev/null) || true
  [ "$version" = 1:9.2p1-2+deb12u10 ] || { echo "needs: apt-get install $name=1:9.2p1-2+deb12u10" >&2; exit 2; }
done

ssh-keygen -q -t ed25519 -N '' -f host
ssh-keygen -q -t ed25519 -N '' -f user
read -r sshd_port named unused < <(shuf -i 20000-30000 -n 3 | xargs)
cat >sshd_config <<CONFIG
ListenAddress 127.0.0.1:$sshd_port
HostKey $work/host
AuthorizedKeysFile $work/user.pub
StrictModes no
UsePAM no
PidFile none
CONFIG
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
/usr/sbin/sshd -D -f sshd_config -E log &
daemon=$!
for _ in {1..100}; do (: <"/dev/tcp/127.0.0.1/$sshd_port") 2>/dev/null && break; sleep 0.1; done

control() {
  ssh -F none -S "$work/control" -i user -p "$sshd_port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=known -o BatchMode=yes \
    -o LogLevel=ERROR "$@" 127.0.0.1
}
target=127.0.0.1:$sshd_port
state() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null && echo open || echo closed; }
cancel() { # PORT
  local exit_code=0
  control -O cancel -R "$1:$target" 2>said || exit_code=$?
  echo "exit code $exit_code$(grep -q 'port not forwarded' said && echo ' and a complaint'), $(state "$1")"
}
same=1
expect() { # WHAT SEEN FOUND
  echo "$1: $2"
  [ "$2" = "$3" ] || { echo "it was: $3" >&2; same=0; }
}
control -M -N -f
control -O forward -R "$named:$target"
chosen=$(control -O forward -R "0:$target")
expect 'ports that were asked for, named and chosen' "$(state "$named"), $(state "$chosen")" 'open, open'
failed=$(control -O forward -R "127.0.0.1:$sshd_port:$target" 2>/dev/null && echo 'exit code 0' || echo "exit code $?")
expect 'ask for a port that is taken' "$failed" 'exit code 255'
expect 'cancel the named one by its number' "$(cancel "$named")" 'exit code 0, closed'
expect 'cancel the chosen one by its number' "$(cancel "$chosen")" 'exit code 0 and a complaint, open'
expect 'cancel one that nobody has' "$(cancel "$unused")" 'exit code 0 and a complaint, closed'
cancel 0 >zero
expect 'cancel the chosen one by 0' "$(sed 's/,.*//' zero), $(state "$chosen")" 'exit code 0, closed'
control -O exit 2>/dev/null
[ "$same" = 1 ] && echo 'as found' && exit 0
echo CHANGED
exit 1
