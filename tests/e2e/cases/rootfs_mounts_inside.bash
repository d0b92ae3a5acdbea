# SPDX-License-Identifier: Apache-2.0
# What rootfs_mounts.sh runs in the tree; bash.
first=$(cat /proc/self/mounts)
mkdir -p /a /b /o/upper /o/work /o/merged /lower

mount -t tmpfs -o size=1m,noexec t /mnt
echo "tmpfs: $(findmnt -n -o SOURCE,FSTYPE,OPTIONS /mnt | tr -s ' ')"
echo "df: $(df --output=target,size /mnt | tail -n 1 | tr -s ' ')"
mountpoint -q /mnt
echo "mountpoint: $?"
cp /bin/true /mnt
/mnt/true 2>/dev/null
echo "noexec: $?"
(cd /mnt && umount /mnt 2>/dev/null; echo "busy: $?")
umount -l /mnt
mountpoint -q /mnt
echo "lazy: $?"

mount --bind /etc /srv
echo "bind: $(findmnt -n -o SOURCE /srv | sed 's,^[^[]*,/dev/x,')"
mount -o remount,bind,ro /srv
(: >/srv/new) 2>/dev/null
echo "read-only: $? $([ -e /etc/new ] || echo as before)"
umount /srv
echo one >/a/f
echo other >/b/f
mount --bind /b/f /a/f
echo "file: $(cat /a/f)"
umount /a/f
mount -t tmpfs one /a
mount -t tmpfs two /b
echo one >/a/f
echo two >/b/f
mount --move /b /a
printf 'move: %s ' "$(cat /a/f)"
umount /a
cat /a/f
umount /a

mount -t tmpfs t /a
mkdir /a/1 /a/2 /a/3
for dir in 1 2 3; do mount -t tmpfs t /a/$dir; done
mount --rbind /a /b
printf 'rbind: %s' "$(grep -c ' /[ab][/ ]' /proc/self/mounts)"
umount -R /b
umount -R /a
echo " then $(grep -c ' /[ab][/ ]' /proc/self/mounts)"

mount -t tmpfs t /o
mkdir -p /o/upper /o/work /o/merged
touch /lower/a /lower/b
mount -t overlay o -o lowerdir=/lower,upperdir=/o/upper,workdir=/o/work /o/merged
touch /o/merged/c
rm /o/merged/b
echo "overlay:$(cd /o/merged && printf ' %s' *)"
umount /o/merged
echo "upper:$(cd /o/upper && printf ' %s' [!b]*)"
umount /o

in=$(unshare -m sh -c 'mount -t tmpfs t /mnt && mountpoint -q /mnt; echo $?')
mountpoint -q /mnt
echo "private: in $in out $(($? != 0))"
mount -t tmpfs t /a
mount --make-shared /a
mkdir /a/below
unshare -m --propagation unchanged sh -c 'mount -t tmpfs t /a/below'
printf 'shared: %s ' "$(grep -c ' /a/below ' /proc/self/mounts)"
umount /a/below
umount /a
mount --make-rshared / && findmnt -n -o PROPAGATION / | grep -c shared
mount --make-rprivate /

mkdir /root2
mount --bind / /root2
mount -t proc proc /root2/proc
echo "chroot: $(chroot /root2 findmnt -n -o TARGET / | head -n 1)"
echo "chroot proc: $(chroot /root2 findmnt -n -o FSTYPE /proc | tail -n 1)"
umount -R /root2

unshare -m bash <<'X'
mount -t tmpfs t /a
cd /a && mkdir old usr proc && ln -s usr/bin usr/lib usr/lib64 .
mount --bind /usr usr
mount -t proc proc proc
pivot_root . old
exec chroot . bash -c 'umount -l /old; echo pivot_root: $(ls /); echo pivot_root mounts: $(cut -d" " -f2 /proc/self/mounts)'
X

echo "bwrap: $(bwrap --ro-bind / / --tmpfs /tmp --dev /dev --proc /proc sh -c \
	'(: >/new) 2>/dev/null || printf "read-only "; echo hello >/tmp/f; cat /tmp/f; : >/dev/null' | tr '\n' ' ')$?"
mount -t ext4 /dev/null /mnt 2>/dev/null
echo "unknown: $?"
[ "$(cat /proc/self/mounts)" = "$first" ] && echo the same as before
exit 0
