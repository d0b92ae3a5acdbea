#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lichen run with docker's options, in a tiny image of this machine's own programs: users, mounts, volumes, names, network, init; and what is refused.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "these are lichen's own options"
LICHEN_STATE=$WORK/state
export LICHEN_STATE
lichen=${RUN%% *}
"$lichen" image from-host tiny:1 >from-host.out 2>&1 || fail "from-host: $(tail -n 3 from-host.out)"

run() { "$lichen" run "$@" 2>stderr; }                # what it prints
sh_() { "$lichen" run "$@" 2>stderr </dev/null || :; } # the same, whatever becomes of it

# users, by the tree's own files
same 'a number' '1234 5 7' "$(run -u 1234:5 --group-add 7 tiny:1 -- sh -c 'echo $(id -u) $(id -G)')"
same 'a name' '0 /root' "$(run -u root tiny:1 -- sh -c 'echo $(id -u) $HOME')"
sh_ -u nosuch tiny:1 -- true >out
same 'no such user' "lichen run: user 'nosuch': there is no user 'nosuch' in /etc/passwd" "$(cat stderr)"
# the command, its place and its variables
same 'entrypoint' 'a b' "$(run --entrypoint /bin/echo tiny:1 a b)"
same 'a directory that is made' '/made/here 755' "$(run -w /made/here tiny:1 -- sh -c 'echo $PWD $(stat -c %a /made)')"
printf '# comment\nA=1\nPASSED\nABSENT\n\n' >variables
same 'variables' '1 2 3 none' "$(PASSED=2 B=3 run --env-file variables -e B -e C tiny:1 -- sh -c 'echo $A $PASSED $B ${C-none}')"
# mounts
mkdir bound && echo host >bound/file
same 'mounts' 'host 700 volume' "$(run -v "$WORK/bound:/b:ro" --tmpfs /t:mode=700 --mount type=volume,src=v1,dst=/v tiny:1 -- \
	sh -c 'echo volume >/v/kept; echo $(cat /b/file) $(stat -c %a /t) $(cat /v/kept); ! touch /b/new')"
same 'a volume is kept, and read-only' 'volume refused' "$(run -v v1:/v:ro tiny:1 -- sh -c 'touch /v/x 2>/dev/null || echo $(cat /v/kept) refused')"
same 'a volume is filled' 'passwd' "$(run -v v2:/etc tiny:1 -- sh -c 'cd /etc; ls passwd; echo mine >here')"
same 'once' 'mine' "$(run -v v2:/etc tiny:1 -- cat /etc/here)"
same 'volumes' "$(printf 'v1\nv2')" "$("$lichen" volume ls -q)"
contains 'volume inspect' "$("$lichen" volume inspect v1)" '/volumes/v1/_data"'
# volumes that an image names
"$lichen" run --name made tiny:1 -- sh -c 'mkdir -m 700 /data && echo seed >/data/seed' >out 2>&1 || fail "$(cat out)"
"$lichen" commit -c 'VOLUME /data' made volumes:1 >/dev/null && "$lichen" rm -v made >/dev/null || fail 'commit of a volume'
for how in '' --emulate=overlay; do
	# shellcheck disable=SC2086
	same "a volume of the image $how" 'seed 700 mine' "$(run $how --read-only volumes:1 -- \
		sh -c 'echo mine >/data/new; echo $(cat /data/seed) $(stat -c %a /data) $(cat /data/new)')"
done
same 'it is the next one'"'"'s own' 'seed' "$(run volumes:1 -- ls /data)"
same 'it is mounted over' '0' "$(run --tmpfs /data volumes:1 -- sh -c 'ls /data | wc -l')"
"$lichen" run --name kept --add-host there:1.2.3.4 --dns 9.9.9.9 volumes:1 -- sh -c 'touch /data/kept' || fail 'a volume of a cell'
for told in '"guest": "/data"' '"there:1.2.3.4"' '"9.9.9.9"'; do contains 'inspect' "$("$lichen" inspect kept)" "$told"; done
"$lichen" rm kept >/dev/null && same 'volumes without a name are not listed' "$(printf 'v1\nv2')" "$("$lichen" volume ls -q)"
same 'volume rm' "$(printf 'v2\n1')" "$("$lichen" volume rm v2 && status_of "$lichen" volume rm v2)"
same 'volume rm -f' 0 "$(status_of "$lichen" volume rm -f v2)"
same 'a directory is made for -v' 'yes' "$(run -v "$WORK/new/dir:/d" tiny:1 -- sh -c 'echo yes >/d/f; cat /d/f')"
same 'read-only' '/t /v /dev/shm' "$(run --read-only --tmpfs /t -v v1:/v tiny:1 -- sh -c '
	for dir in / /etc /tmp /t /v /dev/shm; do touch $dir/f 2>/dev/null && printf "%s " $dir; done; chmod 700 /bin 2>/dev/null && echo chmod' | sed 's/ $//')"
cat >script <<'END'
for dir in /t /x; do printf '#!/bin/sh\necho %s\n' $dir >$dir/run; chmod 755 $dir/run; $dir/run 2>/dev/null || echo refused; done
END
same 'what a tmpfs lets be executed' "$(printf 'refused\n/x')" "$(run --tmpfs /t --tmpfs /x:exec -v "$WORK/script:/s:ro" tiny:1 -- sh /s)"
for tree in '' --emulate=overlay; do
	# shellcheck disable=SC2086
	same "the size of a tmpfs $tree" 65536 "$(run $tree --tmpfs /t:size=64k tiny:1 -- sh -c 'dd if=/dev/zero of=/t/f bs=4096 2>/dev/null; wc -c </t/f')"
done
same 'in a tree of the agent' "$(printf 'refused\n/x')" "$(run --emulate=overlay --tmpfs /t --tmpfs /x:exec -v "$WORK/script:/s:ro" tiny:1 -- sh /s)"
# names
same 'names' '1.2.3.4 there
nameserver 9.9.9.9' "$(run --add-host there:1.2.3.4 --dns 9.9.9.9 tiny:1 -- sh -c 'tail -n 1 /etc/hosts | tr "\t" " "; grep nameserver /etc/resolv.conf')"
# init: what it starts is its child, orphans are reaped, the status is the command's, signals are passed on
same 'init' "$(printf 'lichen-init\n5')" "$(run --init tiny:1 -- sh -c 'cat /proc/$PPID/comm; exit 5'; echo $?)"
init_stops() { # OPTION...: lichen stop reaches the command
	"$lichen" run -d --init --name i "$@" tiny:1 -- sh -c 'trap "echo caught; exit 9" TERM; echo up; while :; do sleep 0.1; done' >/dev/null || fail 'run -d --init'
	until_true 20 sh -c "\"$lichen\" logs i | grep -q up" || fail 'init: the command does not start'
	"$lichen" stop -t 20 i >/dev/null && "$lichen" logs i | tail -n 1
	"$lichen" rm i >/dev/null || fail 'rm'
}
same 'init passes signals on' caught "$(init_stops)"
[ "$SLOW" = 1 ] || same 'init passes signals on, in a tree of the agent' caught "$(init_stops --emulate=overlay)"
# network: the kernel has none for it
cat >connect.py <<'END'
import socket

try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 9))
    print("connected")
except OSError:
    print("refused")
socket.socket(socket.AF_UNIX)
END
same 'no network' refused "$(run --network none -- /usr/bin/python3 -I connect.py)"
"$lichen" run -d --name none --network none -- sleep 100 >/dev/null || fail 'run -d --network none'
same 'no network for further commands' refused "$("$lichen" exec none /usr/bin/python3 -I connect.py 2>&1)"
"$lichen" rm -f none >/dev/null || fail 'rm -f'
# cells: what they are made of is told
"$lichen" run --name c1 --cidfile id -u 1 --read-only --network none -v v1:/v --label-file variables tiny:1 -- true || fail 'a cell with options'
same 'cidfile' "$("$lichen" ps -aq)" "$(cat id)"
for word in '"user": "1"' '"network": "none"' '"read_only": true' '"name": "v1"' '"A": "1"'; do
	contains 'inspect' "$("$lichen" inspect c1)" "$word"
done
same 'rm of a volume that a cell uses' 1 "$(status_of "$lichen" volume rm v1)"
"$lichen" rm c1 >/dev/null || fail rm
"$lichen" run -d --restart=on-failure:1 --tmpfs /t --name r tiny:1 -- sh -c 'ls /t; touch /t/left; exit 1' >/dev/null || fail 'run --restart'
"$lichen" wait r >/dev/null
same 'a tmpfs is empty again' '' "$("$lichen" logs r)"
"$lichen" rm r >/dev/null || fail 'rm'
# further commands: who, where, with what; and no way to a network that the cell does not have
"$lichen" run -d --name c2 --network none -v "$WORK/bound:/b" tiny:1 -- sleep 100 >/dev/null || fail 'run -d'
same 'exec -u' '1 2 /' "$("$lichen" exec -u 1:2 c2 sh -c 'echo $(id -u) $(id -g) $PWD' 2>stderr || cat stderr)"
same 'exec -w -e' '/b host x' "$("$lichen" exec -w b -e E=x -u root c2 sh -c 'echo $PWD $(cat file) $E' 2>stderr || cat stderr)"
same 'exec: no such directory' 125 "$(status_of "$lichen" exec -w /nonexistent c2 sh -c :)"
same 'exec: no such user' 125 "$(status_of "$lichen" exec -u nosuch c2 true)"
"$lichen" rm -f c2 >/dev/null || fail 'rm -f'
"$lichen" image from-host terminal:1 sh stty tty sleep >/dev/null 2>&1 || fail 'from-host'
/usr/bin/python3 -I "$CASES/run_options_terminal.py" "$lichen" terminal:1 "$SLOW" || fail 'terminal: see above'
# what is wrong is said in a line, with status 125, and nothing is left behind
refused() {
	# shellcheck disable=SC2086 # several words
	"$lichen" run --name left $1 tiny:1 -- true >out 2>stderr
	same "status with $1" 125 "$?"
	same "lines said about $1: $(cat stderr)" 1 "$(grep -cv "^Try 'lichen" stderr)"
}
refused '--cidfile id'
refused '-u 0:nosuch'
refused '--mount type=bind,src=/nonexistent,dst=/a'
# what is on disk, and its removal
df() { "$lichen" system df --json | /usr/bin/python3 -Ic 'import json, sys; d = json.load(sys.stdin); print(*[d[k]["total"] for k in ("images", "cells", "volumes")], *[d[k]["size"] > 0 for k in ("images", "volumes")])'; }
same 'prune asks' '' "$(echo n | "$lichen" system prune -a --volumes 2>asked)"
contains 'what it asks' "$(cat asked)" 'cells that have ended, named volumes that no cell was made with, images that no cell was made of'
"$lichen" volume create unused >/dev/null
"$lichen" run -d --name stays -v used:/u tiny:1 -- sleep 1000 >/dev/null && "$lichen" run --name ended volumes:1 -- true || fail 'cells to prune'
"$lichen" run -v used:/u tiny:1 -- touch /u/x
before=$(df)
"$lichen" system prune -f -a --volumes >pruned 2>&1 || fail "prune: $(cat pruned)"
contains 'prune' "$(cat pruned)" unused
contains 'prune' "$(cat pruned)" docker.io/library/volumes:1
contains 'prune' "$(cat pruned)" 'Reclaimed: '
same 'what stays' "1 1 1 True True" "$(df | sed 's/False/True/')"
[ "$before" != "$(df)" ] || fail "nothing was pruned: $before"
same 'pruned again' 'lichen-prune/1 0' "$("$lichen" system prune -f --json | /usr/bin/python3 -Ic 'import json, sys; d = json.load(sys.stdin); print(d["schema"], len(d["cells"] + d["images"] + d["volumes"]))')"
"$lichen" rm -f stays >/dev/null
[ "$SLOW" = 1 ] || for options in '-u 4294967295' '-v a' '-v /a:b' '-v /a:/b:bogus' '--mount dst=a' '--tmpfs a' '--tmpfs /a:size=x' '--network bogus' \
	'--pull sometimes' '--platform linux/arm64' '-w relative' '--add-host a' '--add-host a:b' '--dns a' '--shm-size 0' '--env-file /nonexistent' \
	'--label-file /nonexistent' '-v /a:/c -v /b:/c' '--group-add nosuch'; do
	refused "$options"
done
same 'what is left behind' '' "$("$lichen" ps -aq)"
passed
