#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# dmesg, writes to /dev/kmsg as systemd and shells make them, and programs in a bare /dev: in a chroot whose /dev is empty.
. "$(dirname -- "$0")/../lib.sh"
need dmesg

mark=lichen-e2e-$$
under() {
	# shellcheck disable=SC2086 # a prefix of several words
	$RUN "$@"
}

if [ "$(id -u)" = 0 ]; then
	log=$(under sh -c "echo '<3>$mark error' >/dev/kmsg; printf '<30>$mark daemon' >/dev/kmsg; echo '<6>$mark last' >/dev/kmsg; dmesg -x")
	contains "dmesg" "$log" "$mark error"
	echo "$log" | grep -q "^user *:err *: .*$mark error$" || fail "dmesg -x: $log"
	echo "$log" | grep -q "^daemon *:info *: .*$mark daemon$" || fail "dmesg -x: $log"
	contains "dmesg -S" "$(under sh -c "echo '<3>$mark by syslog' >/dev/kmsg; dmesg -S")" "$mark by syslog"
	# as kubelet's oomWatcher: a reader that waits for what comes
	seen=$(under sh -c "(sleep 1; echo '$mark later' >/dev/kmsg; echo >/dev/kmsg) & timeout 20 grep -m 1 '$mark later' /dev/kmsg; wait")
	contains "a waiting reader" "$seen" "$mark later"
else
	under sh -c "echo x 2>/dev/null >/dev/kmsg" && fail "a user writes to /dev/kmsg"
	same "who may write /dev/kmsg" 644 "$(under stat -c %a /dev/kmsg)"
fi

# A root whose /dev is empty: a few programs with their libraries. chroot needs root.
make_root() {
	mkdir -p root/dev root/tmp
	for name in sh cat head tail tr wc sed ls stat grep; do
		program=$(command -v $name)
		mkdir -p "root${program%/*}"
		cp "$program" "root$program"
		for library in $(ldd "$program" | grep -o '/[^ ]*'); do
			mkdir -p "root${library%/*}"
			[ -e "root$library" ] || cp "$library" "root$library"
		done
	done
}

bare() {
	# shellcheck disable=SC2016 # for the shell inside
	out=$(under chroot root "$(command -v sh)" -c '
		echo dropped >/dev/null && cat </dev/null
		[ -c /dev/null ] && echo null is a device
		echo "zeros: $(head -c 1000 /dev/zero | tr -d "\0" | wc -c)"
		echo "random: $(head -c 64 /dev/urandom | wc -c) $(head -c 64 /dev/random | wc -c)"
		echo y 2>/tmp/error >/dev/full || echo full is full
		echo from the bare root >/dev/kmsg
		head -n 2 /dev/kmsg | tail -n 1 | sed "s/.*;//"
		echo "listed: $(ls /dev | grep -xE "kmsg|null|zero|full|random|urandom|tty|ptmx" | wc -l)"
		stat -c "%t:%T" /dev/zero
	') || fail "in a bare /dev: $out"
	same "a bare /dev" "null is a device
zeros: 0
random: 64 64
full is full
from the bare root
listed: 8
1:5" "$out"
	same "what is left in the bare /dev" "" "$(ls root/dev)"
}
if [ "$(id -u)" = 0 ] && [ -n "$RUN" ]; then
	make_root
	bare
fi

passed
