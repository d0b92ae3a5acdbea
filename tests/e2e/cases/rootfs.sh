#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A small Debian as root directory (lichen run --rootfs): what programs do with files is what they do in a chroot; dpkg installs a package;
# binds are seen, read-only ones refuse; and no link leads out of the tree.
. "$(dirname -- "$0")/../lib.sh"
need tar
[ -e "$BUILT/tree.tar" ] || fail "no $BUILT/tree.tar: run tests/e2e/prepare"
[ -n "$RUN" ] || skip "this is about lichen's own way to change the root"
tree=$WORK/tree

# in_tree [OPTION...] -- CMD...: under lichen
in_tree() {
	# shellcheck disable=SC2086 # a prefix of several words
	${RUN% --} $how --rootfs "$tree" "$@"
}

expect() { # expect WHAT EXPECTED CMD...: the last line of what is printed in the tree
	what=$1 expected=$2
	shift 2
	same "$what" "$expected" "$(in_tree "$@" 2>&1 | tail -n 1)"
}

# Who makes the tree: as the plan says; on a host where that is the kernel, the agent as well.
both_ways() {
	how=
	"$@"
	if in_tree --explain 2>/dev/null | tr '\n' ' ' | grep -q 'The kernel gives the command a root'; then
		say 'that was the kernel; now the agent'
		how=--emulate=overlay
		"$@"
	elif [ "${ENVIRONMENT-}" = host ] && [ "$(id -u)" = 0 ]; then
		fail 'the kernel can give a root here, and is not asked to'
	fi
}

all_of_it() {
	rm -rf "$tree" "$WORK/outside"
	mkdir "$tree" "$WORK/outside"
	tar -C "$tree" --no-same-owner -xf "$BUILT/tree.tar" || fail "cannot unpack the tree"
	cp "$CASES/rootfs_files.bash" "$tree/files.bash"
	cp "$BUILT/hello.deb" "$tree/hello.deb"
	echo untouched >"$WORK/outside/canary"

	expect 'the root' 12 -- sh -c 'cut -d. -f1 </etc/debian_version'
	expect 'a program of the tree' /usr/bin/readlink -- readlink /proc/self/exe
	expect 'the working directory' /usr/share -- sh -c 'cd /usr/share/perl5/.. && pwd -P'
	expect 'where it starts' /var/lib/dpkg -w /var/lib/dpkg -- pwd
	expect 'above the root' yes -- sh -c 'cd /../../.. && [ "$(stat -c %d:%i .)" = "$(stat -c %d:%i /)" ] && echo yes'
	expect 'an unknown program' 127 -- sh -c 'no-such-program 2>/dev/null; echo $?'
	in_tree -- no-such-program 2>/dev/null
	same 'status of an unknown program' 127 $?
	in_tree -- /etc/passwd 2>/dev/null
	same 'status of what is no program' 126 $?

	# What is done to files, compared with a chroot where that is allowed.
	in_tree -- bash /files.bash >lichen.out 2>lichen.err || fail "files.bash: $(tail -n 3 lichen.err)"
	rm -rf "$tree/tmp/files"
	if [ "${ENVIRONMENT-}" = gvisor ]; then
		say "$(wc -l <lichen.out) lines; not compared: gVisor of 2022 itself says EINVAL for 'file/'"
	elif chroot "$tree" true 2>/dev/null; then
		[ -e "$tree/dev/null" ] || mknod -m 666 "$tree/dev/null" c 1 3
		chroot "$tree" bash /files.bash >chroot.out 2>chroot.err || fail "files.bash in a chroot: $(tail -n 3 chroot.err)"
		if [ "${ENVIRONMENT-}" = gvisor24 ]; then # gVisor makes files in a directory that was removed
			sed -i '/^open: No such file or directory$/d' chroot.out lichen.out
		fi
		diff -au chroot.out lichen.out || fail 'files.bash: the transcripts differ'
		diff -au chroot.err lichen.err || fail 'files.bash: the messages differ'
		rm -rf "$tree/tmp/files"
		say "$(wc -l <chroot.out) lines as in a chroot"
	else
		say "$(wc -l <lichen.out) lines; no chroot here to compare with"
	fi

	# Links and dots lead nowhere but into the tree.
	ln -s "$WORK/outside" "$tree/tmp/absolute"
	ln -s ../../../../../../../../../../"$WORK/outside" "$tree/tmp/relative"
	ln -s /proc/1/root "$tree/tmp/magic"
	for way in tmp/absolute tmp/relative "tmp/magic$WORK/outside" "proc/self/root$WORK/outside" "../../../..$WORK/outside"; do
		expect "through $way" none -- sh -c "cat /$way/canary 2>/dev/null || echo none"
		in_tree -- sh -c "echo changed >/$way/canary; rm -f /$way/canary; mkdir /$way/new; mv /etc/issue /$way/" 2>/dev/null
	done
	same 'what lies outside' 'canary untouched' "$(cd "$WORK/outside" && echo *) $(cat "$WORK/outside/canary")"

	# Binds.
	expect 'a bind' untouched -v "$WORK/outside:/mnt/there:ro" -- cat /mnt/there/canary
	expect 'a read-only bind' 'Read-only file system' -v "$WORK/outside:/mnt/there:ro" -- sh -c 'touch /mnt/there/x 2>&1 | sed "s/.*: //"'
	expect 'a bind below a link' untouched -v "$WORK/outside:/var/run/there" -- cat /run/there/canary
	expect 'written' new -v "$WORK/outside:/mnt/there" -- sh -c 'echo new >/mnt/there/file; cat /mnt/there/file'
	same 'what was written' new "$(cat "$WORK/outside/file")"

	# A package. Only root may unpack what is root's (others need gap identity).
	if [ "$(id -u)" = 0 ]; then
		in_tree -- dpkg -i /hello.deb >dpkg.out 2>&1 || fail "dpkg -i: $(tail -n 3 dpkg.out)"
		expect 'the installed program' 'Hello, world!' -- hello
		same 'what was installed' 'Hello, world!' "$("$tree/usr/bin/hello")"
		in_tree -- dpkg -r hello >dpkg.out 2>&1 || fail "dpkg -r: $(tail -n 3 dpkg.out)"
		[ ! -e "$tree/usr/bin/hello" ] || fail 'dpkg -r left the program'
		say 'dpkg installed and removed a package'
	fi
}
both_ways all_of_it
passed
