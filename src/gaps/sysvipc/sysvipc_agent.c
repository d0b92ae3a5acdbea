/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap sysvipc, agent half: System V shared memory, semaphores and message queues in user space, for kernels without them.
 *
 * What enters: the system calls of sysvipc.def, the events of each process, and the reaping of dead members. Each kind of object is
 * independent: shm_*.c, sem_*.c, msg_*.c, on the common core ipc_*.c. All state is in the gap's area of the commons (sysvipc.h) and
 * lives as long as the cell.
 *
 * What must never happen: a change that leaves the area invalid if the process is killed in the middle of it. Each kind keeps a
 * small truth that changes by single stores, and derives the rest of it again when it finds that a lock owner died.
 *
 * Deviations from Linux (man pages, ipc/ of Linux 6.18):
 *   - A mapping that is removed by munmap, by mmap or mremap over it, or moved by mremap, instead of shmdt, counts as an attachment until its
 *     process asks about the segment, detaches it, attaches something over it, or ends (shm_maps.c). An attachment cut in two counts once.
 *   - mremap can grow a mapping beyond its segment. Without /proc, mprotect can make an SHM_RDONLY mapping writable.
 *   - /proc/PID/maps names attachments after the commons, not SYSVkey.
 *   - SHM_LOCK keeps its rules but pins nothing. Resident and swapped bytes are not told apart; 0 where lseek(SEEK_DATA) is refused.
 *   - SHM_HUGETLB answers as a kernel without huge pages set aside: ENOMEM. shm_rmid_forced is 0 for good.
 *   - A killed process's shm_dtime and shm_lpid are written when its death is noticed, not when it died.
 *   - Without SHM_NORESERVE a segment larger than memory and swap together is refused (the heuristic overcommit rule,
 *     whatever vm.overcommit_memory says); with it, one TiB is the end.
 *   - IPC namespaces are there where gap namespaces is filled, too: ipc_space.c. Else unshare(CLONE_NEWIPC) gives no new one. Pids and uids are those the caller sees, not translated between namespaces.
 *   - Identities: see ipc_perm.c. Files: see ipc_files.c.
 */
#include "agent/vfs.h"
#include "gaps/sysvipc/sysvipc_int.h"

static void in_space(enum agent_event event, long arg)
{
	shm_event(event, arg);
	sem_event(event, arg);
	msg_event(event, arg);
}

void sysvipc_event(enum agent_event event, long arg)
{
	ipc_each_space(in_space, event, arg);
}

static void reap_in_space(enum agent_event event, long member)
{
	(void)event;
	shm_member_reap((int)member);
	sem_member_reap((int)member);
	msg_member_reap((int)member);
}

void sysvipc_member_reap(int member)
{
	ipc_each_space(reap_in_space, EVENT_EXIT, member);
}
