/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_vm_readv and process_vm_writev: process_vm_readv(2), and mm/process_vm_access.c of Linux 6.18. The caller's own memory by the
 * accessors, another's through /proc/PID/mem, whose open asks for the same permission (PTRACE_MODE_ATTACH). That file looks through page
 * protection; so /proc/PID/maps is asked first. The data move page by page: what lies before the first bad page has been moved.
 *
 * Limits: where /proc is not there, other processes are EPERM; without a free descriptor, ENOMEM. Where the kernel has no writable
 * /proc/PID/mem (gVisor), only a process that the caller traces and that is stopped can be written (PTRACE_POKEDATA), others are EPERM.
 */
#include "base/decimal.h"
#include "gaps/newcalls/newcalls_int.h"

#define IOV_MAX_ 1024u
#define TRANSFER_MAX UINT64_C(0x7ffff000) /* MAX_RW_COUNT */
#define USER_END UINT64_C(0x7ffffffff000)
#define PTRACE_POKEDATA_ 5
#define PERM_READ 1u
#define PERM_WRITE 2u

struct vector { /* struct iovec */
	u64 base, size;
};

struct scratch {
	struct vector local[IOV_MAX_], remote[IOV_MAX_];
	u8 data[4096];
};
static_assert(sizeof(struct scratch) <= AGENT_SCRATCH, "fits");

struct transfer {
	struct scratch *s;
	u64 local_count, remote_count;
	u64 total; /* bytes of the local side */
	s32 pid;
	bool write, self;
	s32 mem, maps;        /* /proc/PID/mem and maps; -1 for self */
	u64 from, end;        /* the mapping looked up last */
	u32 perms;            /* of it */
	u64 local, local_off; /* where the local side has come to */
};

/* --- arguments ------------------------------------------------------------------------------------------------------------------ */

static int read_vectors(struct vector *to, u64 from, u64 count)
{
	if (count > IOV_MAX_)
		return -EINVAL;
	if (count && guest_read(to, from, count * sizeof(*to)) < 0)
		return -EFAULT;
	for (u64 i = 0; i < count; i++)
		if ((s64)to[i].size < 0)
			return -EINVAL;
	return 0;
}

/* As import_iovec(). */
static int read_local(struct transfer *t, u64 from, u64 count)
{
	int r = read_vectors(t->s->local, from, count);

	for (u64 i = 0; r == 0 && i < count; i++) {
		struct vector *v = &t->s->local[i];

		if (v->size > TRANSFER_MAX - t->total)
			v->size = TRANSFER_MAX - t->total;
		if (v->base + v->size < v->base || v->base + v->size > USER_END)
			return -EFAULT;
		t->total += v->size;
	}
	t->local_count = count;
	return r;
}

static bool wants_memory(const struct transfer *t)
{
	for (u64 i = 0; i < t->remote_count; i++)
		if (t->s->remote[i].size)
			return true;
	return false;
}

/* --- the other process ---------------------------------------------------------------------------------------------------------- */

#define PROC_PATH_SIZE 32u
/* "/proc/PID/NAME" */
static void proc_path(char *out, s32 pid, const char *name)
{
	memcpy(out, "/proc/", 6);
	out += 6;
	out += decimal_put(out, (u64)pid);
	*out++ = '/';
	memcpy(out, name, strlen(name) + 1);
}

/* Whether a process has no memory any more: gVisor says EACCES of its mem. */
static bool is_zombie(s32 pid, u8 *work)
{
	char path[PROC_PATH_SIZE];
	long fd, n, at;

	proc_path(path, pid, "stat");
	fd = sys3(__NR_open, path, O_CLOEXEC_, 0);
	n = fd < 0 ? fd : sys3(__NR_read, fd, work, 512);
	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	for (at = n - 1; at > 0 && work[at] != ')'; at--)
		;
	return at > 0 && at + 2 < n && (work[at + 2] == 'Z' || work[at + 2] == 'X');
}

static int open_process(struct transfer *t)
{
	char path[PROC_PATH_SIZE];

	proc_path(path, t->pid, "mem");
	t->mem = (s32)sys3(__NR_open, path, O_CLOEXEC_ | (t->write ? O_RDWR_ : 0), 0);
	if (t->mem >= 0) {
		proc_path(path, t->pid, "maps");
		t->maps = (s32)sys3(__NR_open, path, O_CLOEXEC_, 0);
		if (t->maps >= 0)
			return 0;
		(void)sys1(__NR_close, t->mem);
		t->mem = t->maps;
	}
	if (t->mem == -ESRCH || sys2(__NR_tkill, t->pid, 0) == -ESRCH)
		return -ESRCH;
	if (t->mem == -EMFILE || t->mem == -ENFILE || t->mem == -ENOMEM)
		return -ENOMEM;
	return is_zombie(t->pid, t->s->data) ? -ESRCH : -EPERM;
}

/* Reads a maps file by characters: "from-end rwxp …\n". Finds the mapping that holds `at`, or says that none does. */
static bool find_mapping(struct transfer *t, u64 at)
{
	u8 *chunk = t->s->data;
	u64 number = 0, from = 0, offset = 0;
	u32 field = 0, perms = 0; /* field: 0 from, 1 end, 2 permissions, 3 rest */
	long n;

	while ((n = sys4(__NR_pread64, t->maps, chunk, sizeof(t->s->data), offset)) > 0) {
		offset += (u64)n;
		for (long i = 0; i < n; i++) {
			u8 c = chunk[i];

			if (field == 3 && c != '\n')
				continue;
			if (c == '\n') {
				field = 0, number = 0, perms = 0;
			} else if (c == '-' && field == 0) {
				from = number, number = 0, field = 1;
			} else if (c == ' ' && field == 1) {
				field = at < from || at >= number ? 3 : 2;
			} else if (c == ' ') {
				t->from = from, t->end = number, t->perms = perms;
				return true;
			} else if (field == 2) {
				perms |= c == 'r' ? PERM_READ : c == 'w' ? PERM_WRITE : 0;
			} else {
				number = number << 4 | (c <= '9' ? c - (u64)'0' : (u64)c - 'a' + 10);
			}
		}
	}
	return false;
}

static bool allowed(struct transfer *t, u64 at)
{
	if ((at < t->from || at >= t->end) && !find_mapping(t, at))
		return false;
	return t->perms & (t->write ? PERM_WRITE : PERM_READ);
}

/* A few bytes of a stopped tracee of the caller's. */
static int poke(const struct transfer *t, u64 at, u64 size)
{
	for (u64 done = 0; done < size;) {
		u64 word, skew = (at + done) & 7, n = 8 - skew < size - done ? 8 - skew : size - done;

		if (sys4(__NR_pread64, t->mem, &word, 8, at + done - skew) != 8)
			return -EFAULT;
		memcpy((u8 *)&word + skew, t->s->data + done, n);
		if (sys4(__NR_ptrace, PTRACE_POKEDATA_, t->pid, at + done - skew, word) < 0)
			return -EPERM;
		done += n;
	}
	return 0;
}

/* Moves `size` bytes between data and the other process, inside one page of its. */
static int move_remote(struct transfer *t, u64 at, u64 size)
{
	long n;

	if (t->self)
		return t->write ? guest_write(at, t->s->data, size) : guest_read(t->s->data, at, size);
	n = sys4(t->write ? __NR_pwrite64 : __NR_pread64, t->mem, t->s->data, size, at);
	if (t->write && n == -EINVAL)
		return poke(t, at, size);
	return n == (long)size ? 0 : -EFAULT;
}

/* --- moving --------------------------------------------------------------------------------------------------------------------- */

/* The next piece of the local side: at most `size` bytes, inside one page. 0 when all is done. */
static u64 local_piece(struct transfer *t, u64 size, u64 *ret_at)
{
	while (t->local < t->local_count && t->local_off == t->s->local[t->local].size) {
		t->local++;
		t->local_off = 0;
	}
	if (t->local == t->local_count)
		return 0;
	*ret_at = t->s->local[t->local].base + t->local_off;
	if (size > t->s->local[t->local].size - t->local_off)
		size = t->s->local[t->local].size - t->local_off;
	if (size > LAYOUT_PAGE - (*ret_at & (LAYOUT_PAGE - 1)))
		size = LAYOUT_PAGE - (*ret_at & (LAYOUT_PAGE - 1));
	return size;
}

/* One element of the remote side. Adds what was moved to *moved. 0, or the errno of where it ended. */
static int move_vector(struct transfer *t, u64 at, u64 size, u64 *moved)
{
	while (size) {
		u64 page = LAYOUT_PAGE - (at & (LAYOUT_PAGE - 1)), here, n = local_piece(t, size < page ? size : page, &here);
		int r;

		if (!n)
			return 0;
		if (!t->self && !allowed(t, at))
			return -EFAULT;
		r = t->write ? guest_read(t->s->data, here, n) : move_remote(t, at, n);
		if (r == 0)
			r = t->write ? move_remote(t, at, n) : guest_write(here, t->s->data, n);
		if (r < 0)
			return r;
		t->local_off += n;
		*moved += n;
		at += n;
		size -= n;
	}
	return 0;
}

static long transfer(struct transfer *t)
{
	u64 moved = 0;
	int r = 0;

	if (!t->self)
		r = open_process(t);
	if (r < 0)
		return r;
	for (u64 i = 0; i < t->remote_count && r == 0; i++)
		r = move_vector(t, t->s->remote[i].base, t->s->remote[i].size, &moved);
	if (!t->self) {
		(void)sys1(__NR_close, t->mem);
		(void)sys1(__NR_close, t->maps);
	}
	return moved ? (long)moved : r;
}

enum verdict newcalls_process_vm(struct call *call)
{
	struct transfer t = { .s = agent_scratch(), .pid = (s32)call->arg[0], .write = call->nr == __NR_process_vm_writev };
	int r;

	if (newcall_there(NEWCALL_PROCESS_VM))
		return CALL_PASS;
	if (call->arg[5])
		return done(call, -EINVAL);
	r = read_local(&t, call->arg[1], call->arg[2]);
	if (r < 0 || !t.total)
		return done(call, r);
	r = read_vectors(t.s->remote, call->arg[3], call->arg[4]);
	t.remote_count = call->arg[4];
	if (r < 0 || !wants_memory(&t))
		return done(call, r);
	if (t.pid <= 0)
		return done(call, -ESRCH);
	t.self = t.pid == (s32)sys0(__NR_getpid);
	return done(call, transfer(&t));
}
