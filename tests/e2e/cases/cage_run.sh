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
# policy [LINE…]: the usual files, and these lines
policy() {
	{
		printf '%s\n' 'version: 1' 'files:' '  read: [/usr, /lib, /lib64]' '  execute: [/usr/bin, /bin]' '  write: [./work]'
		printf '%s\n' "$@"
	} >policy.yaml
}
# gone PID: it has ended
gone() { [ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null || echo Z)" = Z ]; }
probe() { /usr/bin/python3 -I -c "import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall($1) < 0)"; }

# wrong policies
policy 'nonsense: 1'
caged -- true 2>err
same 'status of a wrong policy' 78 $?
contains 'a wrong policy' "$(cat err)" 'policy.yaml:6:1:'
policy "audit: {directory: ./work/log}"
caged -- true 2>err
same 'a log that the command could write' 78 $?
policy
same 'no such layer' 125 "$(status_of "$lichen" run --cage policy.yaml --allow-weaker=walls -- true)"
same 'a cage and a root' 125 "$(status_of "$lichen" run --cage policy.yaml --rootfs=/ -- true)"
same 'weaker without a cage' 125 "$(status_of "$lichen" run --allow-weaker=files -- true)"

# no Landlock: refused, by name, and nothing has been started
if ! probe '444, None, 0, 1'; then
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
refused("internet", errno.EAFNOSUPPORT, errno.ENETUNREACH)(lambda: socket.socket(socket.AF_INET).connect(("192.0.2.1", 80)))
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
refused("signal", errno.EPERM, errno.ESRCH)(lambda: os.kill(int(sys.argv[2]), 0))
refused("descriptor", errno.EBADF)(lambda: os.fstat(9))
open(where + "/work/new", "w").write("x")
if "SECRET" in os.environ:
    bad.append("the environment came in")
if os.getsid(0) == int(sys.argv[3]):
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
	SECRET=x "$lichen" run $options --cage policy.yaml --env=PYTHONDONTWRITEBYTECODE=1 -- /usr/bin/python3 -I work/inside.py "$WORK" $$ "$session" $filled \
		</dev/null 9<outside/secret >out 2>err
	same "status in the cage $options: $(cat out err)" 77 $?
	same "in the cage $options" 'all refused' "$(cat out)"
	same 'what it could write' x "$(cat work/new)"
done
same 'what it could not' secret "$(cat outside/secret)"

# execute: neither by execve nor, where mounts are its own, by the loader
if "$lichen" cage env-check | grep -q '^deny *pass'; then
	same 'a program that may not be executed' 126 "$(status_of "$lichen" run --native=all --cage policy.yaml -- work/true)"
else
	contains 'execute is not judged of what the agent loads' "$("$lichen" audit export --type=run.policy state/audit | tail -n 1)" '"state":"weaker"'
fi
same 'status' 7 "$(status_of "$lichen" run --cage policy.yaml -- sh -c 'exit 7')"
same 'signal' 143 "$(status_of "$lichen" run --cage policy.yaml -- sh -c 'kill $$')"

# what it leaves behind is killed before lichen returns
caged -- sh -c 'setsid sh -c "echo \$\$ >work/pid; exec sleep 1000" & while [ ! -s work/pid ]; do sleep 0.1; done' || fail 'leaving something behind'
gone "$(cat work/pid)" || fail 'what it left behind lives'

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
	# a link that an earlier guest made leads nowhere
	mkdir work/tree
	ln -s "$WORK/outside" work/tree/.config
	caged -- true 2>/dev/null && fail 'a denied path through a link'
	[ ! -e outside/settings.json ] || fail 'made through a link'
	rm -r work/tree work/repo
else
	policy '  deny: [./work/x]'
	same 'status without masks' 69 "$(status_of "$lichen" run --cage policy.yaml -- true)"
fi

# limits: time, output, memory, processes
policy 'limits: {wall: 1s}'
caged -- sh -c 'setsid sleep 1000 & echo $! >work/pid; sleep 1000' 2>err
same 'status of the wall clock' 124 $?
contains 'the wall clock' "$(cat err)" 'limits.wall of policy.yaml ended the command'
gone "$(cat work/pid)" || fail 'the wall clock left something running'
policy 'limits: {output: 64k}'
caged -- sh -c 'cat /dev/zero' >out 2>err && fail 'more output than there may be'
same 'output' 65536 "$(stat -c %s out)"
contains 'too much output' "$(cat err)" 'limits.output'
same 'less output' "$(printf 'a\nb')" "$(caged -- sh -c 'echo a; echo b')"
policy 'limits: {memory: 64m, processes: 30}'
caged -- /usr/bin/python3 -I -c '
import time
held = []
while True:
    held.append(bytearray(8 << 20))
    time.sleep(0.01)' 2>err && fail 'a memory bomb'
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

# the log: every run, with its policy
"$lichen" audit verify state/audit >out || fail "verify: $(cat out)"
policy_sum=$(sha256sum policy.yaml | cut -d ' ' -f 1)
"$lichen" audit export --type=run.policy state/audit >events
contains 'digest' "$(tail -n 1 events)" "\"sha256\":\"$policy_sum\""
caged -- true jane.doe@example.com
contains 'personal data in a word of the command' "$("$lichen" audit export --type=run.start state/audit | tail -n 1)" '"command":["true","[EMAIL_ADDRESS]"]'
contains 'layers' "$(tail -n 1 events)" '"layer":"syscalls","state":"pass"'
passed
