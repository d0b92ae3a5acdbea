#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lichen pii: what it says about a file and about a pipe, what it writes instead, how it ends, and that no more than what is decided is written.
. "$(dirname -- "$0")/../lib.sh"
lichen=${RUN%% *}
[ -n "$lichen" ] || skip "there is no pii without lichen"

# status WANTED COMMAND...
status() {
	wanted=$1
	shift
	"$@" >out 2>err
	same "status of '$*'" "$wanted" $?
}

printf 'one\ncard 4111 1111 1111 1111, bob@example.com\n' >text
status 1 "$lichen" pii scan text
same "scan" "text:2: 9-28 CREDIT_CARD text:2: 30-45 EMAIL_ADDRESS " "$(tr '\n' ' ' <out)"
status 1 "$lichen" pii scan --json --entities=email_address text
/usr/bin/python3 - <<'END' || fail "the JSON is wrong: $(cat out)"
import json
report = json.load(open("out"))
row = {"entity": "EMAIL_ADDRESS", "start": 30, "end": 45, "line": 2, "score": 90, "encoded": False}
assert report["schema"] == "lichen-pii/1" and report["findings"] == [row], report
assert report["counts"] == {"EMAIL_ADDRESS": 1} and report["bytes"] == 46 and report["complete"] is True, report
END
same "redact" "card [CREDIT_CARD], [EMAIL_ADDRESS]" "$("$lichen" pii redact <text | tail -n 1)"
same "remove" "card , " "$("$lichen" pii redact --strategy=remove - <text | tail -n 1)"
same "pattern" "card [FIRST]11 1111 1111 1111, bob@example.com" \
	"$("$lichen" pii redact --entities=none '--pattern=FIRST=\b41' text | tail -n 1)"
echo 0123456789abcdef >key
"$lichen" pii redact --strategy hash --key key text >hashed || fail "hash"
grep -qE '^card \[CREDIT_CARD:[a-p]{24}\], \[EMAIL_ADDRESS:[a-p]{24}\]$' hashed || fail "hash: $(cat hashed)"
echo 'bob@EXAMPLE.com 4111111111111111' | "$lichen" pii redact --strategy hash --key key >again
same "equal values" "$(grep -o '\[.*\]' hashed | tr -d ' ' | tr , '\n' | sort)" "$(tr ' ' '\n' <again | sort)"
status 0 "$lichen" pii scan hashed
status 0 "$lichen" pii scan --json /dev/null
same "nothing" "[] {}" "$(/usr/bin/python3 -c 'import json; r = json.load(open("out")); print(r["findings"], r["counts"])')"

# what is wrong
status 64 "$lichen" pii redact --strategy hash text
grep -q 'needs --key' err || fail "no word of the key: $(cat err)"
echo short >little
status 64 "$lichen" pii redact --strategy hash --key little text
status 64 "$lichen" pii scan --entities NAMES text
status 64 "$lichen" pii scan '--pattern=X=(' text
status 64 "$lichen" pii redact --json text
status 66 "$lichen" pii scan nowhere
status 66 "$lichen" pii scan .
status 65 sh -c 'printf "ok\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n" | "$0" pii redact "--pattern=X=(a+)+$"' "$lichen"
[ ! -s out ] || [ "$(cat out)" = ok ] || fail "what was not decided was written: $(cat out)"
if [ -w /dev/full ]; then
	"$lichen" pii redact text >/dev/full 2>err
	same "status of a full disk" 74 $?
	"$lichen" pii scan text >/dev/full 2>err
	same "status of a full disk" 74 $?
fi

# a line is written when it is complete; a signal ends the input, and what was read is written
mkfifo in
"$lichen" pii redact <in >out 2>err &
pid=$!
exec 9>in
printf 'call 415-555-2671\nlast bob@exa' >&9
until grep -q 'call \[PHONE_NUMBER\]' out; do
	kill -0 "$pid" || fail "it ended: $(cat err)"
	sleep 0.05
done
same "what is not decided" "call [PHONE_NUMBER]" "$(cat out)"
printf 'mple.com' >&9
kill -TERM "$pid"
wait "$pid"
code=$?
exec 9>&-
same "status of a signal" 143 "$code"
tail -n 1 out | grep -qE '^last (bob@exa|\[EMAIL_ADDRESS\])$' || fail "the end: $(cat out)"

# reports without personal data
for json in '' --json; do
	# shellcheck disable=SC2086 # none or one
	"$lichen" why --bare --redact $json --html=page --output=report -- cat /nonexistent/bob@example.com 2>err
	same "status of why --redact" 1 $?
	for file in report page; do
		grep -q '\[EMAIL_ADDRESS\]' "$file" || fail "$file of why --redact $json: $(cat $file err)"
		! grep -q 'bob@' "$file" || fail "bob is in $file of why --redact $json: $(cat $file)"
	done
	[ -z "$json" ] || /usr/bin/python3 -m json.tool report >/dev/null || fail "the report is no JSON: $(cat report)"
done
status 125 "$lichen" why --redact --trace=trace -- true

# memory does not grow: 16 MB of input in 60 MB of address space, of which most are never touched
[ "$SLOW" = 1 ] && passed
same "a long stream" 200000 "$(
	# shellcheck disable=SC3045 # dash and bash have -v
	ulimit -v 60000
	seq 200000 | sed 's/.*/& bob@example.com %40 \\u0040 YWJjZGVmZ2hpamtsbW5vcA== 4111 1111 1111 1111/' |
		"$lichen" pii redact | grep -c '^[0-9]* \[EMAIL_ADDRESS\] .*\[CREDIT_CARD\]$'
)"
passed
