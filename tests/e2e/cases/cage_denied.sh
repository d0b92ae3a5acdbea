#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a cage denies is told, on stderr at once and in the log, with status 77; what was learnt from a run lets it run in a cage.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there is no cage without lichen"
lichen=${RUN%% *}
LICHEN_STATE=$WORK/state
export LICHEN_STATE
mkdir work outside
echo secret >outside/secret
mkdir outside/dir
cleanup() { [ ! -s running ] || kill "$(cat running)" 2>/dev/null; }

# What this machine can enforce: without Landlock files are not refused, and nothing is told of them.
weaker=
files=1
# (Debian's Python looks there for what a link of its own leads to)
cat >policy.yaml <<E2
version: 1
files:
  read: [$(echo /etc/python3.* | sed 's/ /, /g; s/\*/9/')]
  execute: [/usr, /bin, /lib, /lib64]
  write: [./work]
report:
  quiet: ["syscall swapon", "fs.write ./outside/dir"]
E2
if ! "$lichen" run --cage policy.yaml -- true 2>err; then
	case ${ENVIRONMENT-} in gvisor* | '') ;; *) fail "no cage: $(cat err)" ;; esac
	weaker=--allow-weaker=files,scopes,network,unix
	files=
	contains 'what is missing' "$(cat err)" 'which this host lacks'
fi
caged() { "$lichen" run --cage policy.yaml $weaker "$@" </dev/null 2>err; }
# told TEXT: words about a denial; a command that writes a line in pieces has it in the middle of that
told() { contains "what is told of $1" "$(grep -o 'lichen: denied.*' err)" "$1"; }
silent() { same "what is told of $1" '' "$(grep -o 'lichen: denied.*' err)"; }
call() { echo "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); $1"; }
python() { caged /usr/bin/python3 -I -c "$(call "$1")"; }
events() { "$lichen" audit export --type="$1" state/audit; }

# nothing is denied: the status is the command's, also of what fails by itself
caged sh -c 'echo x >work/a; cat work/a; exit 3' >out
same 'status of a command' 3 $?
silent 'a command that keeps to its policy'
caged cat work/nonexistent
same 'status of what is not there' 1 $?
silent 'what is not there'

# system calls and sockets
python 'print(libc.syscall(169, 0, 0, 0, 0))' >out
same 'status of a refused call' 77 $?
same 'what reboot got' -1 "$(cat out)"
told 'syscall reboot: no rule of policy.yaml allows it'
contains 'the log of a call' "$(events denial | tail -n 1)" '"what":"syscall","object":"reboot","rule":null,"call":"reboot","error":"EPERM"'
contains 'the log of its run' "$(events run.end | tail -n 1)" '"status":0,'
contains 'what is shown of it' "$("$lichen" audit show state/audit)" 'denied syscall reboot'
python 'libc.socket(17, 3, 0)'
same 'status of a refused socket' 77 $?
told 'net.socket AF_PACKET'
python 'libc.syscall(167, 0, 0)'
same 'status of what is expected' 0 $?
silent 'what is expected'
contains 'the log of what is expected' "$(events denial | tail -n 1)" '"quiet":true'
caged sh -c 'id -u; getent passwd root' >/dev/null
same 'status of who looks for nscd' 0 $?

if [ -n "$files" ]; then
	# files, by whatever name
	caged cat outside/secret
	same 'status of a refused file' 77 $?
	told "fs.read $WORK/outside/secret: no rule of policy.yaml allows it"
	# (a directory that is not there at all cannot be entered either)
	go='cd outside' up=..
	caged sh -c "$go" 2>/dev/null || go=: up=.
	caged sh -c "$go; ln -s ../outside/secret $up/work/link; cd $up; cat outside/secret ./outside/secret work/link; true >outside/new; mv work/link outside"
	same 'status of several' 77 $?
	same 'the same file under three names' 1 "$(grep -c 'denied fs.read.*secret' err)"
	told "fs.write $WORK/outside/new"
	[ "$up" = . ] || told "fs.write $WORK/outside/link"
	caged sh -c ': >outside/dir/x'
	silent 'a directory that is expected'
	caged sh -c 'cat outside/secret'
	contains 'the log of a file' "$(events denial | tail -n 1)" '"what":"fs.read"'

	# what is told is printable and, in the log, without personal data
	printf 'x' >"outside/$(printf 'red\033[31m')"
	printf 'x' >outside/jane.doe@example.org
	caged sh -c 'cat "$(printf "outside/red\\033[31m")" outside/jane.doe@example.org'
	told "outside/red\\033[31m: no rule"
	told 'outside/jane.doe@example.org: no rule'
	contains 'an address in the log' "$(events denial | tail -n 2)" '[EMAIL_ADDRESS]'

	# at once: the command waits for the line to have been read
	"$lichen" run --cage policy.yaml -- sh -c 'cat outside/secret; until [ -e work/go ]; do sleep 0.1; done' 2>live </dev/null &
	echo $! >running
	until_true 60 grep -q 'lichen: denied fs.read' live || fail "no line while it runs: $(cat live)"
	touch work/go
	wait "$(cat running)"
	same 'status of what was told while it ran' 77 $?
	: >running

	# the command's own program, by its name and in PATH, where it does not hide another that may be executed
	printf '#!/bin/sh\necho mine\n' >outside/id
	chmod 755 outside/id
	caged outside/id
	same 'status of a program that may not be executed' 77 $?
	told "fs.execute $WORK/outside/id: no rule"
	contains 'its event' "$(events denial | tail -n 1)" '"what":"fs.execute"'
	output=$(PATH=$WORK/outside:$PATH caged id -u)
	same "status of one that is hidden: $(cat err)" 0 $?
	same 'the one that was executed' "$(id -u)" "$output"
	silent 'a program that is passed over'

	# a flood: a hundred lines, and the number of the rest
	caged sh -c 'i=0; while [ $i -lt 130 ]; do true >outside/$i; i=$((i + 1)); done' 2>/dev/null
	same 'lines of a flood' 100 "$(grep -o 'lichen: denied fs' err | wc -l)"
	contains 'the rest of a flood' "$(tail -n 1 err)" 'lichen: denied 30 more'
fi

# learnt, then caged
cat >job.sh <<'E2'
#!/bin/sh
sort work/words >work/sorted && mkdir work/made && mv work/sorted work/made/ && sed -n 1p work/made/sorted
/usr/bin/python3 -I -c 'import json, tempfile; tempfile.TemporaryFile(dir="work").write(b"x"); print(json.dumps([1]))'
rm -r work/made
cp work/words "$(mktemp)"
cp /usr/bin/true work/own && work/own || exit 9
E2
[ "$SLOW" = 0 ] || sed -i /python3/d job.sh
output=$(size 'a [1]' a)
chmod 755 job.sh
printf 'b\na\n' >work/words
# a policy that could not be written is told before anything runs
for place in ./nowhere/policy.yaml .; do
	same "no place for a policy: $place" 125 "$(status_of "$lichen" run --learn "$place" -- touch begun)"
	[ ! -e begun ] || fail "it was run, and $place cannot be written"
done
"$lichen" run --learn policy.yaml -- ./job.sh >out 2>err </dev/null
same 'status of a run that is learnt from' 0 $?
same 'its output' "$output" "$(paste -sd " " out)"
contains 'what is said of it' "$(cat err)" 'the run was not confined'
contains 'the log of it' "$(events learn)" '"confined":false'
"$lichen" cage check policy.yaml >/dev/null || fail 'what was learnt is no policy'
grep -qx "    - $WORK/work" policy.yaml || fail "not learnt: $(cat policy.yaml)"
grep -qx '  tmp: true' policy.yaml || fail "no temporary files: $(cat policy.yaml)"
! grep -qxE '    - (/|/usr|/etc|/tmp|/root)' policy.yaml || fail "too much was learnt: $(cat policy.yaml)"
rm work/own
caged ./job.sh >out
same "status in the cage that was learnt ($(cat err))" 0 $?
same 'its output in the cage' "$output" "$(paste -sd " " out)"
silent 'what was learnt'
passed
