/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory over the life of a process (fork, execve, exit, death), and /proc/sysvipc/shm. */
#include "gaps/sysvipc/shm_int.h"

/* The coming child maps what we map. Attachments that another thread is just making are not copied. */
static void fork_prepare(int self)
{
	int child = member_prepare_child();
	if (child < 0)
		return;
	struct shm_area *shm = shm_area();
	shm_lock();
	for (u32 at = shm->own[self]; at; at = shm->attach[at - 1].next_own) {
		const struct shm_attach *mine = &shm->attach[at - 1];
		struct shm_segment *segment = &shm->segment[mine->segment];
		int copy = mine->address ? shm_attach_add(child, (int)mine->segment) : -ENOENT;
		if (copy < 0)
			continue;
		shm->attach[copy].address = mine->address;
		segment->atime = agent_now();
		segment->lpid = agent_pid();
	}
	shm_unlock();
}

void shm_event(enum agent_event event, long arg)
{
	int self = member_peek();
	(void)arg;
	if (self < 0 || !shm_area()->own[self])
		return;
	switch (event) {
	case EVENT_FORK_PREPARE:
		fork_prepare(self);
		break;
	case EVENT_EXEC:
	case EVENT_EXIT:
		shm_lock();
		shm_attach_drop_all(self, agent_pid());
		shm_unlock();
		break;
	case EVENT_FORK_PARENT: /* the engine has reaped what was prepared for a child that did not come */
	case EVENT_FORK_CHILD:
	case EVENT_EXEC_PREPARE:
	case EVENT_BECOME:
		break;
	}
}

void shm_member_reap(int member)
{
	if (!shm_area()->own[member])
		return;
	s32 pid = commons()->members[member].pid;
	shm_lock();
	shm_attach_drop_all(member, pid ? pid : agent_pid()); /* no pid: a child that was never born */
	shm_unlock();
}

static void show_segment(struct ipc_text *text, int index)
{
	struct shm_area *shm = shm_area();
	u32 users = shm_segment_users(index);
	const struct shm_segment *segment = &shm->segment[index];
	ipc_text_signed(text, ipc_ids_key(&shm->ids, index), 10);
	ipc_text_signed(text, ipc_ids_id(&shm->ids, index), 11);
	ipc_text_string(text, "  ");
	ipc_text_octal(text, segment->perm.mode, 4);
	ipc_text_unsigned(text, segment->size, 22);
	ipc_text_unsigned(text, (u32)pids_shown(segment->cpid), 6);
	ipc_text_unsigned(text, (u32)pids_shown(segment->lpid), 6);
	ipc_text_string(text, "  ");
	ipc_text_unsigned(text, users, 5);
	ipc_text_unsigned(text, segment->perm.uid, 6);
	ipc_text_unsigned(text, segment->perm.gid, 6);
	ipc_text_unsigned(text, segment->perm.cuid, 6);
	ipc_text_unsigned(text, segment->perm.cgid, 6);
	ipc_text_unsigned(text, (u64)segment->atime, 11);
	ipc_text_unsigned(text, (u64)segment->dtime, 11);
	ipc_text_unsigned(text, (u64)segment->ctime, 11);
	ipc_text_unsigned(text, shm_segment_resident(segment), 22);
	ipc_text_unsigned(text, 0, 22); /* swapped: not told apart from resident */
	ipc_text_string(text, "\n");
}

void shm_show(struct ipc_text *text)
{
	struct shm_area *shm = shm_area();
	ipc_text_string(text, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
			      "      atime      dtime      ctime                   rss                  swap\n");
	shm_lock();
	shm_sweep();
	for (u32 i = 0; i < shm->ids.high; i++) {
		if (ipc_ids_used(&shm->ids, i))
			show_segment(text, (int)i);
	}
	shm_unlock();
}
