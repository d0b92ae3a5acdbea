/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recording for `lichen why`: with commons->trace set, the filter traps every call (host/filter.c says which not), and what counts
 * becomes a record in the ring (abi/trace.h). The guest must not notice:
 *
 *   answered by a gap or the engine → the result is known here
 *   passed on                       → the guest makes the call in agent_pass_traced, in its own context, so that it blocks, is interrupted
 *                                     and restarted as ever. When the result may be an error, agent_report traps once more with it
 *                                     (trap.c: report()); a success costs nothing further
 *   fork, execve, exit              → noted where they are known: the parent, the new image, the dying process
 *
 * Of a caged guest (commons->trace_mode) only calls that a policy can refuse trap, and only refusals count, or what has been used.
 * What counts else: each error but those that only say 'not now' (is_waiting()); children's ends; opening for writing; text on standard output and
 * error, in log files and to the system's log, so that a program's own words stand beside the refusal that they are about.
 *
 * Not seen: calls of 32-bit mode (int 0x80), which no agent serves; calls that the filter lets go because they cannot be refused or have no stack
 * to come back to. A set-user-ID program gains nothing (no_new_privs).
 */
#include "abi/filter_test.h"
#include "agent/engine.h"

#define PR_GET_NAME_ 16
#define CLOCK_MONOTONIC_ 1
#define SOL_SOCKET_ 1
#define SO_ERROR_ 4
#define ERRNO_MAX 4095
#define CLD_EXITED_ 1
#define CLD_DUMPED_ 3
#define CLONE_VM_ UINT64_C(0x100)
#define CLONE_VFORK_ UINT64_C(0x4000)
#define TEXT_MOST 288u /* bytes of one text; the rest of the payload is for the descriptor's path */
#define TEXT_LOOK 64u  /* bytes that decide whether it is text */
#define LOG_LINE 2048u /* longer writes to files are data */
#define IOV_LOOK 16u

static u64 now(void)
{
	struct agent_time t = { 0 };
	long (*vdso)(long, struct agent_time *) = (long (*)(long, struct agent_time *)) private()->vdso_clock;

	if (!vdso || vdso(CLOCK_MONOTONIC_, &t) != 0)
		(void)sys2(__NR_clock_gettime, CLOCK_MONOTONIC_, &t);
	return (u64)t.sec * 1000000000u + (u64)t.nsec;
}

/* Fills in all but args, result and the payload, which is empty then. */
static void begin(struct trace_record *record, enum trace_kind kind, long nr)
{
	record->kind = (u16)kind;
	record->size = 0;
	record->pid = (s32)sys0(__NR_getpid);
	record->tid = (s32)sys0(__NR_gettid);
	record->nr = (s32)nr;
	record->time = now();
	memset(record->comm, 0, sizeof(record->comm));
	(void)sys2(__NR_prctl, PR_GET_NAME_, record->comm);
}

/* --- text ------------------------------------------------------------------------------------------------------------------------ */

static bool is_text(const u8 *bytes, u64 size)
{
	if (size > TEXT_LOOK)
		size = TEXT_LOOK;
	for (u64 i = 0; i < size; i++)
		if (bytes[i] < ' ' && (bytes[i] < '\b' || bytes[i] > '\r') && bytes[i] != 033)
			return false;
	return size > 0;
}

/* What the parts of an iovec begin with, at most TEXT_MOST bytes. Their number; *ret_all: bytes in all. */
static u64 gather(u8 *to, u64 vector, u64 count, u64 *ret_all)
{
	u64 have = 0, all = 0;

	for (u64 i = 0; i < count && i < IOV_LOOK; i++) {
		u64 part[2], n;

		if (guest_read(part, vector + i * sizeof(part), sizeof(part)) < 0)
			break;
		n = part[1] < TEXT_MOST - have ? part[1] : TEXT_MOST - have;
		if (guest_read(to + have, part[0], n) < 0)
			break;
		have += n;
		all += part[1];
	}
	*ret_all = all;
	return have;
}

static u64 plain(u8 *to, u64 from, u64 size, u64 *ret_all)
{
	u64 n = size < TEXT_MOST ? size : TEXT_MOST;

	*ret_all = size;
	return guest_read(to, from, n) == 0 ? n : 0;
}

/* Whether the open file is one that programs write words for people to: a file, a terminal. */
static bool is_log(const struct trace_record *record)
{
	struct trace_string head;
	const char *path;

	if (record->size < sizeof(head) + 2)
		return false;
	memcpy(&head, record->payload, sizeof(head));
	path = (const char *)record->payload + sizeof(head);
	return path[0] == '/' && strncmp(path, "/memfd:", 7) && strncmp(path, "/dev/shm/", 9) && strncmp(path, "/proc/", 6);
}

static void note_text(const struct call *call, const u8 *text, u64 size, u64 all, bool message)
{
	struct trace_record record;
	s32 fd = (s32)call->arg[0];
	bool standard = fd == 1 || fd == 2;

	if (!is_text(text, size) || (!standard && !message && all > LOG_LINE))
		return;
	if (!standard && !message) { /* who says what a descriptor is costs a call: only once all else fits */
		record.size = 0;
		trace_put_fd(&record, 0, fd);
		if (!is_log(&record))
			return;
	}
	begin(&record, TRACE_TEXT, call->nr);
	memset(record.args, 0, sizeof(record.args));
	record.args[0] = call->arg[0];
	record.args[1] = all;
	record.result = 0;
	trace_put(&record, 1, all > size ? TRACE_STRING_CUT : 0, text, size);
	trace_put_fd(&record, 0, fd);
	trace_push(&record);
}

/* As syslog(3) begins them: "<30>". */
static bool is_message(const u8 *text, u64 size)
{
	return size > 3 && text[0] == '<' && text[1] >= '0' && text[1] <= '9';
}

static void look_at_text(const struct call *call)
{
	u8 text[TEXT_MOST];
	u64 size = 0, all = 0, message[4];

	switch (call->nr) {
	case __NR_write:
	case __NR_pwrite64:
		size = plain(text, call->arg[1], call->arg[2], &all);
		break;
	case __NR_writev:
	case __NR_pwritev:
	case __NR_pwritev2:
		size = gather(text, call->arg[1], call->arg[2], &all);
		break;
	case __NR_sendto:
		size = plain(text, call->arg[1], call->arg[2], &all);
		break;
	case __NR_sendmsg: /* struct msghdr: name, namelen, iov, iovlen */
		if (guest_read(message, call->arg[1], sizeof(message)) == 0)
			size = gather(text, message[2], message[3], &all);
		break;
	default:
		return;
	}
	if (call->nr != __NR_sendto && call->nr != __NR_sendmsg)
		note_text(call, text, size, all, false);
	else if (is_message(text, size))
		note_text(call, text, size, all, true);
}

/* --- what a cage refuses, and what it would have to allow --------------------------------------------------------------------------- */

static const struct {
	s32 nr;
	char kinds[6];
} refusable[] = {
#define TRACE_REFUSABLE(name, test, kinds) { __NR_##name, kinds },
#include "agent/trace_refusable.def"
#undef TRACE_REFUSABLE
};

/* The errors that what a cage is made of refuses with: Landlock EACCES, EPERM, EXDEV; seccomp EPERM, EACCES, EAFNOSUPPORT (not ENOSYS: programs
 * do without what a kernel lacks); a read-only mount EROFS, a mount point EBUSY; a network namespace ENETUNREACH; a root without the file ENOENT. */
static bool is_refusal(long result)
{
	switch (-result) {
	case EACCES:
	case EPERM:
	case EXDEV:
	case EAFNOSUPPORT:
	case EBUSY:
	case EROFS:
	case ENETUNREACH:
		return true;
	case ENOENT:
	case ENXIO: /* what masks a file there */
		return commons()->trace_mode & TRACE_HIDDEN;
	default:
		return false;
	}
}

/* Whether a cage would have to allow what the call does when it works. */
static bool is_use(long nr)
{
	for (u32 i = 0; i < ARRAY_SIZE(refusable); i++)
		if (refusable[i].nr == nr) {
			char kind = refusable[i].kinds[0];

			for (u32 arg = 1; kind == '-'; arg++)
				kind = refusable[i].kinds[arg];
			if (kind == 'N')
				break;
			return kind == 'O' || kind == 'W' || kind == 'M' || kind == 'C' || kind == 'B' || kind == 'S';
		}
	return TRACE_NUMBERS_HAS(commons()->trace_numbers, nr);
}

/* As judge(), of a cage's guest. */
static enum trace_kind judge_caged(const struct trace_record *record, long nr)
{
	u32 mode = commons()->trace_mode;

	if (record->result == -EINPROGRESS) /* connect(2) of a socket that does not wait */
		return (mode & TRACE_USES) ? TRACE_USED : 0;
	if (record->result < 0 && record->result >= -ERRNO_MAX)
		return (mode & TRACE_REFUSALS) && is_refusal(record->result) ? TRACE_CALL : 0;
	return (mode & TRACE_USES) && is_use(nr) ? TRACE_USED : 0;
}

/* --- calls ------------------------------------------------------------------------------------------------------------------------- */

void trace_before(struct call *call)
{
	struct trace_record record;

	if (!trace_everything())
		return;
	if (call->nr != __NR_exit_group) {
		look_at_text(call);
		return;
	}
	begin(&record, TRACE_EXIT, call->nr);
	memcpy(record.args, call->arg, sizeof(record.args));
	record.result = 0;
	trace_push(&record);
}

/* The flags with which a path is opened, if the call does that. */
static u32 open_flags(long nr, const u64 args[6])
{
	u64 how = 0;

	switch (nr) {
	case __NR_open:
		return (u32)args[1];
	case __NR_openat:
		return (u32)args[2];
	case __NR_creat:
		return 1;
	case __NR_openat2: /* struct open_how begins with them */
		return guest_read(&how, args[2], sizeof(how)) == 0 ? (u32)how : 0;
	default:
		return 0;
	}
}

static bool asks_socket_error(long nr, const u64 args[6])
{
	return nr == __NR_getsockopt && (u32)args[1] == SOL_SOCKET_ && (u32)args[2] == SO_ERROR_;
}

bool trace_wants_result(const struct call *call)
{
	if (!trace_everything())
		return (commons()->trace_mode & TRACE_USES) && is_use(call->nr);
	return call->nr == __NR_wait4 || call->nr == __NR_waitid || asks_socket_error(call->nr, call->arg) ||
	       (open_flags(call->nr, call->arg) & 3);
}

/* Errors that say nothing but 'not now'. */
static bool is_waiting(long nr, long error)
{
	if (error == -EINTR)
		return true;
	if (nr == __NR_futex || nr == __NR_rt_sigtimedwait)
		return error == -EAGAIN || error == -ETIMEDOUT;
	if (error != -EAGAIN)
		return false;
	switch (nr) {
	case __NR_read:
	case __NR_write:
	case __NR_readv:
	case __NR_writev:
	case __NR_pread64:
	case __NR_preadv2:
	case __NR_recvfrom:
	case __NR_recvmsg:
	case __NR_recvmmsg:
	case __NR_sendto:
	case __NR_sendmsg:
	case __NR_sendmmsg:
	case __NR_accept:
	case __NR_accept4:
	case __NR_sendfile:
	case __NR_splice:
		return true;
	default:
		return false;
	}
}

/* What wait4(pid, status, …) or waitid(type, id, info, …) told: *ret_child, *ret_status as wait4 gives it (-1: it was not asked for).
 * False when it told of no child's end. */
static bool waited(long nr, const u64 args[6], long result, s64 *ret_child, u64 *ret_status)
{
	s32 info[7] = { 0 }, status; /* siginfo: signo, errno, code, -, pid, uid, status */

	*ret_child = result;
	*ret_status = (u64)-1;
	if (nr == __NR_wait4) {
		if (result > 0 && args[1] && guest_read(&status, args[1], sizeof(status)) == 0)
			*ret_status = (u32)status;
		return result > 0 && (*ret_status & 0xff) != 0x7f && *ret_status != 0xffff;
	}
	if (result < 0 || !args[2] || guest_read(info, args[2], sizeof(info)) < 0 || info[4] <= 0)
		return false;
	*ret_child = info[4];
	*ret_status =
		info[2] == CLD_EXITED_ ? (u64)(info[6] & 0xff) << 8 : (u64)(info[6] & 0x7f) | (info[2] == CLD_DUMPED_ ? 0x80u : 0);
	return info[2] >= CLD_EXITED_ && info[2] <= CLD_DUMPED_;
}

/* What a result means for the record, whose args and result it completes. 0: nothing. */
static enum trace_kind judge(struct trace_record *record, long nr)
{
	s32 error = 0;

	if (record->result < 0 && record->result >= -ERRNO_MAX)
		return is_waiting(nr, record->result) ? 0 : TRACE_CALL;
	switch (nr) {
	case __NR_wait4:
	case __NR_waitid:
		return waited(nr, record->args, record->result, &record->result, &record->args[0]) ? TRACE_CHILD : 0;
	case __NR_getsockopt: /* how a connect that was not waited for went */
		if (!asks_socket_error(nr, record->args) || guest_read(&error, record->args[3], sizeof(error)) < 0)
			return 0;
		record->result = -error;
		return error ? TRACE_CALL : 0;
	case __NR_clone3:
		(void)!guest_read(&record->args[0], record->args[0], sizeof(record->args[0]));
		return record->result > 0 ? TRACE_FORK : 0;
	case __NR_fork:
	case __NR_vfork:
		record->args[0] = nr == __NR_vfork ? CLONE_VFORK_ | CLONE_VM_ : 0;
		return record->result > 0 ? TRACE_FORK : 0;
	case __NR_clone:
		return record->result > 0 ? TRACE_FORK : 0;
	default:
		return (open_flags(nr, record->args) & 3) ? TRACE_OPEN : 0;
	}
}

void trace_result(long nr, const u64 args[6], long result)
{
	struct trace_record record;
	enum trace_kind kind;

	memcpy(record.args, args, sizeof(record.args));
	record.result = result;
	kind = trace_everything() ? judge(&record, nr) : judge_caged(&record, nr);
	if (!kind)
		return;
	begin(&record, kind, nr);
	if (nr == __NR_openat2 && !trace_everything())
		record.args[2] = open_flags(nr, args);
	if (kind == TRACE_CALL || kind == TRACE_OPEN || kind == TRACE_USED)
		trace_decode(&record);
	trace_push(&record);
}

/* Before the new program's first instruction: its strings are the kernel's, on a stack that nobody else knows. */
void trace_exec(const char *path, char *const *argv)
{
	struct trace_record record = { .args = { (u64)sys0(__NR_getppid) } };

	if (!trace_everything() && !(commons()->trace_mode & TRACE_USES))
		return;
	begin(&record, TRACE_EXEC, __NR_execve);
	trace_put(&record, 0, 0, path, strlen(path) < TEXT_MOST ? strlen(path) : TEXT_MOST);
	if (!trace_everything() && *path != '/')
		trace_put_cwd(&record);
	for (; *argv; argv++)
		trace_put(&record, 1, 0, *argv, strlen(*argv));
	trace_push(&record);
}
