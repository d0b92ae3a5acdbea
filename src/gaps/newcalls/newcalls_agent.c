/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap newcalls, agent half: system calls and flags that a host lacks, in terms of those that it has.
 *
 * What enters: the calls of newcalls.def. A handler first asks newcall_there() (host_calls.c), which asks the host once per cell; what the host
 * has is passed on to it untouched. With --refuse all counts as lacking. Where an older call does the same, the handler writes that one's
 * number and arguments into the call and passes it on: it then blocks, restarts and is seen by other gaps as if the guest had made it.
 *
 * Deviations from Linux 6.18, only where the host lacks the call:
 *   - openat2: RESOLVE_CACHED is no reason to fail (but with O_CREAT, O_TRUNC and O_TMPFILE, as in Linux): the open may wait for a disk. With other
 *     RESOLVE_ flags: the descriptor's flags (F_GETFL) show O_NOFOLLOW; the wait for the other end of a FIFO is not ended by signals but
 *     SIGKILL; fs.protected_symlinks is not asked; a renamed directory is no reason for EAGAIN; ".." over more than 62 directories in a row is
 *     EAGAIN; one free descriptor per directory on the way is needed for a moment (RESOLVE_BENEATH, RESOLVE_IN_ROOT), else three; mounts with
 *     nosymfollow count as others. RESOLVE_NO_XDEV: without mnt_id in /proc/self/fdinfo (gVisor), a file that is itself a mount point is not
 *     noticed, nor a bind mount from the same file system.
 *   - faccessat2: AT_EACCESS with differing identities, and permissions of symbolic links, are decided by mode, groups and capabilities:
 *     access control lists, security modules and immutable files do not count.
 *   - statx, on a host that has only stat: no birth time, no attributes, no mount id; gap fstype does not see it.
 *   - close_range: not one step; CLOSE_RANGE_UNSHARE needs unshare(CLONE_FILES).
 *   - copy_file_range: at most 8 MiB a call; data is copied, never shared; another st_dev is EXDEV.
 *   - memfd_create: MFD_NOEXEC_SEAL clears the execute bits, but nothing seals them (no F_SEAL_EXEC).
 *   - getrandom: GRND_INSECURE before the host's generator is seeded is EAGAIN.
 *   - preadv2, pwritev2: RWF_NOWAIT, RWF_ATOMIC, RWF_DONTCACHE and newer flags are EOPNOTSUPP; RWF_APPEND unless the file was opened with O_APPEND,
 *     RWF_NOAPPEND if it was. A host that has the calls answers for its flags itself.
 *   - fchown and fchmod of pipes, time-outs of netlink sockets: accepted, not kept. SIOCSIFFLAGS: only where nothing is to change.
 * The heads of clone3.c, pidfd.c, pidfd_calls.c, pidfd_info.c and process_vm.c tell theirs.
 * execveat: lichen itself starts programs by it, so that every host has it; the engine makes all of a guest's. rseq: where the host has none,
 * ENOSYS is the right answer and stays: what rseq promises only a kernel can keep, and glibc, tcmalloc and others go on without.
 */
#include "agent/vfs.h"
#include "gaps/newcalls/newcalls_int.h"

GAP_NO_EVENTS(newcalls)
