#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image of Debian 12 in the store: lichen run debian:12 -- apt-get install … as root, whoever we are; what one run changes the next does not see.
. "$(dirname -- "$0")/../lib.sh"
# shellcheck disable=SC2086 # $how: an option or none
[ -e "$BUILT/tree.tar" ] || fail "no $BUILT/tree.tar: run tests/e2e/prepare"
[ -n "$RUN" ] || skip "this is about lichen's own images"
LICHEN_STATE=$WORK/state
export LICHEN_STATE
lichen=${RUN%% *}

# Who makes the trees: as the plan says; on a host where that is the kernel, the agent as well.
both_ways() {
	"$@"
	"$lichen" image import "$BUILT/tree.tar" debian:12 >/dev/null 2>&1
	if "$lichen" run --explain debian:12 true 2>&1 | tr '\n' ' ' | grep -q 'The kernel gives the command a root'; then
		say 'that was the kernel; now the agent'
		how=--emulate=overlay
		"$@"
	elif [ "${ENVIRONMENT-}" = host ] && [ "$(id -u)" = 0 ]; then
		fail 'the kernel can give a root here, and is not asked to'
	fi
}

all_of_it() {
	"$lichen" image import "$BUILT/tree.tar" debian:12 >import.out 2>import.err || fail "import: $(tail -n 3 import.err)"
	same 'lichen images' 'debian 12' "$("$lichen" images | awk 'NR == 2 { print $1, $2 }')"
	deb=$BUILT/hello.deb:/hello.deb:ro

	status() { # status WHAT EXPECTED OPTION... -- CMD...
		what=$1 expected=$2
		shift 2
		"$lichen" run $how "$@" >status.out 2>status.err
		same "$what" "$expected" "$?"
	}

	same 'who the command is' '0 0 /root /' "$("$lichen" run $how debian:12 -- sh -c 'echo $(id -u) $(id -g) $HOME $PWD')"
	same 'its environment' "$(printf 'A=b\nHOME=/root')" "$("$lichen" run $how -e A=b debian:12 -- env | grep -E '^(A|HOME|LICHEN_STATE|WORK)=' | sort)"
	same 'without --' 12 "$("$lichen" run $how debian:12 cut -d. -f1 /etc/debian_version)"
	"$lichen" run $how -v "$deb" debian:12 -- apt-get install -y /hello.deb >apt.out 2>&1 || fail "apt-get install: $(tail -n 5 apt.out)"
	contains 'apt-get install' "$(cat apt.out)" 'Setting up hello'
	"$lichen" run $how -v "$deb" debian:12 -- sh -c 'apt-get install -y /hello.deb >/dev/null 2>&1; hello; apt-get remove -y hello >/dev/null 2>&1; hello 2>/dev/null || echo gone' >both.out 2>&1
	same 'install, use, remove' "$(printf 'Hello, world!\ngone')" "$(cat both.out)"
	status 'a run does not see what another changed' 127 debian:12 -- hello
	status 'an image that is not there' 125 --pull=never debian:13 -- true
	contains 'what is said then' "$(cat status.err)" 'debian:13'
	same 'owners' '1 2 755' "$("$lichen" run $how debian:12 -- sh -c 'touch /f; chown 1:2 /f; chmod 755 /f; stat -c "%u %g %a" /f')"
	same 'a user of the image' '1 daemon denied' "$("$lichen" run $how debian:12 -- su -s /bin/sh daemon -c 'echo $(id -u) $(id -un) $(cat /etc/shadow 2>/dev/null || echo denied)')"
	same 'the rest of a tree' 'empty' "$("$lichen" run $how debian:12 -- sh -c 'rm -rf /usr/share/perl5 /var/lib/dpkg/info; ls /usr/share/perl5 2>/dev/null; ls /var/lib/dpkg/info 2>/dev/null || echo empty')"
	same 'is there for the next' 'there' "$("$lichen" run $how debian:12 -- sh -c 'ls /var/lib/dpkg/info | grep -q dpkg.list && echo there')"
	# As a cell: what it changes is its own, and the image stays as long as it does.
	"$lichen" run $how -d --name web debian:12 -- sh -c 'touch /made; exec sleep 100' >cell.out 2>&1 || fail "run -d: $(cat cell.out)"
	made() { "$lichen" exec web sh -c 'ls /made; id -u' 2>/dev/null; }
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		made | grep -q made && break
		sleep 0.2
	done
	same 'exec' "$(printf '/made\n0')" "$(made)"
	"$lichen" rmi debian:12 >/dev/null 2>&1 && fail 'rmi of an image that a cell uses'
	"$lichen" stop -t 0 web >/dev/null || fail 'stop'
	"$lichen" rm web >/dev/null || fail 'rm'
	same 'what is left of the cell' lock "$(cd "$LICHEN_STATE/cells" && echo *)"
	"$lichen" rmi debian:12 >/dev/null 2>&1 || fail 'rmi'
	same 'after rmi' '' "$("$lichen" images -q)"
}
how=
both_ways all_of_it
passed
