#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# OpenSSH: sshd on a high loopback port with throw-away keys; commands, statuses, a pty, a megabyte, sftp, a forwarded port.
# sshd puts its pre-authentication child into a seccomp filter of its own. As nobody, whose shell is nologin: sftp only.
. "$(dirname -- "$0")/../lib.sh"
[ -x /usr/sbin/sshd ] || skip "openssh-server is not installed"
need ssh
export PORT="${PORT-$(free_port)}" FORWARD="${FORWARD-$(free_port)}"
inside "$@"
port=$PORT
user=$(id -un)
if [ "$(id -u)" = 0 ]; then
	mkdir -p /run/sshd && chmod 755 /run/sshd || fail "/run/sshd"
fi
ssh-keygen -q -t ed25519 -N '' -f host_key || fail "ssh-keygen"
ssh-keygen -q -t ed25519 -N '' -f user_key || fail "ssh-keygen"
cp user_key.pub authorized_keys
ssh-keygen -lf host_key.pub | grep -q ED25519 || fail "no fingerprint"
cat >sshd_config <<X
Port $port
ListenAddress 127.0.0.1
HostKey $WORK/host_key
AuthorizedKeysFile $WORK/authorized_keys
PidFile $WORK/sshd.pid
StrictModes no
UsePAM $([ "$(id -u)" = 0 ] && echo no || echo yes)
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp internal-sftp
# bash reads ~/.bashrc when sshd starts it: not the user's own.
SetEnv HOME=$WORK
X
/usr/sbin/sshd -f "$WORK/sshd_config" -D -E "$WORK/sshd.log" &
server=$!
trap 'kill -KILL $server 2>/dev/null' EXIT
printf '[127.0.0.1]:%s %s\n' $port "$(cut -d ' ' -f 1,2 host_key.pub)" >known_hosts
options="-F none -i $WORK/user_key -o UserKnownHostsFile=$WORK/known_hosts -o IdentitiesOnly=yes -o ConnectTimeout=60 -o BatchMode=yes"
listening() { grep -q 'Server listening' sshd.log; }
until_true 30 listening || fail "not listening: $(cat sshd.log)"

# shellcheck disable=SC2086 # options
{
	head -c "$(size 1000000 100000)" /dev/urandom >blob
	printf 'put blob copy\nls -l copy\nget copy back\n' |
		sftp $options -q -b - -P $port "$user@127.0.0.1:$WORK" >sftp.out 2>&1 || fail "sftp: $(cat sftp.out; tail -n 9 sshd.log)"
	cmp blob back || fail "sftp changed the file"
	say "sftp: $(wc -c <blob) bytes there and back"
	if [ "$(id -u)" = 0 ]; then
		remote="ssh $options -p $port $user@127.0.0.1"
		same command 42 "$($remote 'echo $((6 * 7))' 2>&1)"
		$remote 'exit 17'
		same status 17 $?
		$remote 'cat' <blob | cmp - blob || fail "cat over ssh changed the data"
		contains pty "$($remote -tt tty 2>/dev/null)" /dev/pts/
		$remote -L $FORWARD:127.0.0.1:$port -N -o ExitOnForwardFailure=yes &
		forward=$!
		open() { bash -c 'exec 3<>/dev/tcp/127.0.0.1/'$FORWARD' && read -r -t 20 line <&3 && [[ $line == SSH-2.0-* ]]'; }
		until_true 20 open || fail "no answer through the forwarded port"
		kill $forward
		wait $forward
		say "ssh: command, status 17, $(wc -c <blob) bytes through cat, pty, forwarded port"
	fi
	ssh -F none -i host_key -o UserKnownHostsFile="$WORK/known_hosts" -o BatchMode=yes -o IdentitiesOnly=yes -p $port "$user@127.0.0.1" true 2>denied.out
	same "wrong key" 255 $?
	contains "wrong key" "$(cat denied.out)" 'Permission denied'
}
if grep -iE 'fatal|sandbox|seccomp|killed|violation' sshd.log; then fail "sshd.log complains, see above"; fi
kill -TERM $server
wait $server
status=$?
[ $status = 255 ] || [ $status = 0 ] || [ $status = 143 ] || fail "status $status after SIGTERM"
passed
