#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Root without privilege (gap identity) in a small Debian: a tree unpacked with its owners, dpkg, useradd, su, a set-user-ID program, tar and install.
. "$(dirname -- "$0")/../lib.sh"
need tar
[ -e "$BUILT/tree.tar" ] || fail "no $BUILT/tree.tar: run tests/e2e/prepare"
[ -n "$RUN" ] || skip "this is about lichen's own way to be root"
tree=$WORK/tree
mkdir "$tree"
as_root="${RUN% --} --emulate=identity"
# shellcheck disable=SC2086 # a prefix of several words
$as_root -- tar -C "$tree" -xpf "$BUILT/tree.tar" || fail "cannot unpack the tree with its owners"
cp "$BUILT/hello.deb" "$tree/hello.deb"

# in_tree CMD...: its last line
in_tree() {
	# shellcheck disable=SC2086
	$as_root --rootfs "$tree" -- "$@" 2>&1 | tail -n 1
}

same 'who is there' 'uid=0(root) gid=0(root) groups=0(root)' "$(in_tree id)"
same "shadow's owner" '640 root:shadow' "$(in_tree stat -c '%a %U:%G' /etc/shadow)"
same 'a set-user-ID program' '4755 root' "$(in_tree stat -c '%a %U' /usr/bin/passwd)"
in_tree dpkg -i /hello.deb >/dev/null
same 'an installed program' 'Hello, world!' "$(in_tree hello)"
in_tree useradd -m alice >/dev/null
same 'a home' 'alice:alice' "$(in_tree stat -c %U:%G /home/alice)"
same 'su' alice "$(in_tree su alice -c 'id -un')"
same 'what she makes' alice "$(in_tree su alice -c 'touch ~/file && stat -c %U ~/file')"
same 'what she may not read' 'cat: /etc/shadow: Permission denied' "$(in_tree su alice -c 'cat /etc/shadow')"
same 'what passwd may for her' alice "$(in_tree su alice -c 'passwd -S | cut -d" " -f1')"
mkdir "$tree/opt/shut"
chmod 555 "$tree/opt/shut" # on the machine: nothing is kept of it
same 'what others may not write' 'no no no no 0' "$(in_tree su alice -c 'cd /opt/shut || exit; exec 2>/dev/null
[ -w . ] || printf "no "; mkdir x || printf "no "; ln -s x x || printf "no "; touch x || printf "no "; ls | wc -l')"
same 'install' '2751 alice:games' "$(in_tree sh -c 'install -o alice -g games -m 2751 /bin/true /srv/true && stat -c "%a %U:%G" /srv/true')"
same 'tar' '2751 alice:games' "$(in_tree sh -c 'cd /srv && tar cf t.tar true && rm true && tar xpf t.tar && stat -c "%a %U:%G" true')"
same 'a device' 'character special file 1:3' "$(in_tree sh -c 'mknod /srv/null c 1 3 && echo x >/srv/null && stat -c "%F %t:%T" /srv/null')"
same 'chown -R' 1 "$(in_tree sh -c 'chown -R 7:8 /srv && stat -c %u:%g /srv /srv/true | sort -u | grep -c 7:8')"
in_tree dpkg -r hello >/dev/null
[ ! -e "$tree/usr/bin/hello" ] || fail 'dpkg -r left the program'
passed
