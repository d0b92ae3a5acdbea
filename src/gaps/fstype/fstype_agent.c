/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap fstype, agent half: a root file system that is the sandbox's own (9p, virtiofs, FUSE, erofs, an initial RAM disk) is told as what programs
 * expect a root to be, a disk with ext4. cAdvisor, and with it kubelet, looks up the type of a mount in a list and ends where it finds none.
 *
 * What is told, and where:
 *
 *   /proc/PID/mountinfo   type ext4, a source below /dev, the device number that stat(2) tells, of the super block's options those that any
 *   (fstype_files.c)      file system has. Only rows of the root's file system and of shares of the sandbox's host (9p, virtiofs): FUSE and erofs
 *                         mounts of a guest's own stay. The rest of the file is the kernel's, byte for byte.
 *   /proc/PID/mounts,     made from mountinfo, so that they agree.
 *   /proc/mounts, mtab
 *   statfs, fstatfs       f_type ext4, f_fsid never 0; sizes are the kernel's. (fstype_statfs.c)
 *   stat and its kin      nothing: they are frequent, so mountinfo follows them. Only newfstatat with AT_NO_AUTOMOUNT alone is trapped, below.
 *
 * Why ext4: every version of cAdvisor reads a type that begins with "ext" by statfs alone; xfs makes Docker look for d_type, btrfs and zfs
 * choose a driver of that name, overlay is refused as what an overlay lies on. Why /dev/root: it is what Linux says of a root that it
 * mounted by number; there is no such file there, either. Mounts change at any time, so nothing is kept: each open reads the kernel's
 * file. Names and rules: mount_rows.h.
 *
 * Limits:
 *   - The file opened is a snapshot: it does not report changes by poll, and epoll refuses it (EPERM). systemd and desktop monitors do that,
 *     cAdvisor, kubelet and containerd do not; gVisor's own mountinfo refuses epoll, too. Reading it again from the start tells the old state.
 *   - /proc/PID/mountstats, /proc/filesystems and listmount(2) are the kernel's. Nothing makes /dev/root or a file system of type ext4 exist.
 *   - A size that the kernel makes up stays: gVisor's overlay claims 8 EiB. A root in RAM without a size (ramfs) has the size 0.
 *   - Who asks f_type to know whether others change files unseen is told they do not: tail -f waits for inotify, which does not
 *     see what the sandbox's host changes. find trusts the link counts of directories, which some FUSE servers make up.
 *
 * Cost (2 cores, Linux 6.18): stat, fstat: none. statfs of a told mount in gVisor of 2024 17 us against 2.7; open of another file 2.5 us on Linux,
 * 6 us in gVisor, as for every gap with virtual files.
 *   - Paths through a symbolic link elsewhere (other than /etc/mtab), and descriptors opened with O_PATH and again through /proc/self/fd, reach
 *     the kernel's files.
 *   - Regular files of an overlay have another st_dev than its mountinfo row: so it is on Linux, and it stays.
 */
#include "gaps/fstype/fstype_int.h"

/*
 * libmount (findmnt -T, mountpoint) stats with AT_NO_AUTOMOUNT, which gVisor of 2022 refuses with EINVAL. Linux acts as if it were set
 * (stat(2): since 4.14), so it can go.
 */
enum verdict fstype_newfstatat(struct call *call)
{
	call->arg[3] = 0;
	return CALL_PASS;
}

GAP_NO_EVENTS(fstype)
