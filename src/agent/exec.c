/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve. A guest's execve becomes a real execve of the agent, so that the kernel does what only it can do: end the other threads,
 * close descriptors, wake a vfork parent, reset handlers. Before it, everything that execve would refuse is refused here, with the
 * kernel's errno in the kernel's order: after it there is no way back.
 *
 * argv and envp are the new program's own (so /proc/PID/cmdline is right); behind the last environment string travels the marker
 *   LICHEN_EXEC=agent fd.commons fd.broker fd.member.open fd.mapped.mask.flags.word.view.seccomp.filters fd.cwd.exe.length:[path:]name  (in hex)
 * which agent_start() reads and takes out of sight. name is what was executed (comm, AT_EXECFN), path what is loaded where that is
 * another file, a script's interpreter: then length is its length, else 0.
 *
 * Everything needed lies in the slot's scratch; only very long argument lists are mapped (slot_map, freed by a vfork parent).
 *
 * Deviations: a program must be readable, not only executable (it is mapped by us); set-user-ID and file capabilities have no
 * effect (no_new_privs); ETXTBSY is not noticed; 32-bit programs are ENOEXEC; binfmt_misc is not consulted; strings of argv and envp
 * are looked at after the program (where both are bad, the program's errno comes first); a program linked to where the agent lives is
 * ENOMEM; without /proc, a descriptor opened with O_PATH cannot be executed (ENOENT).
 */
#include "agent/engine.h"
#include "agent/fs.h"
#include "base/decimal.h"

#define AT_FDCWD_ (-100)
#define AT_EMPTY_PATH_ 0x1000
#define AT_SYMLINK_NOFOLLOW_ 0x100
#define AT_EACCESS_ 0x200
#define AT_EXECVE_CHECK_ 0x10000
#define O_CLOEXEC_ 02000000
#define O_NOFOLLOW_ 0400000
#define O_NONBLOCK_ 04000
#define PATH_MAX_ 4096u
#define HEAD_SIZE EXEC_HEAD_SIZE
#define SCRIPTS_MAX 5u
#define ARGS_ROOM 2048u /* pointers kept in the scratch */
#define S_IFMT_ 0170000u
#define S_IFREG_ 0100000u

struct scratch {
	u8 work[ELF_WORK_SIZE];
	u64 args[ARGS_ROOM];
	char marker[192 + HEAD_SIZE + PATH_MAX_];
	char path[PATH_MAX_];
	u8 head[HEAD_SIZE];
	char interpreters[SCRIPTS_MAX + 1][2][HEAD_SIZE]; /* per script: interpreter, argument */
};
static_assert(sizeof(struct scratch) <= SLOT_SCRATCH, "one slot holds what an execve needs");

static char *put_decimal(char *to, u32 value)
{
	return to + decimal_put(to, value);
}

/* The file behind a descriptor, readable: itself, or opened again when it was opened with O_PATH. */
static int exec_open_again(s32 dirfd)
{
	long fd = sys3(__NR_fcntl, dirfd, 1030 /* F_DUPFD_CLOEXEC */, 0), flags, again;
	char link[32] = "/proc/self/fd/";

	if (fd < 0)
		return (int)fd;
	flags = sys2(__NR_fcntl, fd, 3 /* F_GETFL */);
	if (!(flags & 010000000 /* O_PATH */) && (flags & 3) != 1)
		return (int)fd;
	again = -ETXTBSY; /* open for writing, by this very descriptor */
	if (flags & 010000000) {
		*put_decimal(link + 14, (u32)fd) = 0;
		again = sys3(__NR_open, link, O_CLOEXEC_, 0);
	}
	(void)sys1(__NR_close, fd);
	return (int)again;
}

int exec_open_host(s32 dirfd, const char *path, int flags)
{
	struct kernel_stat st;
	long r;
	int nofollow = flags & AT_SYMLINK_NOFOLLOW_;

	if (!path[0] && !(flags & AT_EMPTY_PATH_))
		path = "."; /* an interpreter without a name: to the kernel, where the process stands */
	r = sys4(__NR_newfstatat, dirfd, path, &st, (flags & AT_EMPTY_PATH_) | nofollow);
	if (r < 0)
		return (int)r;
	if (nofollow && (st.mode & S_IFMT_) == 0120000u)
		return -ELOOP;
	if ((st.mode & S_IFMT_) != S_IFREG_)
		return -EACCES;
	r = sys4(__NR_faccessat2, dirfd, path, 1 /* X_OK */, AT_EACCESS_ | (flags & AT_EMPTY_PATH_) | nofollow);
	if (r == -ENOSYS || r == -EPERM || r == -EINVAL)
		r = path[0] ? sys3(__NR_faccessat, dirfd, path, 1) : (st.mode & 0111u) ? 0 : -EACCES;
	if (r < 0)
		return (int)r;
	if (!path[0])
		return exec_open_again(dirfd);
	return (int)sys4(__NR_openat, dirfd, path, O_CLOEXEC_ | O_NONBLOCK_ | (nofollow ? O_NOFOLLOW_ : 0), 0);
}

int exec_open(s32 dirfd, const char *path, int flags)
{
	return fs_on() ? fs_exec_open(dirfd, (u64)path, flags) : exec_open_host(dirfd, path, flags);
}

static bool is_blank(u8 c)
{
	return c == ' ' || c == '\t';
}

/* The line ends at the newline; at the end of head when there is none or a NUL comes first. An argument may be cut off there. */
int exec_parse_script(const u8 *head, char out[2][HEAD_SIZE])
{
	u32 end = 2, at = 2, from;

	while (end < HEAD_SIZE && head[end] && head[end] != '\n')
		end++;
	if (end == HEAD_SIZE || head[end] != '\n') {
		while (at < HEAD_SIZE && is_blank(head[at]))
			at++;
		for (from = at; from < HEAD_SIZE && head[from] && !is_blank(head[from]); from++)
			;
		if (from == HEAD_SIZE)
			return -ENOEXEC;
		end = HEAD_SIZE - 1;
	}
	while (is_blank(head[end - 1]))
		end--;
	for (at = 2; at < end && is_blank(head[at]); at++)
		;
	if (at >= end)
		return -ENOEXEC;
	for (from = at; at < end && head[at] && !is_blank(head[at]); at++)
		;
	memcpy(out[0], head + from, at - from);
	out[0][at - from] = 0;
	while (at < end && is_blank(head[at]))
		at++;
	for (from = at; at < end && head[at]; at++)
		;
	memcpy(out[1], head + from, at - from);
	out[1][at - from] = 0;
	return 0;
}

static char *put_hex(char *to, u64 value)
{
	int shift = 60;

	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[(value >> shift) & 15];
	return to;
}

static void write_marker(char *to, const struct marker *m)
{
	u64 numbers[] = { (u64)(u32)m->reserved_fds[RESERVED_AGENT],
			  (u64)(u32)m->reserved_fds[RESERVED_COMMONS],
			  (u64)(u32)m->reserved_fds[RESERVED_BROKER],
			  (u64)(u32)m->member,
			  (u64)(u32)m->exec_fd,
			  m->mapped,
			  m->mask,
			  m->flags,
			  m->task_word,
			  m->view,
			  m->seccomp,
			  (u64)(u32)m->filters_fd,
			  m->cwd_mount,
			  m->exe_mount,
			  m->path == m->name ? 0 : strlen(m->path) };

	memcpy(to, MARKER_NAME, sizeof(MARKER_NAME) - 1);
	to += sizeof(MARKER_NAME) - 1;
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		to = put_hex(to, numbers[i]);
		*to++ = i + 1 < ARRAY_SIZE(numbers) ? '.' : ':';
	}
	if (m->path != m->name) {
		memcpy(to, m->path, strlen(m->path));
		to += strlen(m->path);
		*to++ = ':';
	}
	memcpy(to, m->name, strlen(m->name) + 1);
}

/* Number of pointers before the NULL of a guest's vector; a NULL vector is empty, as Linux has it. */
static long count_vector(u64 vector)
{
	u64 chunk[32];

	for (u64 n = 0; vector; n++) {
		u64 one;

		if (n % 32 == 0 && guest_read(chunk, vector + n * 8, sizeof(chunk)) < 0) {
			/* close to the end of a mapping: pointer by pointer */
			for (;; n++) {
				if (guest_read(&one, vector + n * 8, 8) < 0)
					return -EFAULT;
				if (!one)
					return (long)n;
			}
		}
		if (!chunk[n % 32])
			return (long)n;
		if (n > 0x7fffff)
			return -E2BIG;
	}
	return 0;
}

struct program {
	int fd;
	u32 scripts;      /* number of scripts passed through */
	const char *path; /* what will be loaded; names the file unless exec_fd is set */
	u32 task_word;    /* of the new image */
	s32 exec_fd;      /* the new image gets the open file instead of a path; -1 = path */
	s32 filters_fd;   /* -1: none */
	bool by_descriptor;
	bool cut_off; /* MARKER_CUT_OFF */
};

/* Follows scripts to an ELF program: as exec_binprm() does, at most SCRIPTS_MAX deep. fleeting: the name of what is executed is gone with
 * the execve, so that an interpreter could not open it. */
static int find_program(struct scratch *s, s32 dirfd, int flags, bool fleeting, struct program *program)
{
	int r;

	program->fd = exec_open(dirfd, program->path, flags);
	if (program->fd < 0)
		return program->fd;
	for (;; program->scripts++) {
		long size;

		if (program->scripts > SCRIPTS_MAX)
			return -ELOOP;
		memset(s->head, 0, HEAD_SIZE);
		size = sys4(__NR_pread64, program->fd, s->head, HEAD_SIZE, 0);
		if (size < 0)
			return (int)size;
		if (s->head[0] != '#' || s->head[1] != '!')
			return elf_check(program->fd, s->head, (u64)size, s->work);
		r = exec_parse_script(s->head, s->interpreters[program->scripts]);
		if (r < 0)
			return r;
		if (fleeting)
			return -ENOENT;
		(void)sys1(__NR_close, program->fd);
		program->path = s->interpreters[program->scripts][0];
		program->fd = exec_open(AT_FDCWD_, program->path, 0);
		if (program->fd < 0)
			return program->fd;
	}
}

/* argv of the program: interpreters and their arguments, innermost first, the script, then the guest's argv without argv[0]. */
static u64 build_vectors(struct scratch *s, const struct program *program, u64 *to, u64 argv, u64 argc, u64 envp, u64 envc,
			 u64 *env)
{
	u64 n = 0;

	for (u32 i = program->scripts; i > 0; i--) {
		to[n++] = (u64)s->interpreters[i - 1][0];
		if (s->interpreters[i - 1][1][0])
			to[n++] = (u64)s->interpreters[i - 1][1];
		if (i == 1)
			to[n++] = (u64)s->path;
	}
	if (program->scripts && argc) {
		argv += 8;
		argc--;
	}
	if (argc && guest_read(to + n, argv, argc * 8) < 0)
		return 0;
	n += argc;
	to[n++] = 0;
	*env = n;
	if (envc && guest_read(to + n, envp, envc * 8) < 0)
		return 0;
	n += envc;
	to[n++] = (u64)s->marker;
	to[n++] = 0;
	return n;
}

/* For execveat: the name by which the program knows itself, /dev/fd/N or /dev/fd/N/path. */
static int name_by_descriptor(struct scratch *s, s32 dirfd)
{
	u32 length = (u32)strlen(s->path), prefix;
	char name[24] = "/dev/fd/", *end = put_decimal(name + 8, (u32)dirfd);

	if (length)
		*end++ = '/';
	prefix = (u32)(end - name);
	if (length + prefix >= PATH_MAX_)
		return -ENAMETOOLONG;
	memmove(s->path + prefix, s->path, length + 1);
	memcpy(s->path, name, prefix);
	return 0;
}

/* The execve itself, with the slot marked so that a vfork parent can free what its child takes along. */
static long exec_agent(const u64 *argv, const u64 *envp, u64 map)
{
	struct private *p = private();
	u64 slot = slot_current()->trap.slot;
	long r;

	if (map) {
		p->slot_map[slot][0] = (u64)argv;
		p->slot_map[slot][1] = map;
	}
	p->slot_owner[slot] = (s32)sys0(__NR_getpid);
	__atomic_add_fetch(&p->owners, 1, __ATOMIC_ACQ_REL);
	signal_before_exec();
	if (p->traceme && p->traceme == p->slot_owner[slot]) {
		(void)sys4(__NR_ptrace, 0 /* PTRACE_TRACEME */, 0, 0, 0); /* engine_traceme() */
		p->traceme = 0;
	}
	r = sys5(__NR_execveat, p->reserved_fds[RESERVED_AGENT], "", argv, envp, AT_EMPTY_PATH_);
	signal_after_failed_exec();
	__atomic_sub_fetch(&p->owners, 1, __ATOMIC_ACQ_REL);
	p->slot_owner[slot] = 0;
	if (map)
		p->slot_map[slot][1] = 0;
	return r;
}

static long replace_image(struct scratch *s, const struct program *program, u64 argv, u64 envp, u64 mask)
{
	struct private *p = private();
	u64 *vectors = s->args, need, env = 0, map = 0;
	long argc = count_vector(argv), envc = count_vector(envp), r;
	struct marker marker = {
		/* a vfork child shares our memory, not our member slot */
		.member = sys0(__NR_getpid) == p->pid ? member_peek() : -1,
		.exec_fd = program->exec_fd,
		.mapped = commons()->mapped,
		.mask = mask,
		.task_word = program->task_word,
		.view = task_word(TASK_VIEW),
		.seccomp = task_word(TASK_SECCOMP) & ~(u32)SECCOMP_NEWEST,
		.filters_fd = program->filters_fd,
		.flags = (program->by_descriptor ? MARKER_DESCRIPTOR : 0u) | (program->cut_off ? MARKER_CUT_OFF : 0u),
		.cwd_mount = private()->hints.cwd,
		.exe_mount = fs_on() ? fs_hint(program->fd) : 0,
		.path = program->path,
		.name = s->path
	};

	if (argc < 0 || envc < 0)
		return argc < 0 ? argc : envc;
	memcpy(marker.reserved_fds, p->reserved_fds, sizeof(marker.reserved_fds));
	write_marker(s->marker, &marker);
	need = (u64)(argc + envc) + 2 * SCRIPTS_MAX + 8;
	if (need > ARGS_ROOM) {
		map = ALIGN_UP(need * 8, LAYOUT_PAGE);
		r = sys6(__NR_mmap, 0, map, 3, 0x22, (u64)-1, 0);
		if (r < 0)
			return r;
		vectors = (u64 *)r;
	}
	r = -EFAULT;
	if (build_vectors(s, program, vectors, argv, (u64)argc, envp, (u64)envc, &env)) {
		member_exec(marker.member, MEMBER_EXEC);
		r = exec_agent(vectors, vectors + env, map);
		member_exec(marker.member, MEMBER_LIVE);
	}
	if (map)
		(void)sys2(__NR_munmap, vectors, map);
	return r;
}

long exec_program(s32 dirfd, u64 path, u64 argv, u64 envp, int flags, u64 mask)
{
	struct scratch *s = (struct scratch *)slot_current()->scratch;
	struct program program = { .fd = -1, .exec_fd = -1, .filters_fd = -1 };
	bool named, fleeting, kept;
	long r;

	r = guest_read_string(s->path, path, PATH_MAX_);
	if (r < 0)
		return r;
	if (r == 0 && !(flags & AT_EMPTY_PATH_))
		return -ENOENT;
	if (flags & ~(AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_))
		return -EINVAL;
	program.path = s->path;
	if (!fs_on() && exe_link_target(s->path, (char *)s->args, (char *)s->args + PATH_MAX_, sizeof(s->args) - PATH_MAX_) > 0)
		program.path = (const char *)s->args; /* the kernel's link names the agent */
	kept = exe_kept(s->path) >= 0;
	if (kept) {
		agent_fd_link((char *)s->args, (u32)exe_kept(s->path));
		program.path = (const char *)s->args;
	}
	named = s->path[0] == '/' || dirfd == AT_FDCWD_;
	fleeting = !named && sys2(__NR_fcntl, dirfd, 1 /* F_GETFD */) == 1;
	r = find_program(s, dirfd, flags, fleeting, &program);
	program.by_descriptor = (!named || kept) && program.scripts == 0;
	if (r == 0 && !named)
		r = name_by_descriptor(s, dirfd);
	if (r == 0 && (fs_on() || program.by_descriptor)) {
		/* the new image cannot open it by name: hand it over open */
		program.exec_fd = (s32)sys3(__NR_fcntl, program.fd, 0 /* F_DUPFD */, 0);
		r = program.exec_fd < 0 ? program.exec_fd : 0;
	}
	if (r == 0) {
		struct exec_prepare prepare = { .program = program.fd, .word = agent_task_word(), .cut_off = private()->cut_off };

		events(EVENT_EXEC_PREPARE, (long)&prepare);
		program.task_word = prepare.word;
		program.cut_off = prepare.cut_off;
		r = prepare.error;
	}
	if (r == 0)
		r = filter_hand_over(&program.filters_fd);
	if (r == 0)
		r = replace_image(s, &program, argv, envp, mask);
	if (program.fd >= 0)
		(void)sys1(__NR_close, program.fd);
	if (program.exec_fd >= 0)
		(void)sys1(__NR_close, program.exec_fd);
	if (program.filters_fd >= 0)
		(void)sys1(__NR_close, program.filters_fd);
	return r;
}

int exec_in_place(const char *path)
{
	struct scratch *s = (struct scratch *)slot_current()->scratch;
	struct program program = { .fd = -1, .exec_fd = -1, .filters_fd = -1, .path = path };
	int r;

	if (commons()->emulated || fs_on() || strncmp(path, "/proc/", 6) == 0)
		return -EAGAIN;
	r = find_program(s, AT_FDCWD_, 0, false, &program);
	if (r == 0 && program.scripts == 0)
		return program.fd;
	if (program.fd >= 0)
		(void)sys1(__NR_close, program.fd);
	return -EAGAIN;
}

static long exec_call(struct call *call, s32 dirfd, u64 path, u64 argv, u64 envp, int flags)
{
	u64 mask = call->trap->context->sigmask | (signal_shadow() ? SIGSYS_BIT : 0);

	return exec_program(dirfd, path, argv, envp, flags, mask);
}

enum verdict engine_execve(struct call *call)
{
	call->ret = exec_call(call, AT_FDCWD_, call->arg[0], call->arg[1], call->arg[2], 0);
	return CALL_DONE;
}

enum verdict engine_execveat(struct call *call)
{
	if (call->arg[4] & AT_EXECVE_CHECK_)
		return CALL_PASS; /* a question about the file, or EINVAL before Linux 6.14 */
	call->ret = exec_call(call, (s32)call->arg[0], call->arg[1], call->arg[2], call->arg[3], (int)call->arg[4]);
	return CALL_DONE;
}
