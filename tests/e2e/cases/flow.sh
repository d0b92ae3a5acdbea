#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lichen flow: what steps do and what they are refused, what is stored, how runs end, and that the log has all of it.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there are no flows without lichen"
lichen=${RUN%% *}
LICHEN_STATE=$WORK/state
export LICHEN_STATE
mkdir -p data/input data/output secret
ln -s "$WORK/secret" data/input/link
echo 'top secret' >secret/file
printf 'ok\nERROR of bob@example.com, card 4111 1111 1111 1111\n' >data/input/app.log
flow() { "$lichen" flow "$@" 2>stderr </dev/null; }
# wants STATUS WORDS...: runs lichen flow, and looks at its status
wants() {
	wanted=$1
	shift
	flow "$@" >out
	same "status of 'flow $*': $(cat stderr)" "$wanted" $?
}
# one FILE AGENT ACTION [LINE...]: a flow of one step
one() {
	printf 'name: one\nsteps:\n  - agent: %s\n    action: %s\n' "$2" "$3" >"$1"
	file=$1
	shift 3
	for line; do printf '    %s\n' "$line" >>"$file"; done
}
state() { flow status --json | /usr/bin/python3 -I -c "import json, sys; s = json.load(sys.stdin); print($1)"; }
types() { "$lichen" audit export audit | sed 's/.*"type":"\([^"]*\)".*/\1/' | tr '\n' ' '; }

# all agents that need no cage, templates, conditions
cat >all.yml <<'END'
name: All of it
description: |
  reads, decides, writes
steps:
  - step: 1
    agent: filesystem
    action: read
    parameters: {path: ./data/input/app.log}
  - step: 2
    agent: filesystem
    action: exists
    parameters: {path: data/input/none}
  - step: 3
    agent: filesystem
    action: stat
    condition: step_2_output == 'true'
    parameters: {path: data/input/none}
  - step: 4
    agent: filesystem
    action: write
    condition: not step_2_output and step_1_output contains "ERROR"
    config: {allowed_paths: [./data/output], read_only: false}
    parameters: {path: "./data/output/${OUT:-out}.txt", content: "{\"a\": 1} {{x} $$ {step_1_output}"}
  - step: 5
    agent: filesystem
    action: list
    parameters: {path: data/output, pattern: "*.txt"}
END
wants 0 validate all.yml
contains 'validate' "$(cat out)" '"All of it", 5 steps, valid'
wants 0 run all.yml
contains 'the last output' "$(cat out)" '"name":"out.txt","type":"file"'
same 'what was written' '{"a": 1} {x} $ ok ERROR of [EMAIL_ADDRESS], card [CREDIT_CARD] ' "$(tr '\n' ' ' <data/output/out.txt)"
same 'states' "ok ok skipped ok ok" "$(state '*[x["state"] for x in s["steps"]]')"
same 'an output as it is stored' 'ERROR of [EMAIL_ADDRESS], card [CREDIT_CARD]' "$(flow logs --step=1 | tail -n 1)"
same 'events' 'log.created flow.start step.start step.end step.start step.end step.skip step.start step.end step.start step.end flow.end ' "$(types)"
if grep -rq 'bob@' "$LICHEN_STATE" audit; then fail 'personal data is stored'; fi
"$lichen" audit verify audit >out || fail "the log: $(cat out)"
same 'mode of the state' 700 "$(find "$LICHEN_STATE/flows" -maxdepth 0 -printf %m)"
contains 'status' "$(flow status)" 'ok, exit status 0'
contains 'list' "$(flow list all.yml)" 'All of it'
same 'list of another file' '' "$(flow list none.yml)"

# what is refused, and where it says so
for path in ../secret/file "$WORK/secret/file" /etc/hostname data/../secret/file data/input/link/file data/input/link; do
	one no.yml filesystem read "parameters: {path: $path}"
	wants 77 run no.yml
	contains "denied $path" "$(cat stderr)" 'cannot read'
done
contains 'the log has it' "$("$lichen" audit export --type=step.end audit | tail -n 1)" '"outcome":"denied"'
one no.yml filesystem write 'parameters: {path: data/output/x, content: x}'
wants 77 run no.yml
one no.yml filesystem write 'config: {read_only: false}' 'parameters: {path: data/input/link, content: x}'
wants 77 run no.yml
same 'nothing is written through a link' 'top secret' "$(cat secret/file)"
# nor through one on the way to what a step allows itself, or another line of config.yaml: an earlier step may have made it
for line in 'allowed_paths: [./data]' 'allowed_paths: [./data/input/link, ./data]' "allowed_paths: [$WORK/data/input, ./data/input/link]"; do
	printf '%s\n' "$line" >config.yaml
	one no.yml filesystem write 'config: {read_only: false, allowed_paths: [./data/input/link]}' 'parameters: {path: data/input/link/made, content: x}'
	wants 77 run no.yml
	contains "why, $line" "$(cat stderr)" 'symbolic links are not followed'
	[ ! -e secret/made ] || fail "something was written through a link to a directory, $line"
done
rm config.yaml
ln -s data there # the operator's own link
printf 'allowed_paths: [./there]\n' >config.yaml
one yes.yml filesystem read 'config: {allowed_paths: [./there/input]}' 'parameters: {path: there/input/app.log}'
wants 0 run yes.yml
rm config.yaml there
# what a template makes of allowed_paths is in config.yaml's, too
for agent in 'filesystem read {path: secret/file}' 'tool_executor run {command: cat, args: [secret/file]}'; do
	# shellcheck disable=SC2086 # agent and action
	one no.yml ${agent%% \{*} 'config: {allowed_paths: ["${WHERE}"]}' "parameters: {${agent#*\{}"
	for where in "$WORK/secret" '' ./data/../secret "$WORK"; do
		WHERE=$where "$lichen" flow run no.yml >out 2>stderr </dev/null
		same "status of $agent in '$where' ($(cat stderr))" 77 $?
	done
done
one no.yml filesystem read 'on_error: skip' 'parameters: {path: /etc/hostname}'
wants 77 run no.yml
mkfifo data/input/fifo
one no.yml filesystem read 'parameters: {path: data/input/fifo}'
wants 1 run no.yml
one no.yml filesystem read 'config: {allowed_paths: [/etc]}' 'parameters: {path: /etc/hostname}'
wants 78 run no.yml
contains 'place' "$(cat stderr)" "no.yml:5:30: '/etc' is in none of config.yaml's allowed_paths"
one no.yml tool_executor run 'parameters: {command: sh, args: [-c, id]}'
wants 78 validate no.yml
one no.yml filesystem read "parameters: {path: './data/\${NOT_SET_AT_ALL}'}"
wants 0 validate no.yml
wants 78 run no.yml
wants 66 run none.yml
wants 66 status 0123456789abcdef
wants 64 run
wants 64 fly all.yml
for words in 'init --json' 'status --no-sandbox' 'list --allow-weaker=files' 'validate --resume=x all.yml' 'run --step=1 all.yml' 'logs --config=x' 'list -C .'; do
	# shellcheck disable=SC2086 # several words
	wants 64 $words
	contains "what has no effect: $words" "$(cat stderr)" 'takes no --'
done

# what config.yaml has wrong is told in its place before anything runs
for line in 'allowed_domains: [a.org, "http://b.org"]=26' 'allowed_private: [nonsense]=19' 'quiet_denials: [fs.eat /x]=17' 'allowed_domains: [10.0.0.5]=19'; do
	printf '%s\n' "${line%=*}" >config.yaml
	wants 78 validate all.yml
	contains "the place in ${line%=*}" "$(cat stderr)" "config.yaml:1:${line#*=}: "
done
# what `akios init` writes can be read; its log_level says what is told
cat >config.yaml <<'END'
sandbox_enabled: true
cpu_limit: 0.8
memory_limit_mb: 256
max_open_files: 100
max_file_size_mb: 10
network_access_allowed: false
pii_redaction_enabled: true
redaction_strategy: "mask"
cost_kill_enabled: true
max_tokens_per_call: 1000
budget_limit_per_run: 1.0
audit_enabled: true
audit_export_enabled: true
audit_storage_path: "./audit/"
audit_export_format: "json"
environment: "development"
log_level: "ERROR"
END
wants 0 run all.yml
same 'what is told of a run that is ok' '' "$(cat stderr)"
contains 'its events, exported' "$(cat "$LICHEN_STATE"/flows/*/audit.jsonl)" '"type":"flow.end"'
one no.yml filesystem read 'parameters: {path: ./data/none}'
wants 1 run no.yml
contains 'what is told of one that is not' "$(cat stderr)" 'step 1 filesystem read: failed'
# the log and its key are where no step reaches them, nor what all tools read
rm -f config.yaml
LICHEN_AUDIT_KEY=$WORK/data/key flow run all.yml
same 'status with a key in what steps read' 78 $?
contains 'which' "$(cat stderr)" "the key of the audit log '$WORK/data/key' lies in './data', which allowed_paths allows"
[ ! -e data/key ] || fail 'the key was made'
LICHEN_AUDIT_KEY=/usr/share/lichen-none/key flow run all.yml
same "status with a key in what tools read: $(cat stderr)" 78 $?
printf 'audit_storage_path: /usr/share/lichen-none\n' >config.yaml
wants 78 run all.yml
contains 'which' "$(cat stderr)" "the audit log '/usr/share/lichen-none' lies in '/usr', which every tool can read"
[ ! -e /usr/share/lichen-none ] || fail 'the log was made'
rm config.yaml
# personal data in the flow itself
one bob.yml filesystem exists "condition: \"'bob@example.com' == 'x'\"" 'parameters: {path: ./data/bob@example.com}'
sed -i 's/name: one/name: of bob@example.com/' bob.yml
cat >>bob.yml <<'END'
  - agent: filesystem
    action: exists
    parameters: {path: "./data/${SECRET:-x}-{previous_output}bob@example.com"}
END
SECRET=geheim
export SECRET
wants 0 run bob.yml
unset SECRET
contains 'the file of a step' "$("$lichen" audit export --type=step.start audit | tail -n 1)" '"path":"./data/${SECRET}-[EMAIL_ADDRESS]"'
if grep -rqE 'bob@|geheim' "$LICHEN_STATE" audit; then fail 'personal data of the flow is stored'; fi

# tools without the cage: the command line and config.yaml must agree
one tool.yml tool_executor run 'parameters: {command: echo, args: ["a  b; $$(id)", "{previous_output}", "*"]}'
wants 78 run --no-sandbox tool.yml
printf 'sandbox_enabled: false\nallowed_commands: [echo, sh, sleep, "false", yes]\nmax_run_time: 60s\nmax_steps: 3\n' >config.yaml
wants 78 run tool.yml
wants 0 run --no-sandbox tool.yml
same 'words are words' 'a  b; $(id)  *' "$(cat out)"
contains 'what is shown of them' "$("$lichen" audit show audit)" 'step 1: tool_executor run: echo "a'
contains 'the log has the words' "$("$lichen" audit export --type=step.start audit | tail -n 1)" '"command":["echo","a  b; $(id)","","*"]'
contains 'the log has it' "$("$lichen" audit export --type=flow.start audit | tail -n 1)" '"sandbox":false'
one tool.yml tool_executor run 'on_error: retry' 'parameters: {command: sh, args: [-c, "echo x >>tries; echo no >&2; exit 3"]}'
wants 124 run --no-sandbox tool.yml
same 'attempts: max_steps' 3 "$(grep -c x tries)"
printf 'sandbox_enabled: false\nallowed_commands: [echo, sh, sleep, "false", yes]\nmax_retries: 1\n' >config.yaml
rm tries
wants 1 run --no-sandbox tool.yml
same 'attempts: max_retries' 2 "$(grep -c x tries)"
contains 'why' "$(cat stderr)" "step 1: 'sh' has ended with status 3: no"
one tool.yml tool_executor run "parameters: {command: sh, args: [-c, 'printf \"a\\\\302\\\\2332J\\\\342\\\\200\\\\256b\" >&2; exit 3']}"
wants 1 run --no-sandbox tool.yml
contains 'what a terminal would obey' "$(cat stderr)" 'status 3: a??2J???b'
one tool.yml tool_executor run 'config: {timeout: 1}' 'parameters: {command: sleep, args: [1000]}'
wants 1 run --no-sandbox tool.yml
one tool.yml tool_executor run 'config: {max_output_size: 1000}' 'parameters: {command: "yes"}'
wants 1 run --no-sandbox tool.yml
printf 'max_run_time: 1s\n' >>config.yaml
one tool.yml tool_executor run 'parameters: {command: sleep, args: [1000]}'
wants 124 run --no-sandbox tool.yml
same 'state' 'time 124' "$(state '*[s["state"], s["status"]]')"

# a signal ends the tool and the run; what was done is kept by --resume
printf 'sandbox_enabled: false\nallowed_commands: [sh]\n' >config.yaml
one long.yml tool_executor run 'parameters: {command: sh, args: [-c, "echo first; echo x >>ran"]}'
cat >>long.yml <<'END'
  - agent: tool_executor
    action: run
    parameters: {command: sh, args: [-c, "echo $$$$ >pid.new; mv pid.new pid; [ -e go ] || exec sleep 1000; echo {previous_output}"]}
END
"$lichen" flow run --no-sandbox long.yml >out 2>stderr </dev/null &
runner=$!
until_true 60 test -e pid || fail "the tool does not start: $(cat stderr)"
contains 'it runs' "$(flow status)" 'state    running'
kill -TERM $runner
wait $runner
same 'status of a signal' 143 $?
until_true 60 sh -c '! kill -0 "$(cat pid)"' || fail 'the tool lives on'
same 'state' 'stopped True' "$(state '*[s["state"], s["resumable"]]')"
touch go
wants 0 run --no-sandbox --resume="$(state 's["id"]')" long.yml
same 'goes on' first "$(cat out)"
same 'what was done is not done again' 1 "$(grep -c x ran)"
wants 64 run --no-sandbox --resume="$(state 's["id"]')" long.yml

# killed: the log and the state tell
rm go pid
"$lichen" flow run --no-sandbox long.yml >out 2>stderr </dev/null &
runner=$!
until_true 60 test -e pid || fail "the tool does not start: $(cat stderr)"
kill -9 $runner
wait $runner 2>/dev/null
until_true 60 sh -c '! kill -0 "$(cat pid)"' || fail 'the tool lives on'
until_true 60 sh -c "'$lichen' flow status | grep -q interrupted" || fail "killed: $(flow status)"
contains 'the log' "$("$lichen" audit verify audit)" ' 0 running, 1 truncated'
echo '# changed' >>long.yml
wants 78 run --no-sandbox --resume="$(state 's["id"]')" long.yml

# the examples, offline; in the cage where this host has its layers, else refused before a tool starts
wants 0 init examples
wants 74 init examples
for name in document-ingestion fraud-batch; do
	wants 0 run --directory=examples examples/$name.yml
done
contains 'the model gets no personal data' "$(cat examples/data/output/summary.txt)" '[EMAIL_ADDRESS]'
flow run --directory=examples examples/log-triage.yml >out
code=$?
case $code,${ENVIRONMENT-} in
0,*)
	contains 'the cage is in the log' "$("$lichen" audit export --type=run.policy examples/audit)" '"layer":"files"'
	contains 'what the tool gave' "$(cat examples/data/output/triage.txt)" 'request 82 failed'
	echo 'allowed_commands: [cat, sh]' >config.yaml
	one caged.yml tool_executor run "parameters: {command: cat, args: [$WORK/secret/file, $WORK/audit/key]}"
	wants 77 run caged.yml
	same 'denials' "$WORK/audit/key $WORK/secret/file" "$("$lichen" audit export --type=denial audit |
		sed 's/.*"object":"\([^"]*\)".*/\1/' | sort | tr '\n' ' ' | sed 's/ $//')"
	"$lichen" audit export --type=denial audit | /usr/bin/python3 -I -c '
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    assert event["what"] == "fs.read" and event["rule"] is None and event["error"] in ("EACCES", "ENOENT") and event["comm"] == "cat", event
    assert event["quiet"] is False and event["step"] == 1 and event["pid"] > 0 and event["call"].startswith("open"), event' || fail 'events of denials'
	one caged.yml tool_executor run 'config: {read_only: false, allowed_paths: [./data/input/link]}' 'parameters: {command: sh, args: [-c, "echo x >secret/made"]}'
	wants 1 run caged.yml
	contains 'a link on the way to what a tool may write' "$(cat stderr)" 'leads through a symbolic link'
	[ ! -e secret/made ] || fail 'a tool has written through a link'
	printf 'allowed_commands: [cat, sh]\nquiet_denials: [fs.read %s/secret]\n' "$WORK" >config.yaml
	one quiet.yml tool_executor run "parameters: {command: sh, args: [-c, 'cat $WORK/secret/file; true']}"
	wants 0 run quiet.yml
	contains 'a denial that is expected' "$("$lichen" audit export --type=denial audit | tail -n 1)" '"quiet":true'
	# nothing outlives lichen, however it ends
	rm -f data/output/pid
	nap=$((100000 + $$))
	one caged.yml tool_executor run 'config: {read_only: false}' \
		"parameters: {command: sh, args: [-c, 'setsid sleep $nap & echo x >data/output/pid; sleep $nap']}"
	"$lichen" flow run caged.yml >out 2>stderr </dev/null &
	runner=$!
	until_true 60 test -e data/output/pid || fail "the tool does not start: $(cat stderr)"
	kill -9 $runner
	wait $runner 2>/dev/null
	until_true 60 sh -c "! ps -eo args | grep -qx 'sleep $nap'" || fail 'the tool lives on'
	;;
69,gvisor | 69,docker | 69,restricted)
	contains 'why' "$(cat stderr)" 'lacks the layer'
	[ ! -e examples/data/output/triage.txt ] || fail 'it went on'
	;;
*) fail "status $code: $(cat stderr)" ;;
esac
echo 'allowed_paths: [.]' >config.yaml
wants 78 run all.yml
contains 'the log is out of reach' "$(cat stderr)" 'which allowed_paths allows'

# hashes; no log, no run
printf 'redaction_strategy: hash\n' >config.yaml
one read.yml filesystem read 'parameters: {path: data/input/app.log}'
wants 0 run read.yml
mv out first
wants 0 run read.yml
grep -q '\[EMAIL_ADDRESS:[a-p]*\]' out || fail "hash: $(cat out)"
same 'the same key' "$(cat first)" "$(cat out)"
same 'mode of the key' 600 "$(find "$LICHEN_STATE/flows/redaction-key" -printf %m)"
printf 'x' >>audit/checkpoint
wants 65 run all.yml
printf 'audit_storage_path: /proc/self/log\n' >config.yaml
rm data/output/out.txt
wants 74 run all.yml
[ ! -e data/output/out.txt ] || fail 'it ran without a log'
passed
