/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve. A guest's execve becomes a real execve of the agent, so that the kernel does what only it can do: end the other threads,
 * close descriptors, wake a vfork parent, reset handlers. Before it, everything that execve would refuse is refused here, with the
 * kernel's errno in the kernel's order: after it there is no way back.
 *
 * argv and envp are the new program's own (so /proc/PID/cmdline is right); behind the last environment string travels the marker
 *   LICHEN_EXEC=agent fd.commons fd.member.open fd.mapped.mask.flags:path        (numbers in hex)
 * which agent_start() reads and takes out of sight.
 *
 * Everything needed lies in the slot's scratch; only very long argument lists are mapped (slot_map, freed by a vfork parent).
 *
 * Deviations: a program must be readable, not only executable (it is mapped by us); set-user-ID and file capabilities have no
 * effect (no_new_privs); ETXTBSY is not noticed; 32-bit programs are ENOEXEC; binfmt_misc is not consulted.
 */
#include "agent/engine.h"

#define AT_FDCWD_ (-100)
#define AT_EMPTY_PATH_ 0x1000
#define AT_SYMLINK_NOFOLLOW_ 0x100
#define AT_EACCESS_ 0x200
#define O_CLOEXEC_ 02000000
#define O_NOFOLLOW_ 0400000
#define O_NONBLOCK_ 04000
#define PATH_MAX_ 4096u
#define HEAD_SIZE 256u /* BINPRM_BUF_SIZE */
#define SCRIPTS_MAX 5u
#define ARGS_ROOM 2048u /* pointers kept in the scratch */
#define S_IFMT_ 0170000u
#define S_IFREG_ 0100000u

struct scratch {
	char marker[128 + PATH_MAX_];
	char path[PATH_MAX_];
	u8 work[PATH_MAX_];
	u8 head[HEAD_SIZE + 1];
	char interpreters[SCRIPTS_MAX + 1][2][HEAD_SIZE]; /* per script: interpreter, argument */
	u64 args[ARGS_ROOM];
};
static_assert(sizeof(struct scratch) <= SLOT_SCRATCH, "one slot holds what an execve needs");

/* struct stat of x86-64, as newfstatat fills it. */
struct kstat {
	u64 dev, ino, nlink;
	u32 mode, uid, gid, pad;
	u64 rest[14];
};

/* Opens what is to be executed as do_open_execat() would: a regular file that the caller may execute. Returns a close-on-exec
 * descriptor or negative errno. */
static int open_executable(s32 dirfd, const char *path, int flags)
{
	struct kstat st;
	long r, fd;
	int nofollow = flags & AT_SYMLINK_NOFOLLOW_;

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
	if (!path[0]) {
		fd = sys3(__NR_fcntl, dirfd, 1030 /* F_DUPFD_CLOEXEC */, 0);
		if (fd >= 0 && (sys2(__NR_fcntl, fd, 3 /* F_GETFL */) & 010000000 /* O_PATH */)) {
			char link[32] = "/proc/self/fd/";
			u32 at = 14;
			u32 n = (u32)fd, digits = n > 999 ? 4 : n > 99 ? 3 : n > 9 ? 2 : 1;
			long real;

			for (u32 i = digits; i > 0; i--, n /= 10)
				link[at + i - 1] = (char)('0' + n % 10);
			real = sys3(__NR_open, link, O_CLOEXEC_, 0);
			(void)sys1(__NR_close, fd);
			fd = real;
		}
		return (int)fd;
	}
	fd = sys4(__NR_openat, dirfd, path, O_CLOEXEC_ | O_NONBLOCK_ | (nofollow ? O_NOFOLLOW_ : 0), 0);
	return (int)fd;
}

/* Splits '#!interp arg' in place into out[0], out[1] (empty = none). -ENOEXEC when there is no interpreter in it. */
static int parse_script(u8 *head, u64 size, char out[2][HEAD_SIZE])
{
	u64 at = 2, end, from;
	bool whole = false;

	for (end = 2; end < size && head[end] != '\n'; end++)
		;
	whole = end < size || size < HEAD_SIZE;
	while (end > 2 && (head[end - 1] == ' ' || head[end - 1] == '\t'))
		end--;
	while (at < end && (head[at] == ' ' || head[at] == '\t'))
		at++;
	if (at == end || head[at] == 0)
		return -ENOEXEC;
	for (from = at; at < end && head[at] != ' ' && head[at] != '\t' && head[at]; at++)
		;
	if (!whole && at == end)
		return -ENOEXEC; /* the interpreter's name may be cut off */
	memcpy(out[0], head + from, at - from);
	out[0][at - from] = 0;
	while (at < end && (head[at] == ' ' || head[at] == '\t'))
		at++;
	from = at;
	while (at < end && head[at])
		at++;
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
	u64 numbers[] = { (u64)(u32)m->agent_fd, (u64)(u32)m->commons_fd, (u64)(u32)m->member, (u64)(u32)m->exec_fd,
			  m->mapped,             m->mask,                 m->flags };

	memcpy(to, MARKER_NAME, sizeof(MARKER_NAME) - 1);
	to += sizeof(MARKER_NAME) - 1;
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		to = put_hex(to, numbers[i]);
		*to++ = i + 1 < ARRAY_SIZE(numbers) ? '.' : ':';
	}
	memcpy(to, m->path, strlen(m->path) + 1);
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
	s32 exec_fd;      /* the new image gets the open file instead of a path; -1 = path */
};

/* Follows scripts to an ELF program: as search_binary_handler() does, at most SCRIPTS_MAX deep. */
static int find_program(struct scratch *s, s32 dirfd, int flags, struct program *program)
{
	int r;

	program->fd = open_executable(dirfd, s->path, flags);
	if (program->fd < 0)
		return program->fd;
	program->path = s->path;
	for (;; program->scripts++) {
		long size = sys4(__NR_pread64, program->fd, s->head, HEAD_SIZE, 0);

		if (size < 0)
			return (int)size;
		if (size < 2 || s->head[0] != '#' || s->head[1] != '!')
			return elf_check(program->fd, s->head, (u64)size, s->work, sizeof(s->work));
		r = parse_script(s->head, (u64)size, s->interpreters[program->scripts]);
		if (r < 0)
			return r;
		if (program->scripts == 0 && !s->path[0] && (sys2(__NR_fcntl, dirfd, 1 /* F_GETFD */) & 1))
			return -ENOENT; /* the interpreter could not open /dev/fd/N any more */
		if (program->scripts == SCRIPTS_MAX)
			return -ELOOP;
		(void)sys1(__NR_close, program->fd);
		program->path = s->interpreters[program->scripts][0];
		program->fd = open_executable(AT_FDCWD_, program->path, 0);
		if (program->fd < 0)
			return program->fd;
	}
}

/* argv of the program: interpreters and their arguments, innermost first, the script, then the guest's argv without argv[0]. */
static u64 build_vectors(struct scratch *s, const struct program *program, u64 *to, u64 argv, u64 argc, u64 envp, u64 envc, u64 *env)
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
	u32 n = (u32)dirfd, digits = n > 999 ? 4 : n > 99 ? 3 : n > 9 ? 2 : 1, length = (u32)strlen(s->path);
	u32 prefix = 8 + digits + (length ? 1 : 0);

	if (length + prefix >= PATH_MAX_)
		return -ENAMETOOLONG;
	memmove(s->path + prefix, s->path, length + 1);
	memcpy(s->path, "/dev/fd/", 8);
	for (u32 i = digits; i > 0; i--, n /= 10)
		s->path[8 + i - 1] = (char)('0' + n % 10);
	if (length)
		s->path[prefix - 1] = '/';
	return 0;
}

static long replace_image(struct scratch *s, const struct program *program, u64 argv, u64 envp, u64 mask)
{
	struct private *p = private();
	u64 slot = slot_current()->trap.slot, *vectors = s->args, need, env = 0, map = 0;
	long argc = count_vector(argv), envc = count_vector(envp), r;
	struct marker marker = { .agent_fd = p->agent_fd,
				 .commons_fd = p->commons_fd,
				 /* a vfork child shares our memory, not our member slot */
				 .member = sys0(__NR_getpid) == p->pid ? member_peek() : -1,
				 .exec_fd = program->exec_fd,
				 .mapped = commons()->mapped,
				 .mask = mask,
				 .path = program->path };

	if (argc < 0 || envc < 0)
		return argc < 0 ? argc : envc;
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
		p->slot_map[slot][0] = (u64)vectors;
		p->slot_map[slot][1] = map;
		p->slot_owner[slot] = (s32)sys0(__NR_getpid);
		signal_before_exec();
		r = sys5(__NR_execveat, p->agent_fd, "", vectors, vectors + env, AT_EMPTY_PATH_);
		signal_after_failed_exec();
		p->slot_owner[slot] = 0;
		p->slot_map[slot][1] = 0;
	}
	if (map)
		(void)sys2(__NR_munmap, vectors, map);
	return r;
}

long exec_program(s32 dirfd, u64 path, u64 argv, u64 envp, int flags, u64 mask)
{
	struct scratch *s = (struct scratch *)slot_current()->scratch;
	struct program program = { .fd = -1, .exec_fd = -1 };
	bool by_descriptor;
	long r;

	if (flags & ~(AT_EMPTY_PATH_ | AT_SYMLINK_NOFOLLOW_))
		return -EINVAL;
	r = guest_read_string(s->path, path, PATH_MAX_);
	if (r < 0)
		return r;
	if (r == 0 && !(flags & AT_EMPTY_PATH_))
		return -ENOENT;
	(void)exe_link_target(s->path, s->path, (char *)s->args, sizeof(s->args)); /* the kernel's link names the agent */
	by_descriptor = s->path[0] != '/' && dirfd != AT_FDCWD_;
	r = find_program(s, dirfd, flags, &program);
	if (r == 0 && by_descriptor) {
		r = name_by_descriptor(s, dirfd);
		if (r == 0 && program.scripts == 0) { /* the new image cannot open it by name: hand it over open */
			program.exec_fd = (s32)sys3(__NR_fcntl, program.fd, 0 /* F_DUPFD */, 0);
			r = program.exec_fd < 0 ? program.exec_fd : 0;
		}
	}
	if (r == 0)
		r = replace_image(s, &program, argv, envp, mask);
	if (program.fd >= 0)
		(void)sys1(__NR_close, program.fd);
	if (program.exec_fd >= 0)
		(void)sys1(__NR_close, program.exec_fd);
	return r;
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
	call->ret = exec_call(call, (s32)call->arg[0], call->arg[1], call->arg[2], call->arg[3], (int)call->arg[4]);
	return CALL_DONE;
}
