#!/bin/sh
# Stands in for OpenSSH's client: runs the command here, in the home directory of the server that was meant. STUB_FLEET is the
# directory of the fleet. Its parent process sees what it sees of ssh: one process for each session, and three pipes.
if [ "$1" = -V ]; then echo 'OpenSSH_9.2p1 (stub)' >&2; exit; fi
while [ $# -gt 0 ]; do
  case "$1" in
    -[bcDEeFIiJLlmOopQRSWw]) shift 2 ;;
    -*) shift ;;
    *) break ;;
  esac
done
host=${1#*@}; shift
HOME=$STUB_FLEET/servers/$host
SSH_CONNECTION="10.99.255.254 40000 $host 22"
PATH=${PATH#"$STUB_FLEET/bin:"}
export HOME SSH_CONNECTION PATH
cd "$HOME" || exit 255

# A thousand servers share the processors of this machine. Their answers are as long as ever, but cost few programs.
sh() { eval "$2"; }
timeout() { shift 3; "$@"; }
sync() { :; }
touch() { :; }
hostname() { echo "$host"; }
df() { printf 'Filesystem\nstub 100000000 1 99999999 1%% /\nstub 100000000 1 99999999 1%% /\n'; }
stat() { for x in 1 2 3; do echo "7:$x$number"; done; }
number=${host#10.99.}; number=${number%.*}000${number#*.}
eval "$*"
