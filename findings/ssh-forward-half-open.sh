#!/bin/bash
# OpenSSH 9.2p1 (Debian 12, openssh-client and openssh-server 1:9.2p1-2+deb12u10), loopback only, with IPv6 there.
# Expected: `ssh -R PORT:…` with `ExitOnForwardFailure=yes` ends with an error where the port is taken at the other end, and `-L`
#   where it is taken at this one.
# Seen: where another program has the port at 127.0.0.1, ssh listens at ::1 alone and goes on; with `-R` it prints nothing, with
#   `-L` a line. Who then connects to 127.0.0.1 reaches the other program, and who connects to "localhost" one of the two. With an
#   address, as in `-R 127.0.0.1:PORT:…`, it fails as it should.
# For us: no port is opened by SSH: streams go through a session or `ssh -W` (src/protocol/tunnel, src/agent/links).
set -euo pipefail
work=$(mktemp -d)
daemon='' other=''
trap 'kill $daemon $other 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
for name in openssh-client openssh-server; do
  version=$(dpkg-query -W -f '${Version}' "$name" 2>/dev/null) || true
  [ "$version" = 1:9.2p1-2+deb12u10 ] || { echo "needs: apt-get install $name=1:9.2p1-2+deb12u10" >&2; exit 2; }
done

ssh-keygen -q -t ed25519 -N '' -f host
ssh-keygen -q -t ed25519 -N '' -f user
read -r sshd_port taken free < <(shuf -i 20000-30000 -n 3 | xargs)
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
cat >other.cjs <<'JS'
require('net').createServer((socket) => socket.on('error', () => {}).end('other\n')).listen(process.argv[2], '127.0.0.1')
JS
node other.cjs "$taken" &
other=$!
wait_for() { for _ in {1..100}; do (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done; return 1; }
wait_for "$sshd_port"
wait_for "$taken"

greeting() { timeout 5 head -c 5 <"/dev/tcp/$1/$2" 2>/dev/null || echo nobody; }
export -f greeting
forward() { # PORT OPTION VALUE: what answers there while it is forwarded to sshd, which greets with SSH-2
  ssh -F none -i user -p "$sshd_port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=known -o BatchMode=yes \
    -o ExitOnForwardFailure=yes "$2" "$3:127.0.0.1:$sshd_port" 127.0.0.1 \
    "$(declare -f greeting); echo \$(greeting 127.0.0.1 $1) \$(greeting ::1 $1)" 2>said || echo 'refused'
}
same=1
expect() { # WHAT SEEN FOUND
  echo "$1: $2"
  [ "$2" = "$3" ] || { echo "it was: $3" >&2; same=0; }
}
for option in -R -L; do
  expect "$option, a free port, at 127.0.0.1 and ::1" "$(forward "$free" $option "$free")" 'SSH-2 SSH-2'
  expect "$option, taken at 127.0.0.1" "$(forward "$taken" $option "$taken")" 'other SSH-2'
  [ $option = -L ] || expect "$option says of it" "$(cat said)" ''
  expect "$option, the same with its address" "$(forward "$taken" $option "127.0.0.1:$taken")" 'refused'
done
[ "$same" = 1 ] && echo 'as found' && exit 0
echo CHANGED
exit 1
