/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of processes that somebody else than the kernel's parent may have to wait for (processes.h): birth, orphaning, end. */
#include "base/decimal.h"
#include "gaps/processes/processes_int.h"

#define ANCESTORS_MAX 64u
#define AT_FDCWD_ (-100)
#define O_CLOEXEC_ 02000000
#define AF_UNIX_ 1
#define SOCK_SEQPACKET_ 5
#define F_SETOWN_EX_ 15
#define F_OWNER_PID_ 1

/* --- what the kernel knows ---------------------------------------------------------------------------------------------------------- */

/* The parent of a process, *ret_state: both as /proc/PID/stat has it. 0: there is none. */
static s32 kernels_parent(s32 pid, char *ret_state)
{
	char text[512] = "/proc/";
	const char *at = NULL;
	s32 parent = 0;
	long fd, n;

	*ret_state = 0;
	n = (long)decimal_put(text + 6, (u32)pid);
	memcpy(text + 6 + n, "/stat", 6);
	fd = sys4(__NR_openat, AT_FDCWD_, text, O_CLOEXEC_, 0);
	if (fd < 0)
		return 0;
	n = sys3(__NR_read, fd, text, sizeof(text) - 1);
	(void)sys1(__NR_close, fd);
	text[n > 0 ? n : 0] = 0;
	for (const char *c = text; *c; c++)
		if (c[0] == ')' && c[1] == ' ')
			at = c + 2;
	if (!at || !at[0] || !at[1])
		return 0;
	*ret_state = *at;
	for (at += 2; *at >= '0' && *at <= '9' && parent < 100000000; at++)
		parent = parent * 10 + (*at - '0');
	return parent;
}

s32 family_parent(s32 pid)
{
	char state;

	return kernels_parent(pid, &state);
}

bool family_gone(s32 pid)
{
	char state;

	if (sys2(__NR_kill, pid, 0) == -ESRCH)
		return true;
	(void)kernels_parent(pid, &state);
	return state == 'Z' || state == 'X';
}

/* --- subreapers --------------------------------------------------------------------------------------------------------------------- */

static s32 *reaper_of(s32 pid)
{
	s32 *list = processes_area()->reaper;

	for (u32 i = 0; i < PROCESSES_REAPERS; i++)
		if (__atomic_load_n(&list[i], __ATOMIC_ACQUIRE) == pid)
			return &list[i];
	return NULL;
}

bool family_is_reaper(s32 pid)
{
	return reaper_of(pid);
}

/* Gives a place to a process; over: one that has been reaped may lose it. */
static bool take_place(s32 pid, bool over)
{
	s32 *list = processes_area()->reaper;

	for (u32 i = 0; i < PROCESSES_REAPERS; i++) {
		s32 was = __atomic_load_n(&list[i], __ATOMIC_ACQUIRE);

		if ((!was || (over && sys2(__NR_kill, was, 0) == -ESRCH)) &&
		    __atomic_compare_exchange_n(&list[i], &was, pid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

long family_set_reaper(s32 pid, bool on)
{
	s32 *at = reaper_of(pid);

	if (!on) {
		if (at)
			__atomic_store_n(at, 0, __ATOMIC_RELEASE);
		return 0;
	}
	if (!at && !take_place(pid, false) && !take_place(pid, true))
		return -ENOMEM;
	__atomic_store_n(&processes_area()->used, 1, __ATOMIC_RELEASE);
	return 0;
}

/* Who adopts what a process leaves behind: itself not counted, 0: nobody of the cell. */
static s32 reaper_above(s32 pid)
{
	char state;

	for (u32 i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		const struct process_row *row = family_find(pid);

		if (row)
			return row->reaper;
		pid = kernels_parent(pid, &state);
		if (pid > 0 && family_is_reaper(pid))
			return pid;
	}
	return 0;
}

static s32 reaper_for_children(s32 pid)
{
	return family_is_reaper(pid) ? pid : reaper_above(pid);
}

/* --- rows --------------------------------------------------------------------------------------------------------------------------- */

struct process_row *family_find(s32 pid)
{
	struct process_row *row = processes_area()->row;

	for (u32 i = 0; i < processes_high(); i++)
		if (process_known(&row[i]) && row[i].pid == pid)
			return &row[i];
	return NULL;
}

static void forget(struct process_row *row)
{
	__atomic_store_n(&row->state, PROCESS_FREE, __ATOMIC_RELEASE);
}

static struct process_row *claim(void)
{
	struct processes_area *area = processes_area();

	for (u32 i = 0; i < PROCESSES_ROWS; i++) {
		u32 none = PROCESS_FREE, high = processes_high();

		if (__atomic_load_n(&area->row[i].state, __ATOMIC_RELAXED) != PROCESS_FREE ||
		    !__atomic_compare_exchange_n(&area->row[i].state, &none, PROCESS_WRITING, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		while (high <= i &&
		       !__atomic_compare_exchange_n(&area->high, &high, i + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			;
		return &area->row[i];
	}
	return NULL;
}

/* Those whose parents have waited for them. */
static void forget_reaped(void)
{
	for (u32 i = 0; i < processes_high(); i++) {
		struct process_row *row = &processes_area()->row[i];

		if (process_known(row) && !row->adopted && sys2(__NR_kill, row->pid, 0) == -ESRCH)
			forget(row);
	}
}

/* Parent and child may both have written a row: the upper one stays. Each looks after it has written, so that one of them sees both. */
static void keep_one(s32 pid)
{
	struct process_row *row = processes_area()->row;
	bool have = false;

	for (u32 i = 0; i < processes_high(); i++) {
		u32 known = PROCESS_KNOWN;

		if (!process_known(&row[i]) || row[i].pid != pid)
			continue;
		if (have)
			(void)__atomic_compare_exchange_n(&row[i].state, &known, PROCESS_FREE, false, __ATOMIC_ACQ_REL,
							  __ATOMIC_RELAXED);
		have = true;
	}
}

/* Fills a row and shows it. */
static void write_row(struct process_row *row, s32 pid, s32 parent, s32 heir, s32 reaper, bool adopted)
{
	row->pid = pid;
	row->parent = parent;
	row->heir = heir;
	row->reaper = reaper;
	row->adopted = adopted;
	row->exited = row->signal = 0;
	row->status = 0;
	row->group = (s32)sys1(__NR_getpgid, pid);
	row->uid = (u32)sys0(__NR_getuid);
	__atomic_store_n(&row->state, PROCESS_KNOWN, __ATOMIC_SEQ_CST);
	keep_one(pid);
}

static struct process_row *row_for(s32 pid, s32 parent, bool fresh)
{
	struct process_row *row = family_find(pid);

	if (row && row->parent == parent && !fresh)
		return NULL; /* it has said so itself */
	if (!row)
		row = claim();
	if (!row) {
		forget_reaped();
		row = claim();
	}
	return row;
}

void family_born(s32 pid, s32 parent, bool fresh)
{
	s32 reaper = reaper_for_children(parent);
	struct process_row *row = reaper ? row_for(pid, parent, fresh) : NULL;

	if (row)
		write_row(row, pid, parent, reaper, reaper, false);
}

/* --- orphans ------------------------------------------------------------------------------------------------------------------------ */

/* Has the supervisor tell the heir when the process has ended: by a socket whose owner it is, so that no number is mistaken. */
static void watch(const struct process_row *row)
{
	struct broker_request request = { .kind = BROKER_WATCH_CHILD, .a = row->heir };
	struct {
		s32 type, pid;
	} owner = { F_OWNER_PID_, row->pid };
	s32 pair[2] = { -1, -1 };

	if (sys4(__NR_socketpair, AF_UNIX_, SOCK_SEQPACKET_ | O_CLOEXEC_, 0, pair) < 0)
		return;
	(void)sys3(__NR_fcntl, pair[0], F_SETOWN_EX_, &owner);
	(void)!broker_send(&request, pair[0]);
	(void)sys1(__NR_close, pair[0]);
	(void)sys1(__NR_close, pair[1]);
}

static void give_to(struct process_row *row, s32 heir)
{
	if (!heir) {
		forget(row);
		return;
	}
	row->heir = heir;
	__atomic_store_n(&row->adopted, 1, __ATOMIC_RELEASE);
	watch(row);
}

void family_born_sibling(s32 pid, s32 parent, s32 heir)
{
	struct process_row *row = family_find(pid);

	if (row && row->adopted && row->parent == parent)
		return;
	if (!row)
		row = row_for(pid, parent, true);
	if (!row)
		return;
	write_row(row, pid, parent, heir, reaper_for_children(heir), true);
	watch(row);
}

void family_settle(struct process_row *row)
{
	if (row->adopted || !family_gone(row->parent))
		return;
	if (sys2(__NR_kill, row->pid, 0) == -ESRCH)
		forget(row); /* its parent had waited for it, or nobody knows any more */
	else
		give_to(row, row->reaper);
}

void family_ends(s32 pid, s32 status)
{
	struct process_row *own = family_find(pid), *row = processes_area()->row;
	s32 above = reaper_above(pid);

	for (u32 i = 0; i < processes_high(); i++) {
		if (!process_known(&row[i]) || &row[i] == own)
			continue;
		if (row[i].parent == pid && !row[i].adopted) {
			if (sys2(__NR_kill, row[i].pid, 0) == -ESRCH)
				forget(&row[i]);
			else
				give_to(&row[i], row[i].reaper == pid ? above : row[i].reaper);
		} else if (row[i].heir == pid) {
			row[i].reaper = row[i].reaper == pid ? above : row[i].reaper;
			if (row[i].adopted)
				give_to(&row[i], row[i].reaper);
			else
				row[i].heir = row[i].reaper;
		}
	}
	(void)!family_set_reaper(pid, false);
	if (own) {
		own->status = status;
		own->group = (s32)sys0(__NR_getpgrp);
		__atomic_store_n(&own->exited, 1, __ATOMIC_RELEASE);
	}
}

static bool is_fatal(s32 sig)
{
	/* SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH */
	return sig > 0 && sig <= 64 && !((sig >= 17 && sig <= 23) || sig == 28);
}

void family_signalled(s32 pid, s32 sig)
{
	struct process_row *row = is_fatal(sig) ? family_find(pid) : NULL;

	if (!row)
		return;
	row->group = (s32)sys1(__NR_getpgid, pid);
	if (row->signal != 9)
		__atomic_store_n(&row->signal, (u32)sig, __ATOMIC_RELEASE);
}
