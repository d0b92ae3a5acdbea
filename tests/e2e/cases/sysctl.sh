#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# /proc/sys as its users see it: sysctl(8) -a, -w, -p, systemd-sysctl, what shells, tools and languages read and write, listings.
# Whatever the cell writes, the machine's own values stay.
. "$(dirname -- "$0")/../lib.sh"

files="kernel/panic kernel/panic_on_oops vm/overcommit_memory vm/panic_on_oom net/ipv4/ip_forward net/ipv4/tcp_fin_timeout kernel/pid_max"

values() {
	for file in $files; do
		printf '%s=' "$file"
		cat "/proc/sys/$file" 2>/dev/null || echo none
	done
}

if [ "${1-}" != inside ]; then
	case $RUN in *--emulate*) ;; *) skip "would write the machine's own values" ;; esac
	before=$(values)
	# shellcheck disable=SC2086 # a prefix of several words
	$RUN sh "$CASES/$CASE.sh" inside || exit $?
	same "the machine's own values" "$before" "$(values)"
	passed
fi

# --- reading -----------------------------------------------------------------------------------------------------------------
sysctl -a >all 2>errors
[ "$(wc -l <all)" -ge 600 ] || fail "sysctl -a tells $(wc -l <all) values"
if [ "$(id -u)" = 0 ]; then
	contains "sysctl -a" "$(cat all)" "net.core.bpf_jit_limit = "
	grep -v -e stable_secret -e 'reading key' errors >left && fail "sysctl -a says: $(head -n 3 left)"
fi
for key in kernel.panic kernel.cap_last_cap kernel.keys.root_maxkeys kernel.random.boot_id vm.overcommit_memory vm.max_map_count \
	net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.conf.lo.forwarding net.bridge.bridge-nf-call-iptables \
	net.netfilter.nf_conntrack_max net.ipv4.ping_group_range fs.inotify.max_user_watches user.max_user_namespaces net.core.somaxconn; do
	grep -q "^$key = ." all || fail "sysctl -a does not tell $key"
done
same "hostname" "$(uname -n)" "$(cat /proc/sys/kernel/hostname)"
same "ostype by redirection" Linux "$(read -r os </proc/sys/kernel/ostype && echo "$os")"
find /proc/sys/kernel/keys /proc/sys/fs/inotify -type f | sort >found
contains "find" "$(cat found)" /proc/sys/kernel/keys/root_maxbytes
contains "find" "$(cat found)" /proc/sys/fs/inotify/max_user_instances
[ "$(find /proc/sys/net/ipv4 -type f 2>/dev/null | wc -l)" -ge 200 ] || fail "find sees few files below net/ipv4"
ls -l /proc/sys/kernel >listing 2>&1 || fail "ls -l: $(grep '^ls:' listing | head -n 2)"
contains "ls -l" "$(cat listing)" " panic_on_oops"
grep -r . /proc/sys/kernel/keys >/dev/null || fail "grep -r"
(cd /proc/sys/vm && [ -r swappiness ] && [ ! -x swappiness ] && [ -d ../kernel ]) || fail "test -r, -x, -d"
same "stat -c" "regular file 644 root" "$(stat -c '%F %a %U' /proc/sys/kernel/panic | sed 's/empty //')"
/usr/bin/python3 -I - <<'END' || fail "python"
import os, pathlib
root = pathlib.Path("/proc/sys")
assert int((root / "kernel/cap_last_cap").read_text()) >= 36
assert (root / "kernel/panic").is_file() and (root / "net/ipv4/conf/lo").is_dir()
assert {"all", "default", "lo"} <= set(os.listdir(root / "net/ipv4/conf"))
assert len({open(root / "kernel/random/uuid").read() for _ in range(3)}) == 3
fd = os.open("/proc/sys/kernel", os.O_DIRECTORY)
assert os.read(os.open("panic_on_oops", os.O_RDONLY, dir_fd=fd), 10).strip().isdigit()
END

# --- not root: nothing can be written ----------------------------------------------------------------------------------------
if [ "$(id -u)" != 0 ]; then
	(echo 1 >/proc/sys/kernel/panic) 2>said && fail "a user other than root writes"
	contains "the shell" "$(cat said)" "ermission denied"
	sysctl -w kernel.panic=1 >said 2>&1 && fail "sysctl -w works for a user other than root"
	passed
fi

# --- writing -----------------------------------------------------------------------------------------------------------------
is() { same "$1 after $3" "$2" "$(cat "/proc/sys/$1")"; }

for shell in sh dash bash 'busybox sh'; do
	command -v "${shell%% *}" >/dev/null || continue
	n=$((${n:-10} + 1))
	$shell -c "echo $n >/proc/sys/kernel/panic" || fail "$shell: echo"
	is kernel/panic $n "$shell"
	$shell -c 'echo nonsense >/proc/sys/kernel/panic' 2>/dev/null && fail "$shell: nonsense is taken"
	is kernel/panic $n "$shell, refused"
done
echo 21 | tee /proc/sys/kernel/panic >/dev/null || fail tee
is kernel/panic 21 tee
echo 22 | dd of=/proc/sys/kernel/panic conv=notrunc 2>/dev/null || fail dd
is kernel/panic 22 dd
echo 23 >value && cp value /proc/sys/kernel/panic || fail cp
is kernel/panic 23 cp
perl -e 'open(F, ">", "/proc/sys/kernel/panic") or die; print F "24\n"; close(F) or die' || fail perl
is kernel/panic 24 perl
/usr/bin/python3 -I -c 'open("/proc/sys/kernel/panic", "w").write("25")' || fail "python w"
is kernel/panic 25 python
/usr/bin/python3 -I -c '
f = open("/proc/sys/kernel/panic", "r+")
assert f.read() == "25\n"
f.seek(0)
f.write("26\n")' || fail "python r+"
is kernel/panic 26 "python r+"

sysctl -w kernel.panic_on_oops=1 net.ipv4.ip_forward=1 'net.ipv4.ip_local_port_range=20000 30000' >said || fail "sysctl -w"
contains "sysctl -w" "$(cat said)" "net.ipv4.ip_forward = 1"
same "sysctl -n" "20000 30000" "$(sysctl -n net.ipv4.ip_local_port_range | tr '\t' ' ')"
same "forwarding of an interface" 1 "$(sysctl -n net.ipv4.conf.lo.forwarding)"
sysctl -w vm.overcommit_memory=7 >/dev/null 2>&1 && [ "$(sysctl -n vm.overcommit_memory)" = 7 ] && fail "vm.overcommit_memory is 7"
sysctl -w vm.overcommit_memory=1 >/dev/null || fail "sysctl -w vm.overcommit_memory=1"
is vm/overcommit_memory 1 "sysctl -w"
printf '%s\n' '# a comment' 'net.ipv4.tcp_fin_timeout = 33' 'vm/panic_on_oom=0' '-kernel.no-such-thing = 1' >file.conf
sysctl -p "$WORK/file.conf" >/dev/null 2>&1
is net/ipv4/tcp_fin_timeout 33 "sysctl -p"

if [ -x /lib/systemd/systemd-sysctl ]; then
	printf '%s\n' 'net.ipv4.tcp_fin_timeout = 34' 'net.ipv4.conf.*.rp_filter = 2' '-kernel.no-such-thing = 1' >unit.conf
	/lib/systemd/systemd-sysctl "$WORK/unit.conf" >said 2>&1 || fail "systemd-sysctl: $(cat said)"
	is net/ipv4/tcp_fin_timeout 34 systemd-sysctl
	is net/ipv4/conf/lo/rp_filter 2 systemd-sysctl
	/lib/systemd/systemd-sysctl >said 2>&1 || fail "systemd-sysctl, what Debian ships: $(cat said)"
	is kernel/pid_max 4194304 "systemd-sysctl"
fi

# limits of System V IPC have an effect where lichen supplies that, too
sysctl -w kernel.shmmax=65536 >/dev/null || fail "sysctl -w kernel.shmmax"
ipcmk -M 100000 >/dev/null 2>&1 && fail "a segment larger than kernel.shmmax"
sysctl -w kernel.shmmax=1000000 >/dev/null || fail "sysctl -w kernel.shmmax"
ipcmk -M 100000 >/dev/null || fail "no segment within kernel.shmmax"

# what kubelet sets when it starts
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 \
	kernel/keys/root_maxbytes=25000000; do
	echo "${setting#*=}" >"/proc/sys/${setting%=*}" || fail "kubelet's ${setting%=*}"
	is "${setting%=*}" "${setting#*=}" kubelet
done
passed
