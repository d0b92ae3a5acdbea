#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the tree: what common programs do with files, printed without anything that differs from run to run.
set -u
umask 022
mkdir /tmp/files && cd /tmp/files || exit 1
show() { find . -printf '%p %y %m %n %s %l\n' | LC_ALL=C sort | sed 's/ d \([0-7]*\) [0-9]* [0-9]* / d \1 /'; }
try() { "$@" 2>&1; echo "= $?"; }

echo one >a; ln a b; ln -s a c; ln -s /tmp/files/a d; ln -s nowhere e; ln -s f f
cat a b c d; try cat e; try cat f
mkdir -p x/y/z; touch x/y/z/1; mv x/y x/w; show
try mkdir x; try mkdir x/; try rmdir x; try rmdir x/w/z/.; try rmdir x/w/z/..; try rm a/; try mkdir new/; try touch new2/; try ls a/; try ls c/
try mv x x/w/inside; try mv a x/; try mv c x/w; try ln x hard; try ln -s t a
chmod 600 b; chmod 4755 x/a; touch -d 2001-02-03T04:05:06Z b; stat -c '%n %a %s %h %Y' b x/a
truncate -s 10 b; od -c b | head -n 2; cp -p b p; cp -a x copy; show
mkfifo pipe; (echo through >pipe &); cat pipe; { sleep 0.1; cat pipe >got; } & echo late >pipe; wait; cat got
tar cf - x | (mkdir t && cd t && tar xpf - && show)
perl -e 'use Socket; $a = shift; socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un($a)) or die "bind: $!"; listen(S, 1);
	if (!fork) { socket(C, AF_UNIX, SOCK_STREAM, 0); connect(C, pack_sockaddr_un("/tmp/files/$a")) or die "connect: $!"; print C "hello\n"; exit }
	accept(D, S); print scalar <D>; wait' sock
perl -e 'chdir "x" or die; mkdir "gone"; chdir "gone"; rmdir "../gone" or print "rmdir: $!\n"; print -e "." ? "there\n" : "not there\n"; open F, ">file" or print "open: $!\n"'
perl -e '$d = "d" x 200; for (1 .. 30) { mkdir $d or die "mkdir: $!"; chdir $d or die "chdir: $!" } open F, ">deep" or die "open: $!"; print "deep\n"'
rm -rf ddd*; show
for n in 1 2 3 4 5 6 7 8; do mkdir "m$n"; for k in 1 2 3 4 5 6 7 8 9; do echo $k >"m$n/$k"; done; done; find . -type f -exec cat {} + | sort | uniq -c
rm -rf m?; try cd nowhere; cd x/w && pwd -P; cd ../.. && pwd -P; cd - >/dev/null && pwd
exec 7<../a; cat <&7
cat <<END | sh
echo "a script: \$0"
END
printf '#!/bin/sh -e\necho "I am $0: $*"\n' >script; chmod 755 script; ./script 1 2; PATH=/tmp/files/x/w:$PATH script 3; sh script 4
printf '#!/no/such/interpreter\n' >bad; chmod 755 bad; ./bad 2>/dev/null; echo "= $?"
echo text >plain; chmod 644 plain; ./plain 2>/dev/null; echo "= $?"
