#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The agents llm and http of lichen flow, and the budget: against lichen-echo-model that tells the truth, lies about its tokens, is silent or never ends.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there are no flows without lichen"
lichen=${RUN%% *}
echo_model=$(dirname -- "$lichen")/lichen-echo-model
LICHEN_STATE=$WORK/state
export LICHEN_STATE
mkdir data
server=
cleanup() { [ -z "$server" ] || kill "$server" 2>/dev/null; }
# serve OPTION...: a model on $WORK/model, instead of the one before
serve() {
	[ -z "$server" ] || { kill -KILL "$server" && wait "$server"; } 2>/dev/null
	rm -f model
	: >said
	"$echo_model" --socket="$WORK/model" "$@" >said 2>/dev/null &
	server=$!
	until grep -q listening said; do
		kill -0 "$server" || fail "no echo model"
		sleep 0.05
	done
}
# wants STATUS WORDS...: runs lichen flow, and looks at its status
wants() {
	wanted=$1
	shift
	"$lichen" flow "$@" >out 2>err </dev/null
	same "status of 'flow $*': $(cat err)" "$wanted" $?
}
# last: facts of the last step.end in the log, as Python sees them
last() {
	"$lichen" audit export --type=step.end audit | tail -n 1 | /usr/bin/python3 -I -c "
import json, sys
facts = json.loads(sys.stdin.read())['facts']
print($1)"
}
# told: how the last call was accounted for, its cost, and what the budget has spent and set aside
told() {
	"$lichen" audit export audit | tail -n 2 | /usr/bin/python3 -I -c "
import json, sys
step, end = [json.loads(line) for line in sys.stdin]
facts, budget = step['facts'], end['budget']
assert step['type'] == 'step.end' and end['type'] == 'flow.end', (step, end)
assert float(budget['reserved']) in (0, float(facts['reserved'])), (facts, budget)
print(facts['usage'], facts['cost'], budget['spent'], 'kept' if float(budget['reserved']) else 'free')"
}
spent() { "$lichen" flow status --json | /usr/bin/python3 -I -c "import json, sys; b = json.load(sys.stdin)['budget']; print(b['spent'], b['reserved'])"; }
# ask NAME CONFIG PARAMETERS: a flow of one question to the local model
ask() {
	printf 'name: ask\nsteps:\n  - agent: llm\n    action: complete\n    config: {provider: local, model: costly%s}\n    parameters: {%s}\n' "$2" "$3" >"$1.yml"
}

# the echo model that comes with lichen needs nothing but a name; what is sent is redacted, and so is what comes
cat >own.yml <<'END'
name: own
steps:
  - agent: llm
    action: complete
    config: {provider: echo}
    parameters: {prompt: "write to bob@example.com", system: "be short"}
  - agent: llm
    action: chat
    config: {provider: echo, model: lichen-echo, stream: true}
    parameters:
      max_tokens: 3
      messages:
        - {role: system, content: "no words"}
        - {role: user, content: "{previous_output} and more"}
END
wants 0 run own.yml
same "a stream" "echo: echo: write" "$(cat out)"
same "the first answer" "echo: write to [EMAIL_ADDRESS]" "$("$lichen" flow logs --step 1 2>/dev/null || cat state/flows/*/step-1.out)"
same "why it ended" "length told 0.00" "$(last "facts['finish'], facts['usage'], facts['cost']" | tr -d "(),'")"

# prices: 1 USD for 1000 tokens, one way and the other
cat >config.yaml <<END
providers:
  local: {api: openai, socket: $WORK/model}
  claude: {api: anthropic, socket: $WORK/model}
models:
  costly: {input: 1000, output: 1000}
  free: {input: 0, output: 0}
END
ask one '' 'prompt: "one two", max_tokens: 3'
ask stream ', stream: true' 'prompt: "one two", max_tokens: 3'
sed 's/provider: local/provider: claude/' stream.yml >claude.yml
# lie OPTION STATUS WORDS: what comes of a model with this option; WORDS: a pattern for what is told
lie() {
	serve "$1"
	wants "$2" run "$flow.yml"
	# shellcheck disable=SC2254 # a pattern
	case $(told) in $3) ;; *) fail "$flow $1: told $(told), not $3; $(cat err)" ;; esac
}
[ "$SLOW" = 1 ] && flows='stream' || flows='one stream claude'
for flow in $flows; do
	lie --usage=true 0 'told 0.005 0.005 free'
	same "answer of $flow" "echo: one two" "$(cat out)"
	lie --usage=low 0 'told 0.002 0.002 free'
	# no account, or one that cannot be true: what was set aside counts
	lie --usage=none 0 'missing 0.* 0.00 kept'
	[ $flow = one ] && for usage in zero negative text fraction; do lie --usage=$usage 0 'wrong 0.* 0.00 kept'; done
	# more than a call can cost: charged, and the end of the run
	lie --usage=high 75 'exceeded 200*.* 200*.* free'
	contains "$flow high" "$(cat err)" "the run is over"
	[ $flow = one ] && lie --usage=huge 75 'exceeded 1*.* 1*.* free'
	# an answer that breaks off, is none, or is an error
	lie --cut 1 'incomplete 0.* 0.00 kept'
	[ $flow = one ] || continue
	lie --garbage 1 'incomplete 0.* 0.00 kept'
	lie --status=503 1 'incomplete 0.* 0.00 kept'
	lie --status=429 1 'none 0.00 0.00 free'
	contains "429" "$(cat err)" "answers 429: as --status says"
done

# costs that are counted, and end nothing
cp config.yaml before.yaml
echo 'cost_kill_enabled: false' >>config.yaml
flow=one
lie --usage=high 0 'told 200*.* 200*.* free'
mv before.yaml config.yaml

# a stream that never ends is cut off at what was asked for
for flow in stream claude; do
	lie --forever 0 'incomplete 0.* 0.00 kept'
	same "cut off" cut_off "$(last "facts['finish']")"
	same "words" 4 "$(wc -w <out | tr -d ' ')"
done
# an account that comes too late
serve --delay=60000
ask late ', timeout: 4, stream: true' 'prompt: "one two", max_tokens: 3'
wants 1 run late.yml
contains "late" "$(cat err)" "in time"
same "budget of what is late" "0.00 $(last "facts['reserved']")" "$(spent)"
# nobody there: nothing is spent
kill -KILL "$server"
wait "$server" 2>/dev/null
server=
wants 1 run one.yml
same "budget of nobody" "0.00 0.00" "$(spent)"

# what the budget does not allow is not asked
serve
ask much '' 'prompt: "one two", max_tokens: 1000'
wants 75 run much.yml
contains "too much" "$(cat err)" "USD are left of the budget"
same "nothing was asked" "0.00 0.00" "$(spent)"
ask over '' 'prompt: "one two", max_tokens: 1001'
wants 75 run over.yml
contains "per call" "$(cat err)" "max_tokens_per_call"
ask unknown '' 'prompt: a, model: nobody-knows'
wants 78 run unknown.yml
contains "unknown" "$(cat err)" "declare it under models:"
sed -i 's/model: nobody-knows/model: "${MODEL}"/' unknown.yml
MODEL=nobody-knows
export MODEL
wants 78 run unknown.yml
contains "unknown, by a variable" "$(cat err)" "declare it under models:"
sed 's/provider: local/provider: nowhere/' one.yml >nowhere.yml
wants 78 validate nowhere.yml
sed 's/provider: local/provider: openai, api_key: "${HOME}"/; s/costly/gpt-4o-mini/' one.yml >network.yml
wants 77 run network.yml
contains "network" "$(cat err)" "network_access_allowed is false"
cp config.yaml before.yaml
echo 'network_access_allowed: true' >>config.yaml
wants 77 run network.yml
contains "another secret" "$(cat err)" 'is ${OPENAI_API_KEY}, not ${HOME}'
cp before.yaml config.yaml
echo 'max_tokens_per_run: 20' >>config.yaml
wants 75 run one.yml
contains "per run" "$(cat err)" "max_tokens_per_run"
printf 'models: {a: {input: -1, output: 0}}\n' >wrong.yaml
wants 78 run --config wrong.yaml one.yml
printf 'providers: {a: {socket: /x, key: sk-123}}\n' >wrong.yaml
wants 78 run --config wrong.yaml one.yml

# the agent http: only where config.yaml says, redacted, with a token by its name, and not too often
cat >web.py <<'END'
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with open("seen", "a") as seen:
            print(self.command, self.path, self.headers.get("Authorization"), self.headers.get("X-Who"), body, file=seen)
        self.send_response(404 if self.path == "/none" else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"mail": "ann@example.com", "got": body}).encode())
    do_GET = do_POST = do_PUT = do_DELETE = answer
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, file=open("port.new", "w"), flush=True)
__import__("os").rename("port.new", "port")
server.serve_forever()
END
kill -KILL "$server"
/usr/bin/python3 -I web.py &
server=$!
until [ -s port ]; do
	kill -0 "$server" || fail "no server"
	sleep 0.05
done
port=$(cat port)
# visit ACTION PATH CONFIG PARAMETERS
visit() {
	printf 'name: visit\nsteps:\n  - agent: http\n    action: %s\n    config: {%s}\n    parameters: {url: "http://127.0.0.1:%s%s"%s}\n' \
		"$1" "$3" "$port" "$2" "$4" >visit.yml
}
visit get '/a?m=bob@example.com#f' 'bearer_token: "${TOKEN}"' ', headers: {X-Who: bob@example.com}, params: {q: "a b", n: 1}'
wants 77 run visit.yml
contains "no network" "$(cat err)" "network_access_allowed is false"
echo 'network_access_allowed: true' >>config.yaml
wants 78 run visit.yml
contains "no token" "$(cat err)" "TOKEN"
export TOKEN=geheim
wants 77 run visit.yml
contains "no host" "$(cat err)" "no rule allows it"
printf 'allowed_private: ["127.0.0.1:%s"]\nhttp_requests_per_minute: 2\nmax_run_time: 20s\n' "$port" >>config.yaml
wants 0 run visit.yml
same "what is sent" 'GET /a?m=%5BEMAIL_ADDRESS%5D&q=a%20b&n=1 Bearer geheim [EMAIL_ADDRESS] ' "$(cat seen)"
same "what comes" '{"mail": "[EMAIL_ADDRESS]", "got": ""}' "$(cat out)"
! grep -rq geheim state audit || fail "the token was stored"
visit post /b '' ', json: {to: bob@example.com, n: 1}'
wants 0 run visit.yml
same "what is posted" 'POST /b None None {"to":"[EMAIL_ADDRESS]","n":1}' "$(tail -n 1 seen)"
visit delete /none '' ''
wants 1 run visit.yml
contains "404" "$(cat err)" "the server answers 404"
visit get / 'allowed_domains: [example.com]' ''
wants 77 run visit.yml
contains "wider" "$(cat err)" "none of config.yaml's allowed_domains"
visit get / '' ''
for i in 2 3; do
	printf '  - step: %s\n    agent: http\n    action: get\n    parameters: {url: "http://127.0.0.1:%s/"}\n' "$i" "$port" >>visit.yml
done
wants 124 run visit.yml
contains "too often" "$(cat err)" "http_requests_per_minute leaves no time"
cp before.yaml config.yaml

# runs at the same time share a budget: what is set aside at once never exceeds it; how many are refused depends on their timing
serve
cp before.yaml config.yaml
printf 'budget_file: shared\nbudget_limit_per_run: 0.33\n' >>config.yaml
for i in 1 2 3 4 5 6; do
	mkdir "at$i"
	sed "s|shared|$WORK/shared|" config.yaml >"at$i/config.yaml"
	LICHEN_STATE=$WORK/at$i/state "$lichen" flow -C "at$i" run one.yml >"at$i/out" 2>"at$i/err" </dev/null &
	eval "run$i=\$!"
done
for i in 1 2 3 4 5 6; do
	eval "wait \$run$i"
	case $? in 0 | 75) ;; *) fail "run $i: $(cat "at$i/err")" ;; esac
done
/usr/bin/python3 -I -c '
used = {}
for line in open("shared"):
    kind, number, cost, tokens, run, check = line.split()
    used[number] = int(cost)
    assert sum(used.values()) <= 330000000, line
assert used' || fail "the shared budget was overspent: $(cat shared)"
# a killed run leaves what it had set aside
rm -rf shared
serve --delay=60000
"$lichen" flow run one.yml >/dev/null 2>&1 &
victim=$!
until grep -q reserve shared 2>/dev/null; do
	kill -0 "$victim" || fail "it ended"
	sleep 0.05
done
kill -KILL "$victim"
wait "$victim"
serve
wants 0 run one.yml
same "what a killed run had set aside counts" "2 1" "$(grep -c ^reserve shared) $(grep -c ^settle shared)"
echo damaged >shared
wants 65 run one.yml
passed
