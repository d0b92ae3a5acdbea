#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lichen run --audit and lichen audit: what is written, that others verify it, that a kill loses nothing, and that nothing runs that cannot be written down.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there is no log without lichen"
lichen=${RUN%% *}
LICHEN_STATE=$WORK/state
export LICHEN_STATE
audit() { "$lichen" audit "$@" 2>stderr; }
logged() { "$lichen" run --audit log "$@" </dev/null; }
# count TYPE: entries of this type
count() { audit export --type="$1" log | grep -c .; }
runs() { audit verify log | sed -n 's/^runs *//p'; }
cleanup() { kill "$(cat command 2>/dev/null)" 2>/dev/null; }

# what is written
logged -- sh -c 'exit 3'
same 'status' 3 $?
logged --emulate=sysvipc -- true || fail 'run'
logged -- /nonexistent 2>/dev/null
same 'status of what is not there' 127 $?
same 'types' 'log.created run.start run.plan run.end run.start run.plan run.end run.start run.plan run.end' \
	"$(audit export log | sed 's/.*"type":"\([^"]*\)".*/\1/' | tr '\n' ' ' | sed 's/ $//')"
contains 'command' "$(audit export log | sed -n 2p)" '"command":["sh","-c","exit 3"]'
contains 'plan' "$(audit export log | sed -n 6p)" '{"gap":"sysvipc","reason":"--emulate asks for it"}'
contains 'failure' "$(audit export log | sed -n 10p)" '"status":127,'
audit show log >shown || fail "show: $(cat stderr)"
contains 'show' "$(cat shown)" 'start sh -c "exit 3"'
same 'no line is too long' '' "$(awk 'length > 80' shown)"
same 'runs' '3 ended, 0 running, 0 truncated' "$(runs)"
same 'mode of the key' 600 "$(find log/key -printf %m)"
audit export --csv log >csv && /usr/bin/python3 -I -c '
import csv, json, sys
rows = list(csv.DictReader(open("csv", newline="")))
assert [int(row["seq"]) for row in rows] == list(range(len(rows))), rows
assert [row["status"] for row in rows if row["status"]] == ["3", "0", "127"], rows
assert json.loads(rows[1]["command"]) == json.loads(rows[1]["event"])["command"], rows' || fail 'CSV'

for words in 'export --json' 'verify --csv' 'prove --run=x' 'checkpoint --type=x' 'show --witness=x'; do
	# shellcheck disable=SC2086 # several words
	audit $words log
	same "what has no effect: $words" 64 $?
done

# a cell in the background tells as well
"$lichen" run --audit log --name=audited -d -- sh -c 'exit 5' >/dev/null || fail 'a cell'
"$lichen" wait audited >/dev/null 2>&1
contains 'the end of a cell' "$(audit export --type=run.end log | tail -n 1)" '"status":5,'
contains 'the name of a cell' "$(audit export --type=run.start log | tail -n 1)" '"cell_name":"audited"'

# checkpoints at several sizes, kept; several writers at once; entries of more than one tile where that is quick
audit checkpoint log >kept.1 || fail "checkpoint: $(cat stderr)"
cp -r log earlier
before=$(count run.end)
many=$(size 90 4)
for i in 1 2; do
	writers=
	for _ in 1 2 3; do
		(
			n=0
			while [ $n -lt $((many / 6 + 1)) ]; do
				logged -- true || exit 1
				n=$((n + 1))
			done
		) &
		writers="$writers $!"
	done
	for writer in $writers; do
		wait "$writer" || fail 'one of several writers'
	done
	audit checkpoint log >kept.$((i + 1)) || fail "checkpoint: $(cat stderr)"
done
same 'ends of several writers' $((before + 6 * (many / 6 + 1))) "$(count run.end)"
logged -- true || fail 'run'
audit witness-check log kept.1 kept.2 kept.3 >out || fail "witness-check: $(cat stderr)"
same 'kept checkpoints' 3 "$(grep -c continued out)"
same 'one that comes by a pipe' 0 "$(status_of sh -c 'cat kept.1 | "$1" audit witness-check log -' sh "$lichen")"
same 'nothing comes' 65 "$(status_of "$lichen" audit witness-check log - </dev/null)"
same 'no such run' 66 "$(status_of "$lichen" audit show --run=0123456789abcdef log)"
last=$(($(count log.created) + 3 * $(count run.end) - 1))
audit prove log 0 >log/0.tlog-proof && audit prove log $((last / 2)) >log/1.tlog-proof && audit prove log $last >log/2.tlog-proof ||
	fail "prove: $(cat stderr)"
same 'no such entry' 66 "$(status_of "$lichen" audit prove log $((last + 1)))"
audit checkpoint log >kept.4 || fail "checkpoint: $(cat stderr)"
"$BUILT/audit_check" log "$(cat log/key.pub)" kept.1 kept.2 kept.3 kept.4 >out 2>&1 || fail "Go: $(cat out)"
same 'Go' "$((last + 1)) entries, 5 checkpoints, 16 pairs, 3 proofs" "$(cat out)"

# changed by who has the disk: found here and by Go
for kind in edit drop reorder duplicate truncate hash swap; do
	rm -rf tampered
	cp -r log tampered
	rm -f tampered/*.tlog-proof
	/usr/bin/python3 -I "$CASES/audit_tamper.py" $kind tampered || fail "$kind: not done"
	same "$kind" 65 "$(status_of "$lichen" audit verify tampered)"
	"$BUILT/audit_check" tampered "$(cat log/key.pub)" kept.1 kept.4 >out 2>&1 && fail "$kind: Go finds nothing: $(cat out)"
done
"$BUILT/audit_check" earlier "$(cat log/key.pub)" kept.2 >out 2>&1 && fail "rolled back: Go finds nothing: $(cat out)"

# witnesses
"$BUILT/audit_check" witness witness.example/w1 kept.4 >witnessed 2>witness.key || fail "witness: $(cat witness.key)"
audit witness-check --witness="$(cat witness.key)" log witnessed >out || fail "witness-check: $(cat stderr)"
contains 'witness' "$(cat out)" 'witnessed by witness.example/w1, '
same 'no such witness' 65 "$(status_of "$lichen" audit witness-check --witness="$(cat witness.key)" log kept.4)"

# put back, another key, changed
same 'the log is put back' 65 "$(status_of "$lichen" audit witness-check earlier kept.2)"
same 'on its own it is whole' 0 "$(status_of "$lichen" audit verify earlier)"
"$lichen" run --audit other -- true || fail 'run'
same 'another key' 65 "$(status_of "$lichen" audit verify --key=other/key.pub log)"
"$BUILT/audit_check" log "$(cat other/key.pub)" >out 2>&1 && fail "another key: Go finds nothing: $(cat out)"
contains 'another key: what Go says' "$(cat out)" 'signature'
same 'its own key' 0 "$(status_of "$lichen" audit verify --key=log/key.pub log)"
cp -r log changed
find changed/tile/entries -type f -exec sed -i 's/exit 3/exit 4/' {} +
same 'changed' 65 "$(status_of "$lichen" audit verify changed)"
audit verify changed
same 'what is changed' "lichen audit: 'changed' is broken: entry 1 is not what was signed" "$(cat stderr)"
contains 'as JSON' "$(audit verify --json changed)" '"bad_entry": 1,'

# what cannot be written down does not run
same 'no log can be made' 74 "$(status_of "$lichen" run --audit /proc/self/log -- touch ran)"
said=$(
	trap '' XFSZ
	ulimit -f 0
	logged -- touch ran 2>&1
)
same 'the disk takes nothing' 74 $?
contains 'words' "$said" 'nothing was started'
printf 'x' >>other/checkpoint
same 'a broken log' 65 "$(status_of "$lichen" run --audit other -- touch ran)"
rm changed/checkpoint
same 'a log without checkpoint' 65 "$(status_of "$lichen" run --audit changed -- touch ran)"
[ ! -e ran ] || fail 'a command ran that was not written down'

# killed: what was begun is there, and is truncated
logged -- sh -c 'echo $$ >command.new; mv command.new command; exec sleep 1000' &
supervisor=$!
until_true 60 test -e command || fail 'the command does not start'
contains 'it runs' "$(runs)" ', 1 running, 0 truncated'
children=$(ps -o pid= --ppid "$supervisor" | tr -d ' ')
kill -9 "$supervisor" $children 2>/dev/null
wait "$supervisor" 2>/dev/null
until_true 60 sh -c "'$lichen' audit verify log | grep -q ' 0 running, 1 truncated'" || fail "killed: $(runs)"
contains 'show' "$(audit show log)" 'truncated: the log has no end of it'
logged -- true || fail 'run after a kill'

# killed at any of its calls: the next one goes on, and what ran was written down before
if [ "${ENVIRONMENT-}" = host ] && command -v strace >/dev/null; then
	for call in openat:40 write:9 fsync:12 renameat:4 mkdirat:2 flock:4 unlinkat:1; do
		n=$((${call#*:}))
		while [ $n -gt 0 ]; do
			rm -rf killed ran
			strace -o /dev/null -e trace="${call%:*}" -e inject="${call%:*}:signal=KILL:when=$n" "$lichen" run --audit killed -- touch ran \
				>/dev/null 2>&1
			if [ -e ran ]; then
				contains "killed at $call, $n" "$("$lichen" audit export killed 2>&1)" '"command":["touch","ran"]'
			fi
			"$lichen" run --audit killed -- true >out 2>&1 || fail "after a kill at $call, $n: $(cat out)"
			"$lichen" audit verify killed >out 2>&1 || fail "after a kill at $call, $n: $(cat out)"
			contains "killed at $call, $n" "$(cat out)" ' 0 running, '
			n=$((n - 1))
		done
	done
fi
passed
