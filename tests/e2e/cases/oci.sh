#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lichen oci with bundles of busybox: the verbs, what a container sees and what it may not, hooks, terminals, and a create that is killed.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "this is about lichen oci"
need busybox
lichen=${RUN%% *}
oci() { "$lichen" oci --root "$WORK/state" --log "$WORK/log" "$@"; }
cleanup() {
	for id in $(oci list -q 2>/dev/null); do oci delete -f "$id"; done
}

b=$WORK/bundle
mkdir -p "$b/rootfs/bin" "$b/rootfs/etc" "$b/rootfs/dir" "$b/spec"
cp "$(command -v busybox)" "$b/rootfs/bin/busybox"
for name in sh ls cat id echo mount ps hostname true sleep env grep touch stat tty readlink kill renice; do ln -s busybox "$b/rootfs/bin/$name"; done
printf 'root:x:0:0::/root:/bin/sh\nuser:x:7:8::/home/user:/bin/sh\n' >"$b/rootfs/etc/passwd"
oci spec -b "$b/spec" || fail spec
bundle() { /usr/bin/python3 -I "$CASES/oci_bundle.py" "$b" "$@" <"$b/spec/config.json" || fail "bundle $*"; }
n=0
# run_it KEY=VALUE...: what a container writes, and its status
run_it() {
	bundle "$@"
	n=$((n + 1))
	oci run -b "$b" "run$n" 2>&1 </dev/null
	echo "status $?"
}
sh_it() {
	script=$1
	shift
	run_it "args=['sh','-c',\"\"\"$script \"\"\"]" "$@" | xargs
}

same 'a container' 'uid=0(root) gid=0 lichen / status 3' "$(sh_it 'id; hostname; pwd; exit 3')"
same 'another user' 'uid=7(user) gid=8 groups=9 /home/user 77 status 0' \
	"$(sh_it 'id; echo $HOME; umask | grep -o 77' 'user={"uid":7,"gid":8,"additionalGids":[9],"umask":63}' | sed 's/groups=8,9/groups=9/')"
same 'capabilities' '0000000020000420 0000000020000420 NoNewPrivs: 1 status 0' \
	"$(sh_it 'grep -E "CapEff|CapBnd" /proc/self/status | while read -r a c; do echo $c; done; grep NoNew /proc/self/status || echo NoNewPrivs: 1')"

same 'a root that is read-only, masked and read-only paths' 'no no 0 status 1' \
	"$(sh_it 'touch /x 2>/dev/null || echo no; echo 1 2>/dev/null >/proc/sys/kernel/hostname || echo no; cat /etc/passwd | grep -c root' \
		root.readonly=True 'linux.maskedPaths=["/etc/passwd"]')"
same 'its devices' '1:3 5:0 pts/ptmx /proc/self/fd status 0' "$(sh_it 'stat -c %t:%T /dev/null /dev/tty; readlink /dev/ptmx; readlink /dev/fd')"
mkdir "$WORK/volume" && echo hello >"$WORK/volume/file" && echo kept >"$b/kept"
ln -s /../../../../etc "$b/rootfs/away" # leads nowhere but to the container's own /etc
same 'mounts' 'hello no 42 kept status 0' "$(sh_it 'cat /mnt/v/file; touch /mnt/v/x 2>/dev/null || echo no; echo 42 >/t/n; cat /t/n /etc/sub/kept' \
	"mounts.+=[{'destination':'/mnt/v','type':'bind','source':'$WORK/volume','options':['rbind','ro']},
		{'destination':'/t','type':'tmpfs','source':'tmpfs','options':['size=64k']},
		{'destination':'/away/sub/kept','type':'bind','source':'kept','options':['bind']}]")"
[ ! -e /etc/sub ] || fail 'a link led out of the container'
same 'tmpcopyup' 'root:x:0:0::/root:/bin/sh status 0' "$(sh_it 'grep root /etc/passwd' \
	"mounts.+=[{'destination':'/etc','type':'tmpfs','source':'tmpfs','options':['tmpcopyup']}]")"
same 'seccomp' 'Operation not permitted status 0' \
	"$(sh_it 'renice 5 -p $$ 2>&1 | grep -o "Operation not permitted"' \
		'linux.seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["setpriority"],"action":"SCMP_ACT_ERRNO"}]}')"
if unshare -i sh -c 'echo 4096 >/proc/sys/kernel/msgmax' 2>/dev/null; then # not in gVisor
	same 'a sysctl' '4096 status 0' "$(sh_it 'cat /proc/sys/kernel/msgmax' "linux.sysctl={'kernel.msgmax':'4096'}")"
fi
contains 'no such program' "$(run_it "args=['nothing']")" '"nothing": executable file not found in $PATH'
contains 'no program' "$(run_it "args=['/etc/passwd']")" 'permission denied'
contains 'a mount that cannot be' "$(run_it "mounts.+=[{'destination':'/m','type':'bind','source':'/no/such'}]")" 'stat /no/such: no such file or directory'
same 'nothing is left of them' '' "$(oci list -q)"

# --- a life ---------------------------------------------------------------------------------------------------------------------------------
hook() { echo "{'path':'/bin/sh','args':['sh','-c','(echo $1; cat; echo) >>$WORK/hooks']}"; }
bundle "args=['sh','-c','trap \"exit 3\" TERM; touch /ready; while :; do sleep 0.1; done']" \
	".hooks={'createRuntime':[$(hook createRuntime)],'poststart':[$(hook poststart)],'poststop':[$(hook poststop)]}"
status() { oci state c | sed -n 's/.*"status": "\(.*\)".*/\1/p'; }
oci create -b "$b" --pid-file "$WORK/pid" c >create.out 2>&1 </dev/null || fail "create: $(cat create.out)"
pid=$(cat "$WORK/pid")
same 'after create' created "$(status)"
[ ! -e "$b/rootfs/ready" ] || fail 'its program runs before start'
contains 'twice' "$(oci create -b "$b" c 2>&1)" 'already exists'
contains 'delete of one that runs' "$(oci start c && oci delete c 2>&1)" 'not stopped: running'
same 'after start' running "$(status)"
until_true 20 test -e "$b/rootfs/ready" || fail 'its program does not run'
contains 'start again' "$(oci start c 2>&1)" 'cannot start an already running container'
same 'list' c "$(oci list -q)"
contains 'list as a table' "$(oci list)" "$pid"
contains ps "$(oci ps -f json c)" "$pid"
same exec 'uid=7(user) gid=0 lichen 7' "$(oci exec -u 7 -e A=7 c sh -c 'id; hostname; echo $A' | xargs)"
same "exec's status" 5 "$(oci exec c sh -c 'exit 5'; echo $?)"
echo '{"cwd":"/dir","args":["sh","-c","pwd >/out"],"env":["PATH=/bin"],"user":{"uid":0,"gid":0}}' >"$WORK/process.json"
oci exec -d -p "$WORK/process.json" --pid-file "$WORK/exec.pid" c </dev/null || fail 'exec -d'
until_true 20 grep -q /dir "$b/rootfs/out" || fail 'exec -d has not run'
same 'a terminal' 'terminal status 4' "$(/usr/bin/python3 -I "$CASES/oci_terminal.py" "$lichen" oci --root "$WORK/state" --log "$WORK/log" exec -t c sh -c 'test -t 0 && test -t 1 && echo terminal; exit 4' | tr -d "\\r" | xargs)"
if [ -d /sys/fs/cgroup/freezer ] || [ -n "${CELL-}" ]; then # gVisor has none, and says so
	oci pause c || fail pause
	same paused paused "$(status)"
	contains 'exec in a paused one' "$(oci exec c true 2>&1)" 'cannot exec in a paused container'
	oci resume c || fail resume
else
	contains pause "$(oci pause c 2>&1)" 'no cgroup freezer'
fi
oci kill c TERM || fail kill
until_true 20 sh -c "[ \"\$('$lichen' oci --root '$WORK/state' state c | grep -c stopped)\" = 1 ]" || fail 'TERM does not end it'
contains 'kill of one that has ended' "$(oci kill c 2>&1)" 'container not running'
contains 'exec in one that has ended' "$(oci exec c true 2>&1)" 'cannot exec in a stopped container'
oci delete c || fail delete
contains 'state of one that is not there' "$(oci --log "$WORK/log" --log-format json state c 2>&1; cat "$WORK/log")" '"msg":"container does not exist"'
same 'its hooks' 'createRuntime poststart poststop' "$(grep -E '^[a-zA-Z]+$' "$WORK/hooks" | xargs)"
contains 'what hooks are told' "$(cat "$WORK/hooks")" "\"pid\":$pid"

# --- killed in the middle --------------------------------------------------------------------------------------------------------------------
bundle "args=['sleep','100']"
for step in $(seq "$(size 8 2)"); do
	"$lichen" oci --root "$WORK/state" create -b "$b" "k$step" >/dev/null 2>&1 </dev/null &
	/usr/bin/python3 -I -c "import time; time.sleep(0.004 * $step)"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	oci delete -f "k$step" || fail "delete after a killed create ($step)"
	oci create -b "$b" "k$step" >create.out 2>&1 </dev/null || fail "create after a killed create: $(cat create.out)"
	oci delete -f "k$step" || fail 'delete'
done
same 'nothing is left' '' "$(ls "$WORK/state")"
passed
