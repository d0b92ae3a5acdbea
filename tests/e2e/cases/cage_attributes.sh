#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chmod, chown, utimensat and their like do in a cage what they do without one, where that may be written; elsewhere they say that it is read-only. Real programs
# that need them work.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there is no cage without lichen"
lichen=${RUN%% *}
LICHEN_STATE=$WORK/state
export LICHEN_STATE
mkdir native caged outside work
echo mine >outside/file
chmod 640 outside/file
cat >policy.yaml <<E2
version: 1
files:
  read: [$CASES, $(echo /etc/python3.* | sed 's/ /, /g; s/\*/9/')]
  execute: [/usr, /bin, /lib, /lib64]
  write: [./caged, ./work]
  tmp: true
E2
if ! "$lichen" run --cage policy.yaml -- true 2>err; then
	case ${ENVIRONMENT-} in gvisor* | '') ;; *) fail "no cage: $(cat err)" ;; esac
	contains 'what is missing' "$(cat err)" 'which this host lacks'
	passed
fi
caged() { "$lichen" run --cage policy.yaml "$@" </dev/null 2>err; }

/usr/bin/python3 -I "$CASES/cage_attributes.py" native >natively 2>&1 || fail "natively: $(cat natively)"
caged -- /usr/bin/python3 -I "$CASES/cage_attributes.py" caged >in_cage
case $? in 0 | 77) ;; *) fail "in a cage: $(cat err)" ;; esac
diff natively in_cage >difference || fail "$(cat difference)"
[ "$(wc -l <natively)" -gt 80 ] || fail "little was tried: $(cat natively)"

# outside of what may be written
for try in 'chmod 600 outside/file' 'chown "$(id -u)" outside/file' 'touch -d 2001-01-01 outside/file' 'exec 3<outside && chmod 711 /proc/self/fd/3' \
	'cd work && ln -s ../outside/file away && chmod 600 away'; do
	caged -- sh -c "$try" >/dev/null && fail "$try worked"
done
same 'the mode outside' 640 "$(stat -c %a outside/file)"
same 'the mode of the directory outside' 755 "$(stat -c %a outside)"

# what the kernel refuses anybody is no denial of the cage's
caged -- /usr/bin/python3 -I -c 'import os, sys
fd = os.open("work/own", os.O_CREAT | os.O_WRONLY)
try:
    os.fchown(fd, os.getuid() + 1, -1)
except OSError as error:
    print(error)' >/dev/null
same "status of who tried to give a file away ($(cat err))" '0 ' "$? $(cat err)"

# what is no place: the standard input, also when it is a pipe
case ${ENVIRONMENT-} in
gvisor*) ;; # there is no /dev/stdin in a root of its own
*)
	caged -- sh -c 'chmod 644 /dev/fd/3 3<work/own && chmod 640 /dev/stdin <work/own && echo | chmod 600 /dev/stdin' || fail "chmod of /dev/stdin: $(cat err)"
	same 'the mode of the standard input' 640 "$(stat -c %a work/own)"
	;;
esac

# programs that change modes and times
cd work || exit 1
printf 'int main(void)\n{\n\treturn 7;\n}\n' >seven.c
"$lichen" run --cage ../policy.yaml -- sh -c 'cp -a seven.c copy.c && cmp seven.c copy.c && touch -r seven.c copy.c && tar cf x.tar copy.c && rm copy.c &&
	tar xpf x.tar && install -m 4755 copy.c installed && mkdir -m 2755 shared' 2>../err
same "cp, touch, tar, install, mkdir: $(cat ../err)" 0 $?
same 'the mode of what was installed' 4755 "$(stat -c %a installed)"
if command -v git >/dev/null; then
	"$lichen" run --cage ../policy.yaml -- env GIT_CONFIG_NOSYSTEM=1 HOME="$WORK/work" git init -q . 2>../err
	same "git init: $(cat ../err)" 0 $?
	"$lichen" run --cage ../policy.yaml -- env GIT_CONFIG_NOSYSTEM=1 HOME="$WORK/work" sh -c 'git add -A . && git -c user.name=a -c user.email=a@b commit -qm one' 2>../err
	same "git commit: $(cat ../err)" 0 $?
fi
if command -v gcc >/dev/null; then
	"$lichen" run --cage ../policy.yaml -- gcc -o seven seven.c 2>../err
	same "gcc: $(cat ../err)" 0 $?
	./seven
	same 'what was compiled' 7 $?
fi
cd ..
passed
