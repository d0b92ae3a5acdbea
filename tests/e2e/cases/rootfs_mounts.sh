#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Mounting in a small Debian without privilege (gap mounts): mount, umount, findmnt, df, mountpoint, unshare, chroot, pivot_root, bwrap. Nothing of
# the machine is mounted, and nothing is left of it.
. "$(dirname -- "$0")/../lib.sh"
need tar
for file in tree.tar mounting.tar; do
	[ -e "$BUILT/$file" ] || fail "no $BUILT/$file: run tests/e2e/prepare"
done
[ -n "$RUN" ] || skip "this is about lichen's own way to mount"
tree=$WORK/tree
mkdir "$tree"
tar -C "$tree" --no-same-owner -xf "$BUILT/tree.tar" || fail "cannot unpack the tree"
tar -C "$tree" --no-same-owner --keep-directory-symlink -xf "$BUILT/mounting.tar" || fail "cannot unpack the programs"
cp "$CASES/rootfs_mounts_inside.bash" "$tree/inside.bash"
cat /proc/self/mountinfo >before 2>/dev/null

# shellcheck disable=SC2086 # a prefix of several words
${RUN% --} --emulate=mounts,identity --rootfs "$tree" -- bash /inside.bash >out 2>err || fail "inside.bash: $(tail -n 3 err)"
diff -u - out <<'X' || fail "what programs say; stderr: $(tail -n 5 err)"
tmpfs: t tmpfs rw,noexec,relatime,size=1024k
df: /mnt 1024
mountpoint: 0
noexec: 126
busy: 32
lazy: 32
bind: /dev/x[/etc]
read-only: 1 as before
file: other
move: two one
rbind: 8 then 0
overlay: a c
upper: c
private: in 0 out 1
shared: 1 1
chroot: /
chroot proc: proc
pivot_root: bin lib lib64 old proc usr
pivot_root mounts: / /usr /proc
bwrap: read-only hello 0
unknown: 32
the same as before
X
cat /proc/self/mountinfo >after 2>/dev/null
same 'mounts of the machine' '' "$(diff before after)"
# shellcheck disable=SC2086
${RUN% --} --rootfs "$tree" -- mount -t tmpfs t /mnt 2>err && [ "$(id -u)" != 0 ] && fail 'mounting without the gap'
passed
