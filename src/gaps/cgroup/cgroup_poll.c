/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll(2) and ppoll(2) of cgroup.events, memory.events and pids.events: POLLPRI and POLLERR when such a file says something else than when it was last
 * read from its start (kernfs_generic_poll()). The files are real ones of the host, whose poll knows nothing of this. So a process that opens one for
 * reading gets a further filter, by which its calls of poll come to the agent, and reads of that descriptor's number.
 *
 * A row of the commons keeps what was seen, by process and number; what the host says the descriptor stands for tells whether it still is that file.
 * Whoever has such a file without a row (inherited, or sent) is told a change once.
 *
 * Limits: ppoll with a signal mask, select and epoll do not know: the latter says EPERM, as for any file of a disk. 16 numbers in a process. Where other
 * descriptors are polled besides, those are looked at every 20 ms.
 */
#include "base/kernel_stat.h"
#include "gaps/cgroup/cgroup_int.h"

#define NUMBERS_MAX 16u
#define POLLED_MAX 1024u
#define SLICE_MS 20
#define TYPE_ 0170000u
#define REGULAR_ 0100000u

enum { IN_ = 1, PRI_ = 2, OUT_ = 4, ERR_ = 8, RDNORM_ = 0x40, WRNORM_ = 0x100 };

struct pollfd_ {
	s32 fd;
	s16 events, revents;
};

u32 cg_told(u32 file)
{
	switch (file) {
	case CG_EVENTS:
		return CGROUP_TOLD_EVENTS;
	case CG_MEMORY_EVENTS:
		return CGROUP_TOLD_MEMORY;
	case CG_MEMORY_EVENTS_LOCAL:
		return CGROUP_TOLD_MEMORY_LOCAL;
	case CG_PIDS_EVENTS:
	case CG_V1_PIDS_EVENTS:
		return CGROUP_TOLD_PIDS;
	case CG_PIDS_EVENTS_LOCAL:
		return CGROUP_TOLD_PIDS_LOCAL;
	default:
		return CGROUP_TOLDS;
	}
}

void cg_changed(u32 group, u32 file)
{
	u32 told = cg_told(file);

	if (told == CGROUP_TOLDS)
		return;
	(void)__atomic_add_fetch(&cg_group(group)->told[told], 1, __ATOMIC_ACQ_REL);
	(void)__atomic_add_fetch(&cg()->changes, 1, __ATOMIC_ACQ_REL);
	agent_wake(&cg()->changes, INT32_MAX);
}

/* Calls of poll, and reads of number `fd`, come to us. 0 or negative errno. */
static long trap_calls(u32 fd)
{
	static const u16 always[] = { __NR_poll, __NR_ppoll }, of_fd[] = { __NR_read, __NR_readv, __NR_pread64, __NR_preadv };

	return agent_add_filter(&(struct added_filter){
		.always = always, .always_count = ARRAY_SIZE(always), .of_fd = of_fd, .of_fd_count = ARRAY_SIZE(of_fd), .fd = fd });
}

/* --- rows -------------------------------------------------------------------------------------------------------------------------------------- */

static struct cgroup_watch *row_of(s32 pid, s32 fd)
{
	for (u32 i = 0; i < CGROUP_WATCHES_MAX; i++)
		if (cg()->watch[i].fd == fd && __atomic_load_n(&cg()->watch[i].pid, __ATOMIC_ACQUIRE) == pid)
			return &cg()->watch[i];
	return NULL;
}

/* Notes what a descriptor stands for, in its old row or a fresh one. */
static struct cgroup_watch *note(struct cgroup_watch *row, s32 pid, s32 fd, const struct kernel_stat *st, u32 group, u32 told)
{
	if (!row)
		row = &cg()->watch[__atomic_fetch_add(&cg()->watch_next, 1, __ATOMIC_RELAXED) % CGROUP_WATCHES_MAX];
	__atomic_store_n(&row->pid, 0, __ATOMIC_RELEASE);
	row->fd = fd;
	row->device = st->dev;
	row->inode = st->ino;
	row->group = group;
	row->generation = cg_group(group)->generation;
	row->told = told;
	row->unread = 1;
	__atomic_store_n(&row->pid, pid, __ATOMIC_RELEASE);
	return row;
}

static bool has_room(s32 pid)
{
	u32 count = 0;

	for (u32 i = 0; i < CGROUP_WATCHES_MAX; i++)
		count += cg()->watch[i].pid == pid;
	return count < NUMBERS_MAX;
}

void cgroup_watch(s32 fd, const char path[CGROUP_FILE_PATH])
{
	s32 pid = agent_caller_pid();
	struct cgroup_watch *row = row_of(pid, fd);
	struct kernel_stat st;
	u32 file;
	long group = cg_known(path, &file);

	if (group < 0 || cg_told(file) == CGROUP_TOLDS || (!row && !has_room(pid)) || sys2(__NR_fstat, fd, &st) < 0)
		return;
	if (row || trace_everything() || trap_calls((u32)fd) == 0)
		(void)note(row, pid, fd, &st, (u32)group, cg_told(file));
}

/* The row of a descriptor that stands for such a file; NULL: it does not. */
static struct cgroup_watch *find(s32 fd)
{
	s32 pid = agent_caller_pid();
	struct cgroup_watch *row = row_of(pid, fd);
	struct kernel_stat st;
	u32 file;
	long group;

	if (fd < 0 || sys2(__NR_fstat, fd, &st) < 0 || (st.mode & TYPE_) != REGULAR_)
		return NULL;
	if (row && row->device == st.dev && row->inode == st.ino)
		return row;
	group = cg_open_file(fd, &file);
	return group < 0 || cg_told(file) == CGROUP_TOLDS ? NULL : note(row, pid, fd, &st, (u32)group, cg_told(file));
}

static bool has_changed(const struct cgroup_watch *row)
{
	const struct cgroup *g = cg_group(row->group);

	return row->unread || g->generation != row->generation || g->state != CGROUP_READY ||
	       __atomic_load_n(&g->told[row->told % CGROUP_TOLDS], __ATOMIC_ACQUIRE) != row->seen;
}

/* It is being read from its start. */
static enum verdict see(s32 fd, s64 offset)
{
	struct cgroup_watch *row = row_of(agent_caller_pid(), fd);

	if (row && !offset) {
		row->seen = __atomic_load_n(&cg_group(row->group)->told[row->told % CGROUP_TOLDS], __ATOMIC_ACQUIRE);
		row->unread = 0;
	}
	return CALL_PASS;
}

enum verdict cgroup_read(struct call *call)
{
	if (!row_of(agent_caller_pid(), (s32)call->arg[0]))
		return CALL_PASS;
	return see((s32)call->arg[0], sys3(__NR_lseek, call->arg[0], 0, 1 /* SEEK_CUR */));
}

enum verdict cgroup_pread(struct call *call)
{
	return see((s32)call->arg[0], (s64)call->arg[3]);
}

/* --- polling ------------------------------------------------------------------------------------------------------------------------------------ */

struct polled {
	u64 count, others; /* of all; of those that are the host's affair */
	struct pollfd_ host[POLLED_MAX], guest[POLLED_MAX];
};

/* Takes what is asked for; ours are taken out of what the host is asked. False: there is none of ours. */
static bool take(struct polled *polled, u64 at, u64 count)
{
	if (!count || count > POLLED_MAX || guest_read(polled->guest, at, count * sizeof(struct pollfd_)) < 0)
		return false;
	memcpy(polled->host, polled->guest, count * sizeof(struct pollfd_));
	polled->count = count;
	polled->others = 0;
	for (u64 i = 0; i < count; i++) {
		if (find(polled->host[i].fd))
			polled->host[i].fd = -1;
		else
			polled->others += polled->host[i].fd >= 0;
	}
	return polled->others < count;
}

/* How many are ready now; negative errno. */
static long look(struct polled *polled)
{
	long ready = 0;

	if (polled->others) {
		struct agent_time none = { 0, 0 };
		long r = sys5(__NR_ppoll, polled->host, polled->count, &none, 0, 0);

		if (r < 0)
			return r;
	}
	for (u64 i = 0; i < polled->count; i++) {
		struct pollfd_ *guest = &polled->guest[i];

		guest->revents = 0;
		if (guest->fd >= 0 && polled->host[i].fd < 0) {
			const struct cgroup_watch *row = find(guest->fd);
			s16 told = IN_ | OUT_ | RDNORM_ | WRNORM_;

			if (row && has_changed(row))
				told |= PRI_ | ERR_;
			guest->revents = (s16)(told & (guest->events | ERR_));
		} else if (guest->fd >= 0) {
			guest->revents = polled->host[i].revents;
		}
		ready += guest->revents != 0;
	}
	return ready;
}

static s64 now_ms(void)
{
	struct agent_time now = { 0, 0 };

	(void)sys2(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &now);
	return now.sec * 1000 + now.nsec / 1000000;
}

/* timeout: milliseconds, negative: none. */
static enum verdict wait(struct call *call, struct polled *polled, s64 timeout)
{
	s64 until = timeout > 0 ? now_ms() + timeout : 0;

	for (;;) {
		u32 seen = __atomic_load_n(&cg()->changes, __ATOMIC_ACQUIRE);
		s64 left = timeout > 0 ? until - now_ms() : timeout;
		struct agent_time slice = { 0, SLICE_MS * INT64_C(1000000) };

		call->ret = look(polled);
		if (call->ret || !timeout || (timeout > 0 && left <= 0))
			break;
		if (left > 0 && (!polled->others || left < SLICE_MS))
			slice = (struct agent_time){ left / 1000, left % 1000 * 1000000 };
		if (agent_wait(call, &cg()->changes, seen, left < 0 && !polled->others ? NULL : &slice) == -EINTR) {
			call->ret = -EINTR;
			return CALL_DONE;
		}
	}
	if (call->ret >= 0 && guest_write(call->arg[0], polled->guest, polled->count * sizeof(struct pollfd_)) < 0)
		call->ret = -EFAULT;
	return CALL_DONE;
}

enum verdict cgroup_poll(struct call *call)
{
	struct polled *polled = agent_scratch();

	static_assert(sizeof(*polled) <= AGENT_SCRATCH, "polled at once");
	return take(polled, call->arg[0], call->arg[1]) ? wait(call, polled, (s32)call->arg[2]) : CALL_PASS;
}

enum verdict cgroup_ppoll(struct call *call)
{
	struct polled *polled = agent_scratch();
	struct agent_time time = { 0, 0 };
	s64 timeout = -1;

	if (call->arg[3] || (call->arg[2] && guest_read(&time, call->arg[2], sizeof(time)) < 0) || time.sec < 0 ||
	    time.sec > INT32_MAX || time.nsec < 0 || time.nsec > 999999999)
		return CALL_PASS;
	if (call->arg[2])
		timeout = time.sec * 1000 + (time.nsec + 999999) / 1000000;
	return take(polled, call->arg[0], call->arg[1]) ? wait(call, polled, timeout) : CALL_PASS;
}
