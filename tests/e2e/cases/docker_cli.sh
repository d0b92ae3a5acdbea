#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Containers by docker's command line under lichen up docker, as far as docker_up.sh does not have it: options of run, a terminal, attach, cp, diff, stats,
# events, signals, restart policies, wait, rename, update.
. "$(dirname -- "$0")/../lib.sh"
. "$CASES/docker_daemon.sh"
docker_up
base_image sleep true hostname kill pwd seq stty tr

# --- options of run ---------------------------------------------------------------------------------------------------------------
mkdir share
echo in >share/in
# shellcheck disable=SC2016 # is expanded in the container
d run --rm --network=none -e COLOUR=blue -w /tmp -v "$WORK/share:/share" -v "$WORK/share:/fixed:ro" --ulimit nofile=100:200 --hostname box base sh -c '
	echo "$COLOUR"; pwd; cat /share/in; echo out >/share/out; echo no >/fixed/no; ulimit -n; ulimit -Hn; hostname; cat /etc/hostname; true' >out
same "options of run" 'blue
/tmp
in
100
200
box
box' "$(cat out)"
contains "a read-only bind" "$(cat err)" 'Read-only file system'
same "what a bind mount has" out "$(cat share/out)"
contains "an init of docker's" "$(d run --rm --network=none --init base sh -c 'cat /proc/1/cmdline; true' | tr '\0' ' ')" docker-init

# --- processor time and what docker tells of it -------------------------------------------------------------------------------------
began=$(date +%s)
d run -d --name busy --network=none base sh -c 'text=$(dd if=/dev/zero bs=1024 count=10240 | tr "\0" a); echo ready; while :; do :; done' >/dev/null
until_true 60 sh -c '/usr/bin/docker logs busy 2>/dev/null | grep ready' || fail "no memory taken"
d update --cpus 0.2 busy >/dev/null
throttled() { d exec busy grep nr_throttled /sys/fs/cgroup/cpu.stat | grep -v ' 0$'; }
until_true 60 throttled || fail "a container with --cpus 0.2 is never throttled: $(d exec busy cat /sys/fs/cgroup/cpu.stat)"
cat >stats.py <<'END'
import re, sys
name, cpu, used, limit, pids = re.fullmatch(r"(\w+) ([\d.]+)% ([\d.]+)MiB / ([\d.]+)[GMT]iB (\d+)", sys.stdin.read().strip()).groups()
assert name == "busy", name
assert 0 < float(cpu) < 60, f"processor: {cpu}"  # 20 is right; what is measured is one second or two
assert 10 <= float(used) < 80, f"memory: {used}"
assert int(pids) == 1, f"processes: {pids}"
END
# of a second or two; on a machine that does other things it may have had no turn in that
told() { d stats --no-stream --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}' busy | tee stats | /usr/bin/python3 -I stats.py 2>wrong; }
until_true 60 told || fail "stats: $(cat stats); $(tail -n 1 wrong)"
d update --memory 100m --memory-swap 100m --pids-limit 33 busy >/dev/null
same "what update changed" '104857600
33' "$(d exec busy cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max)"
d rename busy calm
same "the name" /calm "$(d inspect -f '{{.Name}}' calm)"
d rm -f calm >/dev/null

# --- signals --------------------------------------------------------------------------------------------------------------------------
signals="HUP INT QUIT USR1 USR2 TERM WINCH CONT ALRM RTMIN+3"
d run -d --name signals --network=none base sh -c 'for s in HUP INT QUIT USR1 USR2 TERM WINCH CONT ALRM; do trap "echo got $s" $s; done
	trap "echo got RTMIN+3" 37; echo ready; while :; do sleep 0.05; done' >/dev/null
said() { /usr/bin/docker logs signals 2>/dev/null | grep -qx "$1"; }
until_true 60 said ready || fail "no container for signals"
for signal in $signals; do
	d kill -s "$signal" signals >/dev/null
	until_true 60 said "got $signal" || fail "docker kill -s $signal does not arrive: $(d logs signals)"
done
d kill signals >/dev/null
same "wait for who was killed" 137 "$(d wait signals)"
d rm signals >/dev/null

# --- attach, logs -f, events -----------------------------------------------------------------------------------------------------------
d run -d -i --name talk --network=none base sh -c 'while read -r line; do echo "<$line>"; [ "$line" != end ] || exit 4; done' >/dev/null
/usr/bin/docker logs -f talk >followed 2>&1 &
follower=$!
{
	printf "one\ntwo\nend\n"
	d wait talk >/dev/null # attach shows nothing any more once its input has ended
} | /usr/bin/docker attach talk >attached 2>err
same "status of attach" 4 $?
wait $follower
same "what attach showed" '<one>
<two>
<end>' "$(cat attached)"
same "what logs -f showed" "$(cat attached)" "$(cat followed)"
same "events" 'create start attach die' "$(d events --since "$began" --until "$(($(date +%s) + 1))" --filter container=talk --format '{{.Action}}' | grep -v detach | tr '\n' ' ' | sed 's/ $//')"
d rm talk >/dev/null

# --- restart policies -----------------------------------------------------------------------------------------------------------------
d run -d --name failing --network=none --restart on-failure:2 base sh -c 'echo run; exit 3' >/dev/null
d run -d --name always --network=none --restart always base sh -c 'echo run; sleep 0.2' >/dev/null
given_up() { [ "$(d inspect -f '{{.State.Status}} {{.RestartCount}}' failing)" = 'exited 2' ]; }
until_true 60 given_up || fail "on-failure:2: $(d inspect -f '{{.State.Status}} {{.RestartCount}}' failing)"
same "runs of on-failure:2" 'run
run
run' "$(d logs failing)"
again() { [ "$(d inspect -f '{{.RestartCount}}' always)" -ge 2 ]; }
until_true 60 again || fail "always: $(d inspect -f '{{.RestartCount}}' always)"
d stop -t 60 always >/dev/null
same "stopped" false "$(d inspect -f '{{.State.Running}}' always)"
d rm failing always >/dev/null

# --- cp, diff ---------------------------------------------------------------------------------------------------------------------------
d run -d --name files --network=none base sh -c 'echo made >/made; rm /etc/passwd; mkdir /tmp/d; echo ready; while :; do sleep 0.1; done' >/dev/null
until_true 60 sh -c '/usr/bin/docker logs files 2>/dev/null | grep ready' || fail "no container for cp"
d cp files:/made here
same "cp out" made "$(cat here)"
mkdir -p folder/below
echo below >folder/below/file
d cp folder files:/tmp/d/
same "cp in" below "$(d exec files cat /tmp/d/folder/below/file)"
d kill files >/dev/null
d cp files:/tmp/d/folder back
same "cp out of what is stopped" below "$(cat back/below/file)"
d diff files | LC_ALL=C sort >changes
for change in 'A /made' 'A /tmp/d/folder/below/file' 'C /etc' 'D /etc/passwd'; do grep -qxF "$change" changes || fail "diff: no '$change' in: $(cat changes)"; done
same "inspect" 'sh 137' "$(d inspect -f '{{index .Config.Cmd 0}} {{.State.ExitCode}}' files)"

# --- a terminal -------------------------------------------------------------------------------------------------------------------------
/usr/bin/python3 -I "$CASES/docker_terminal.py" || fail "a terminal"
docker_down
passed
