#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lichen run --cage: what this machine can enforce is enforced, natively and with a gap filled; what it cannot is refused (69) unless the user goes without.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there is no cage without lichen"
lichen=${RUN%% *}
LICHEN_STATE=$WORK/state
export LICHEN_STATE
mkdir work outside
echo secret >outside/secret
cp /usr/bin/true work/true
caged() { "$lichen" run --cage policy.yaml "$@" </dev/null; }
# Debian's Python looks there for what a link of its own leads to.
python=$(echo /etc/python3.* | sed 's/ /, /g; s/\*/9/')
# policy [LINE…]: the usual files, and these lines
policy() {
	{
		printf '%s\n' 'version: 1' 'files:' "  read: [/usr, /lib, /lib64, $python]" '  execute: [/usr/bin, /bin]' '  write: [./work]'
		printf '%s\n' "$@"
	} >policy.yaml
}
# $stays holds a lock, so that others see whether it lives, and says that it does; gone: nobody holds it
stays="exec 8>work/lock; flock 8; echo x >work/held; exec sleep 1000"
gone() { flock -n work/lock true; }
probe() { /usr/bin/python3 -I -c "import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall($1) < 0)"; }

# wrong policies
policy 'nonsense: 1'
caged -- true 2>err
same 'status of a wrong policy' 78 $?
contains 'a wrong policy' "$(cat err)" 'policy.yaml:6:1:'
policy "audit: {directory: ./work/log}"
caged -- true 2>err
same 'a log that the command could write' 78 $?
for log in new/log new; do # neither is there yet
	policy
	sed -i 's|^  write: .*|  write: [./work, ./new]|' policy.yaml
	caged --audit="$WORK/$log" -- true 2>err
	same "a log that is to be where the command may write, $log: $(cat err)" 78 $?
done
[ ! -e new ] || fail 'the log was made'
policy
LICHEN_AUDIT_KEY=$WORK/work/key caged -- true 2>err
same 'a key elsewhere, which the command could read' 78 $?
contains 'which' "$(cat err)" "policy.yaml:5:11: the key of the audit log '$WORK/work/key' lies in './work', which files.write allows"
[ ! -e work/key ] || fail 'the key was made'
sed -i 's|^  write: .*|  write: [./work, ./other/key]|' policy.yaml
caged --audit="$WORK/other" -- true 2>err
same 'a rule for the key alone' 78 $?
[ ! -e other ] || fail 'the log was made'
policy
same 'no such layer' 125 "$(status_of "$lichen" run --cage policy.yaml --allow-weaker=walls -- true)"
same 'a cage and a cell' 125 "$(status_of "$lichen" run --cage policy.yaml --name=x -- true)"
same 'weaker without a cage' 125 "$(status_of "$lichen" run --allow-weaker=files -- true)"

sh -c 'ulimit -s 64 && exec "$@"' sh "$lichen" run --cage policy.yaml -- touch work/started 2>err
same 'status with a small stack' 125 $?
contains 'a small stack' "$(cat err)" "a cage needs a stack of 256 KiB, and 64 are allowed here"

# neither Landlock nor a root of its own: refused, by name, and nothing has been started
if "$lichen" cage env-check | grep -q '^files *missing'; then
	case ${ENVIRONMENT-} in gvisor* | '') ;; *) fail 'no layer files' ;; esac
	probe '444, None, 0, 1' && fail 'there is Landlock'
	caged -- touch work/started 2>err
	same 'status without Landlock' 69 $?
	contains 'what is missing' "$(cat err)" "needs the layer 'files', which this host lacks"
	[ ! -e work/started ] || fail 'it was started'
	caged --allow-weaker=files,scopes,network -- sh -c 'echo x >/dev/null; exit 3' 2>err
	same 'status of who goes without' 3 $?
	contains 'what it goes without' "$(cat err)" "goes without the layer 'files'"
	contains 'the log' "$("$lichen" audit export --type=run.policy state/audit)" '"layer":"files","state":"missing"'
	passed
fi

# inside.sh: what is tried in the cage; each line says what must fail
cat >inside.py <<'E2'
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
where = sys.argv[1]
bad = []
def refused(name, *errors):
    def run(f):
        try:
            f()
            bad.append(name + ": it worked")
        except OSError as e:
            if e.errno not in errors:
                bad.append("%s: %s" % (name, e))
    return run
def call(*args):
    if libc.syscall(*args) < 0:
        raise OSError(ctypes.get_errno(), "")
no = (errno.EACCES, errno.EPERM, errno.EROFS)
if not os.path.exists(where + "/outside"):  # it is not there at all
    no += (errno.ENOENT,)
own_pids = os.readlink("/proc/self/ns/pid") != sys.argv[5]  # numbers mean other processes
refused("read", *no)(lambda: open(where + "/outside/secret"))
refused("list", *no)(lambda: os.listdir(where + "/outside"))
refused("write", *no)(lambda: open(where + "/outside/secret", "a"))
refused("create", *no)(lambda: open(where + "/outside/new", "w"))
refused("remove", *no)(lambda: os.unlink(where + "/outside/secret"))
refused("chmod", *no)(lambda: os.chmod(where + "/outside/secret", 0o777))
refused("utime", *no)(lambda: os.utime(where + "/outside/secret"))
refused("setxattr", errno.ENOTSUP, *no)(lambda: os.setxattr(where + "/outside/secret", "user.x", b"y"))
refused("move in", errno.EXDEV, *no)(lambda: os.rename(where + "/outside/secret", where + "/work/secret"))
refused("link in", errno.EXDEV, *no)(lambda: os.link(where + "/outside/secret", where + "/work/secret"))
refused("policy", *no)(lambda: open(where + "/policy.yaml", "a"))
refused("key", *no)(lambda: open(where + "/state/audit/key"))
os.symlink(where + "/outside/secret", where + "/work/link")
refused("by a link", *no)(lambda: open(where + "/work/link"))
refused("device", *no)(lambda: os.mknod(where + "/work/disk", 0o60600, os.makedev(7, 0)))
refused("internet", errno.EAFNOSUPPORT, errno.ENETUNREACH, errno.EHOSTUNREACH)(lambda: socket.socket(socket.AF_INET).connect(("192.0.2.1", 80)))
refused("AF_UNIX", *no)(lambda: socket.socket(socket.AF_UNIX))
refused("datagram pair", *no)(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
refused("AF_PACKET", errno.EAFNOSUPPORT)(lambda: socket.socket(17, socket.SOCK_RAW))
refused("ptrace", errno.EPERM)(lambda: call(101, 16, os.getppid(), 0, 0))
if sys.argv[4] != "filled":  # lichen may answer these itself
    refused("keyctl", errno.EPERM)(lambda: call(250, 0, -3, 0))
    refused("process_vm_readv", errno.EPERM)(lambda: call(310, os.getppid(), 0, 0, 0, 0, 0))
refused("unshare", errno.EPERM)(lambda: call(272, 0x10000000))
refused("mount", errno.EPERM)(lambda: call(165, b"/", b"/", None, 4096, None))
refused("io_uring", errno.ENOSYS)(lambda: call(425, 1, 0))
refused("memfd", errno.EACCES)(lambda: call(319, b"x", 0))
refused("bpf", errno.EPERM)(lambda: call(321, 0, 0, 0))
refused("TIOCSTI", errno.EPERM)(lambda: call(16, 0, 0x100005412, b"x"))
if not own_pids:
    refused("signal", errno.EPERM, errno.ESRCH)(lambda: os.kill(int(sys.argv[2]), 0))
refused("descriptor", errno.EBADF)(lambda: os.fstat(9))
open(where + "/work/new", "w").write("x")
if "SECRET" in os.environ:
    bad.append("the environment came in")
if not own_pids and os.getsid(0) == int(sys.argv[3]):
    bad.append("the session is ours")
print("\n".join(bad) or "all refused")
E2
cp inside.py work/inside.py
session=$(cut -d ' ' -f 6 "/proc/$$/stat")
for options in --native=all --emulate=sysvipc; do
	filled=native
	[ $options = --native=all ] || filled=filled
	rm -f work/link work/new
	# shellcheck disable=SC2086 # none, or one
	SECRET=x "$lichen" run $options --cage policy.yaml --env=PYTHONDONTWRITEBYTECODE=1 -- /usr/bin/python3 -I work/inside.py "$WORK" $$ "$session" $filled "$(readlink /proc/$$/ns/pid)" \
		</dev/null 9<outside/secret >out 2>err
	same "status in the cage $options: $(cat out err)" 77 $?
	same "in the cage $options" 'all refused' "$(cat out)"
	same 'what it could write' x "$(cat work/new)"
done
same 'what it could not' secret "$(cat outside/secret)"

# execute: neither by execve nor, where mounts are its own, by the loader
if [ "$("$lichen" cage env-check | grep -c '^\(deny\|files\) *pass')" = 2 ]; then
	same 'a program that may not be executed' 77 "$(status_of "$lichen" run --native=all --cage policy.yaml -- work/true)"
	for options in --native=all --emulate=sysvipc; do # however early lichen is killed, what it has started ends
		rm -f work/made
		said=$(/usr/bin/python3 -I "$CASES/cage_killed.py" work/made "$lichen" run "$options" --cage policy.yaml -- /usr/bin/touch work/made 2>&1)
		contains "lichen is killed $options" "$said" moments
	done
else
	contains 'execute is not judged of what the agent loads' "$("$lichen" audit export --type=run.policy state/audit | tail -n 1)" '"state":"weaker"'
fi
same 'status' 7 "$(status_of "$lichen" run --cage policy.yaml -- sh -c 'exit 7')"
same 'signal' 143 "$(status_of "$lichen" run --cage policy.yaml -- sh -c 'kill $$')"

# who starts lichen may ignore the ends of children, as daemons do: lichen does not, and the command has it as it was
deaf() { timeout -s KILL 60 env --ignore-signal=CHLD "$@"; }
for options in --native=all --emulate=sysvipc; do
	same "status where SIGCHLD is ignored $options" 7 "$(status_of deaf "$lichen" run $options --cage policy.yaml -- \
		/usr/bin/python3 -I -c 'import signal, sys; sys.exit(7 if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN else 1)')"
done
same 'status with the standard input closed' 7 "$(status_of "$lichen" run --cage policy.yaml -- sh -c 'read -r x && exit 1; exit 7' <&-)"
same 'layers where SIGCHLD is ignored' "$("$lichen" cage env-check)" "$(deaf "$lichen" cage env-check)"

(mkdir gone && cd gone && rmdir ../gone && "$lichen" run --cage "$WORK/policy.yaml" -- true) >out 2>err
same 'where nothing is' 125 $?
contains 'what is not there' "$(cat err)" 'finding the working directory: No such file or directory (ENOENT)'

# who calls it may have children, which are none of the cage's
sh -c 'n=0; while [ $((n += 1)) -le 80 ]; do sleep 1000 & echo $!; done >pids; exec "$@"' sh "$lichen" run --cage policy.yaml -- true </dev/null 2>err >out
same 'who has children' 0 $?
same 'children' 80 "$(while read -r child; do kill "$child" && echo it; done <pids | wc -l)"

# what it leaves behind is killed before lichen returns
caged -- sh -c "setsid sh -c '$stays' & while [ ! -s work/held ]; do sleep 0.1; done" || fail 'leaving something behind'
gone || fail 'what it left behind lives'

# a gap that is filled inside
caged --emulate=sysvipc -- ipcmk -M 4096 >out || fail 'a gap in a cage'
contains 'shared memory' "$(cat out)" 'Shared memory id'

# the environment, limits, system calls, the user
policy 'environment: {pass: [PATH], set: {GREETING: hello}}' 'limits: {open_files: 50, file_size: 64k}' 'processes: {deny: [getppid], allow: [chroot]}'
same 'environment' 'GREETING=hello' "$(caged -- env | grep -v '^PATH=\|^LICHEN')"
same 'open files' 50 "$(caged -- sh -c 'ulimit -n')"
caged -- sh -c 'head -c 100000 /dev/zero >work/big' 2>/dev/null
same 'size of files' 65536 "$(stat -c %s work/big)"

# what is denied inside of what is allowed: files, directories, and what is not there, also by renaming what is above it
if "$lichen" cage env-check | grep -q '^deny *pass'; then
	mkdir -p work/repo/hooks work/repo/objects
	echo secret >work/repo/secret
	echo hook >work/repo/hooks/hook
	policy '  deny: [./work/repo/hooks, ./work/repo/secret, ./work/tree/.config/settings.json]'
	cat >work/deny.sh <<'E2'
cat work/repo/secret && echo BAD read
cat work/repo/hooks/hook && echo BAD read in a directory
echo x >work/repo/hooks/new && echo BAD make
rm -rf work/repo/secret work/repo/hooks && echo BAD remove
mv work/repo work/moved && echo BAD rename
mkdir -p work/tree/.config
echo x >work/tree/.config/settings.json && echo BAD make what was not there
mv work/tree/.config work/elsewhere && echo BAD rename above
mv work/tree work/elsewhere && echo BAD rename two above
ln work/deny.sh work/tree/.config/settings.json && echo BAD link
mv work/deny.sh work/tree/.config/settings.json && echo BAD move onto
echo fine >work/repo/objects/object && echo fine >work/tree/.config/other
true
E2
	for options in --native=all --emulate=sysvipc; do
		"$lichen" run $options --cage policy.yaml -- sh work/deny.sh >out 2>err </dev/null
		same "status of denials $options" 77 $?
		contains 'a denial' "$(cat err)" "work/repo/secret by rule files.deny ./work/repo/secret (policy.yaml:6)"
		contains "what is told of a masked directory $options" "$(cat err)" "denied fs.read $WORK/work/repo/hooks/hook by rule files.deny"
		same "denied $options" '' "$(cat out)"
		same 'what is denied' 'hook secret' "$(cat work/repo/hooks/hook work/repo/secret | tr '\n' ' ' | sed 's/ $//')"
		same 'what is beside it' 'fine fine' "$(cat work/repo/objects/object work/tree/.config/other | tr '\n' ' ' | sed 's/ $//')"
		[ ! -e work/tree/.config/settings.json ] || fail 'a placeholder stays'
		rm -r work/tree
	done
	# a run that is killed is cleared up after by the next
	rm -f work/pid
	"$lichen" run --cage policy.yaml -- sh -c 'echo x >work/pid; exec sleep 1000' </dev/null >/dev/null 2>&1 &
	killed=$!
	until_true 60 test -s work/pid
	[ -e work/tree/.config/settings.json ] || fail 'no placeholder'
	kill -9 $killed
	wait $killed 2>/dev/null
	[ -e work/tree/.config/settings.json ] || fail 'the placeholder went with a run that was killed'
	caged -- true
	[ ! -e work/tree ] || fail 'a placeholder stays after the next run'

	# what masks are made by can be masked (without what lichen imitates in its place, as /dev/zero)
	printf '%s\n' 'version: 1' 'files:' '  read: [/]' '  execute: [/usr, /bin, /lib, /lib64]' "  deny: [/proc, /dev, /etc/passwd, /etc/ssl, $WORK/state]" >masks.yaml
	same '/proc and /dev' ran "$("$lichen" run --native=all --cage masks.yaml -- sh -c 'cat /etc/passwd /dev/zero /proc/version; echo ran' 2>/dev/null </dev/null)"

	# what covers a part of the machine's /proc, as in containers, covers the cage's
	covered=$(unshare --mount sh -c 'mount --bind /dev/null /proc/version && exec "$@"' sh "$lichen" run --cage policy.yaml -- cat /proc/version) ||
		fail "a /proc that is covered: $covered"
	same 'what is covered' '' "$covered"

	# what looks like a placeholder and was there before is the user's
	mkdir -p work/tree/.config
	: >work/tree/.config/settings.json
	chmod 000 work/tree/.config/settings.json
	same 'an own file' 0 "$(status_of "$lichen" run --cage policy.yaml -- true)"
	[ -e work/tree/.config/settings.json ] || fail 'an empty file of mode 0 was taken for a placeholder'
	rm -rf work/tree
	# a link that an earlier guest made leads nowhere
	mkdir work/tree
	ln -s "$WORK/outside" work/tree/.config
	caged -- true 2>/dev/null && fail 'a denied path through a link'
	[ ! -e outside/settings.json ] || fail 'made through a link'
	rm -r work/tree work/repo
else
	case ${ENVIRONMENT-} in host | tiny) fail "no masks: $("$lichen" cage env-check)" ;; esac
	policy '  deny: [./work/x]'
	same 'status without masks' 69 "$(status_of "$lichen" run --cage policy.yaml -- true)"
fi

# a temporary directory of the run's own, executable only when other places that may be written are, and gone after it
policy '  tmp: true'
caged -- sh -c 'f=$(mktemp) && echo "$TMPDIR" >work/tmp && stat -c %a "$TMPDIR" && cp /usr/bin/id "$f.mine"' >out 2>err
same "status of temporary files: $(cat err)" 0 $?
same 'its mode' 700 "$(cat out)"
[ ! -e "$(cat work/tmp)" ] || fail 'the temporary directory stays'
left=${TMPDIR:-/tmp}/lichen-scratch-$$
mkdir -p "$left/below" && echo x >"$left/below/file"
caged -- true
[ ! -e "$left" ] || fail 'what a killed lichen has left stays'
if [ "$("$lichen" cage env-check | grep -c '^\(deny\|files\) *pass')" = 2 ]; then
	caged -- sh -c 'cp /usr/bin/id "$TMPDIR/mine" && "$TMPDIR/mine"' 2>err
	same 'status of a program in it' 77 $?
	contains 'a program in it' "$(cat err)" 'denied fs.execute /'
fi
policy '  tmp: true' 'environment: {set: {TMPDIR: /nowhere}}'
same 'the TMPDIR of the policy' /nowhere "$(caged -- sh -c 'echo "$TMPDIR"')"
mkdir offline
cp /usr/bin/id offline
cd offline || exit 1
output=$("$lichen" run --cage offline -- sh -c 'echo "$TMPDIR" >tmp; cp id "$TMPDIR"/mine && "$TMPDIR"/mine -u' 2>err)
same "status of a program in that of the profile: $(cat err)" 0 $?
same 'a program in it' "$(id -u)" "$output"
[ ! -e "$(cat tmp)" ] || fail 'the temporary directory of the profile stays'
"$lichen" run --cage offline --audit="$PWD/log" -- true 2>err
same 'status where the log is' 78 $?
contains 'what to do' "$(cat err)" "start it in a directory of the work's own"
cd ..

# a log that is denied is made where there is none yet
policy '  deny: [./work/kept]'
if "$lichen" cage env-check policy.yaml >out; then
	caged --audit="$WORK/work/kept" -- sh -c 'ls work/kept; echo x >work/kept/checkpoint' 2>err
	same "status of who is denied his log: $(cat err)" 77 $?
	"$lichen" audit verify work/kept >out || fail "the log that is denied: $(cat out)"
	rm -r work/kept
fi

# nothing is executed before its start is in the log: who holds the log holds the command, and it does not outlive lichen there
policy
exec 7<state/audit
for end in goes dies; do
	flock 7
	"$lichen" run --cage policy.yaml -- sh -c 'echo x >work/started' </dev/null 2>err 7<&- &
	sleep 0.2
	[ ! -e work/started ] || fail 'it ran before its start was in the log'
	[ $end = goes ] || kill -KILL $!
	flock -u 7
	wait $!
	status=$?
	case $end in
	goes) [ -e work/started ] && [ $status = 0 ] || fail "a start that had to wait: $status, $(cat err)" ;;
	dies) [ ! -e work/started ] || fail 'it ran without lichen' ;;
	esac
	rm -f work/started
done
exec 7<&-

# limits: time, output, memory, processes
policy 'limits: {wall: 1s}'
caged -- sh -c "setsid sh -c '$stays' & sleep 1000" 2>err
same 'status of the wall clock' 124 $?
contains 'the wall clock' "$(cat err)" 'limits.wall of policy.yaml ended the command'
gone || fail 'the wall clock left something running'
policy 'limits: {wall: 1s, output: 64m}'
mkfifo unread
exec 7<>unread
timeout -s KILL 60 "$lichen" run --cage policy.yaml -- sh -c 'yes; :' >unread 2>err </dev/null
same "status of the wall clock when nobody reads what is written ($(cat err))" 124 $?
exec 7>&-
policy 'limits: {cpu_time: 1s}'
caged -- sh -c 'while :; do :; done' 2>err
same "status of who computes: $(cat err)" 124 $?
contains 'who computes' "$(cat err)" 'limits.cpu_time of policy.yaml ended the command'
contains 'the log of who computes' "$("$lichen" audit export --type=run.limit state/audit | tail -n 1)" '"limit":"cpu_time"'
policy 'limits: {cpu_time: 120s}'
same 'the status that says so, from who has not' 152 "$(status_of "$lichen" run --cage policy.yaml -- sh -c 'exit 152')"
policy 'limits: {output: 64k}'
caged -- sh -c 'cat /dev/zero' >out 2>err && fail 'more output than there may be'
same 'output' 65536 "$(stat -c %s out)"
contains 'too much output' "$(cat err)" 'limits.output'
same 'less output' "$(printf 'a\nb')" "$(caged -- sh -c 'echo a; echo b')"
policy 'limits: {memory: 64m}'
caged -- /usr/bin/python3 -I -c '
import time
held = []
while True:
    held.append(bytearray(8 << 20))
    time.sleep(0.01)' 2>err && fail 'a memory bomb'
# who lets its first thread end has no memory in /proc any more
if [ "$SLOW" = 0 ]; then
	timeout -s KILL 60 "$lichen" run --cage policy.yaml -- /usr/bin/python3 -I -c '
import ctypes, os, threading, time
def use():
    time.sleep(0.2)
    held = bytearray(256 << 20)
    time.sleep(5)
    os._exit(0)
threading.Thread(target=use).start()
ctypes.CDLL(None).pthread_exit(None)' 2>err </dev/null
	same "a memory bomb whose first thread has ended ($(cat err))" 137 $?
fi
policy 'limits: {processes: 30}'
caged -- /usr/bin/python3 -I -c '
import os, time
children = []
try:
    for _ in range(200):
        pid = os.fork()
        if pid == 0:
            time.sleep(600)
        children.append(pid)
except OSError:
    os._exit(3)  # a control group
for _ in range(600):
    children = [pid for pid in children if os.waitpid(pid, os.WNOHANG)[0] == 0]
    if len(children) < 30:
        os._exit(3)
    time.sleep(0.1)
os._exit(0)'
same 'a fork bomb' 3 $?

# at a terminal; gVisor's make no signals of characters, and a root of its own has none
if [ "$SLOW" = 0 ]; then
	policy
	/usr/bin/python3 -I "$CASES/cage_terminal.py" "$lichen" policy.yaml 2>err || fail "at a terminal: $(cat err)"
fi

# the log: every run, with its policy
"$lichen" audit verify state/audit >out || fail "verify: $(cat out)"
policy_sum=$(sha256sum policy.yaml | cut -d ' ' -f 1)
"$lichen" audit export --type=run.policy state/audit >events
contains 'digest' "$(tail -n 1 events)" "\"sha256\":\"$policy_sum\""
caged -- true jane.doe@example.com
contains 'personal data in a word of the command' "$("$lichen" audit export --type=run.start state/audit | tail -n 1)" '"command":["true","[EMAIL_ADDRESS]"]'
mkdir work/bob@example.com
caged -w "$WORK/work/bob@example.com" -- true
contains 'and in its directory' "$("$lichen" audit export --type=run.start state/audit | tail -n 1)" '/work/[EMAIL_ADDRESS]"'
contains 'layers' "$(tail -n 1 events)" '"layer":"syscalls","state":"pass"'
passed
