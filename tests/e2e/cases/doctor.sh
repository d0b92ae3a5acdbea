#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What doctor promises is kept: where it says that a program can run here, the program does its work under lichen run. (It may be stricter
# than need be: a feature counts as a whole.) Its JSON and its page say the same as its exit status.
. "$(dirname -- "$0")/../lib.sh"
lichen=${RUN%% *}
[ -n "$lichen" ] || skip "there is no doctor without lichen"
promised=0

# keeps PROGRAM COMMAND...: if doctor says that PROGRAM can run, COMMAND must succeed
keeps() {
	program=$1
	shift
	need "$program"
	"$lichen" doctor --for "$program" --json >report
	status=$?
	says=$(sed -n 's/^  "can_run": \([a-z]*\),$/\1/p' report)
	case $status:$says in
	0:true)
		promised=$((promised + 1))
		# shellcheck disable=SC2086 # a prefix of several words
		$RUN "$@" >output 2>&1 || fail "doctor promises $program, and '$*' fails: $(tail -n 3 output)"
		;;
	69:false) say "$program cannot run here: $(sed -n 's/^  "verdict": //p' report)" ;;
	*) fail "doctor --for $program: status $status, can_run $says" ;;
	esac
}

keeps /bin/ls ls /
keeps sh sh -c 'exit 0'
keeps /usr/bin/python3 /usr/bin/python3 -c 'pass'
keeps node node -e 0
keeps ipcmk ipcmk -Q
keeps ipcs ipcs -a
keeps sysctl sysctl -n kernel.cap_last_cap
keeps unshare unshare -m -u -i true
keeps mount unshare -m mount -t tmpfs none /mnt
keeps iptables iptables -S
[ "$promised" -ge 4 ] || fail "doctor promised only $promised programs"

"$lichen" doctor --html page >table
same "status of doctor --html" 0 $?
grep -q '^</html>$' page || fail "the page is not whole"
awk 'NR > 1 && /^[a-z]/ { print $2 }' table | grep -E '^(native|filled|missing|blocked|unknown)$' | sort -u >states
[ -s states ] || fail "the table tells no state"
while read -r state; do
	grep -q ">$state<" page || fail "the table says $state, the page does not"
done <states
awk 'length > 120' table | grep -q . && fail "lines of the table are too long" # bytes: some characters take three

# who is ended while probes run leaves nothing of theirs
mkdir ended
for when in 1 2 3 4 5 6 7 8 9; do
	TMPDIR=$PWD/ended timeout -s TERM "0.00$when" "$lichen" doctor >table
done
same 'what is left of probes' '' "$(ls ended)"

if [ -r /proc/config.gz ]; then
	"$lichen" doctor --kernel-config /proc/config.gz --for postgres >report
	same "status of --kernel-config" 0 $?
fi
passed
