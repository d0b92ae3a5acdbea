#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# df, findmnt, mountpoint, stat -f and cAdvisor's rule agree on the root's file system, whatever the sandbox made it of, and on what the
# host shares; sizes are the kernel's.
. "$(dirname -- "$0")/../lib.sh"
need findmnt
need mountpoint

python=/usr/bin/python3
cadvisor=$CASES/fstype_cadvisor.py
is_foreign='^(9p|virtiofs|erofs|fuse.*)$'

# Asked of Python, because coreutils in gVisor of 2022 have no stat natively.
size_of() { $python -I -c 'import os, sys; s = os.statvfs(sys.argv[1]); print(s.f_frsize, s.f_blocks, s.f_files, s.f_namemax)' "$1"; }
device_of() { $python -I -c 'import os, sys; d = os.stat(sys.argv[1]).st_dev; print(f"{os.major(d)}:{os.minor(d)}")' "$1"; }
under() {
	# shellcheck disable=SC2086 # a prefix of several words
	$RUN "$@"
}

# agree MOUNT-POINT: what everybody says of it under $RUN; sets $type and $source
agree() {
	native=$(findmnt -no FSTYPE -M "$1" | tail -n 1)
	type=$(under findmnt -no FSTYPE -M "$1" | tail -n 1)
	source=$(under findmnt -nvo SOURCE -M "$1" | tail -n 1)
	if echo "$native" | grep -Eq "$is_foreign"; then
		same "type of $1, natively $native" ext4 "$type"
		same "statfs of $1" ext2/ext3 "$(under stat -f -c %T "$1")"
		case $source in /dev/*) ;; *) fail "source of $1: $source" ;; esac
	else
		same "type of $1" "$native" "$type"
	fi
	same "df -T $1" "$type" "$(under df --output=fstype "$1" | tail -n 1)"
	same "df $1" "$source" "$(under df --output=source "$1" | tail -n 1)"
	same "blocks of $1" "$(size_of "$1")" "$(under $python -I -c "$(cat <<-'EOF'
		import os, sys
		s = os.statvfs(sys.argv[1])
		print(s.f_frsize, s.f_blocks, s.f_files, s.f_namemax)
	EOF
	)" "$1")"
	same "number of $1 in mountinfo" "$(device_of "$1")" "$(under findmnt -no MAJ:MIN -M "$1" | tail -n 1 | tr -d ' ')"
	same "mountpoint -d $1" "$(device_of "$1")" "$(under mountpoint -d "$1")"
	say "$1: $native, told $type on $source"
}

agree /
under findmnt -no TARGET -T /etc | grep -qx / || fail "findmnt -T /etc" # of a file in an overlay it finds nothing: st_dev
under df --output=target /etc | grep -qx / || fail "df /etc"
if [ -n "${LICHEN_ENV_OUT-}" ] && mountpoint -q "$LICHEN_ENV_OUT"; then
	root=$source
	agree "$LICHEN_ENV_OUT"
	case $ENVIRONMENT in gvisor*) [ "$source" != "$root" ] || fail "two file systems have the source $source" ;; esac
fi

# cAdvisor, which kubelet asks for / and its own folder
under $python -I "$cadvisor" / /etc /var/lib || fail "cAdvisor finds no file system"

same "statfs of a file in /proc" proc "$(under stat -f -c %T /proc/self/status)"
same "statfs of a directory in /proc" proc "$(under stat -f -c %T /proc/sys/kernel)"

# Names with a blank: gVisor's own mounts has no escapes.
case $ENVIRONMENT in
gvisor*)
	mkdir "$WORK/a b"
	mount --bind /etc "$WORK/a b" || fail "mount --bind"
	same "mounts of a name with a blank" 6 "$(under awk -v name="$WORK/a\\\\040b" '$2 == name { print NF }' /proc/mounts)"
	same "its bind mount" "$(under findmnt -no FSTYPE /)" "$(under findmnt -no FSTYPE -M "$WORK/a b")"
	same "df of it" "$WORK/a b" "$(under df --output=target "$WORK/a b" | tail -n 1)"
	umount "$WORK/a b"
	;;
esac

# A root in RAM, as a microVM's initial one: what is no 9p, on the real kernel.
if [ "$ENVIRONMENT" = host ] && [ "$(id -u)" = 0 ]; then
	# shellcheck disable=SC2016,SC2086 # expanded inside; a prefix of several words
	told=$(unshare -m sh -c '
		mount --make-rprivate / && mkdir root && mount -t ramfs ramfs root && cd root || exit
		mkdir usr proc dev
		for name in bin lib lib64 sbin; do [ ! -L /$name ] || cp -a /$name .; done
		mkdir -p ".$1" && mount --bind "$1" ".$1" && shift
		mount --bind /usr usr && mount --bind /proc proc && mount --bind /dev dev
		chroot . "$@" sh -c "findmnt -no FSTYPE,SOURCE / && stat -f -c %T / /usr && df --output=fstype / /usr"
	' sh "${LICHEN%/*}" $RUN 2>&1 | tr -s ' \n' '  ')
	usr=$(stat -f -c %T /usr)
	same "a root in RAM" "ext4 /dev/root ext2/ext3 $usr Type ext4 $(df --output=fstype /usr | tail -n 1) " "$told"
	say "a root in RAM: told ext4 on /dev/root"
fi
passed
