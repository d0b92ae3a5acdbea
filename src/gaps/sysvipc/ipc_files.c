/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual files of System V IPC: /proc/sysvipc/{shm,sem,msg} and the sysctls of kernel.* that belong to it.
 *
 * open, openat and access of every guest pass here: an absolute path that does not begin with "/pro" leaves after four bytes, a relative
 * one unless its last part is one of our names. The file is a snapshot, as each read from the start of the kernel's is. Paths with
 * ".." or through symbolic links are not recognised. A sysctl can be set for a whole cell by whoever starts it, not from inside:
 * opening one for writing fails with EACCES, as for a user other than root. access answers likewise; stat and its kind are too
 * frequent to be looked at, and reach the kernel.
 */
#include "gaps/sysvipc/sysvipc_int.h"

#include <linux/fcntl.h>
#include <linux/mman.h>

#define X_OK 1 /* access(2) */
#define W_OK 2
#define R_OK 4

#define PATH_SIZE 96u                 /* longer than any of ours */
#define TEXT_SIZE (UINT64_C(8) << 20) /* header, IPC_SLOTS lines of at most 192 bytes, and some room */

/* --- text --------------------------------------------------------------------------------------------------------------------------- */

static void put(struct ipc_text *text, const char *from, u64 size)
{
	if (size > text->size - text->used)
		size = text->size - text->used;
	memcpy(text->to + text->used, from, size);
	text->used += size;
}

void ipc_text_string(struct ipc_text *text, const char *string)
{
	put(text, string, strlen(string));
}

static void put_number(struct ipc_text *text, u64 value, u32 base, bool negative, int width)
{
	char digits[32];
	u32 at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + value % base);
		value /= base;
	} while (value);
	if (negative)
		digits[--at] = '-';
	for (int pad = width - (int)(sizeof(digits) - at); pad > 0; pad--)
		put(text, " ", 1);
	put(text, digits + at, sizeof(digits) - at);
}

void ipc_text_unsigned(struct ipc_text *text, u64 value, int width)
{
	put_number(text, value, 10, false, width);
}

void ipc_text_signed(struct ipc_text *text, s64 value, int width)
{
	put_number(text, value < 0 ? 0 - (u64)value : (u64)value, 10, value < 0, width);
}

void ipc_text_octal(struct ipc_text *text, u64 value, int width)
{
	put_number(text, value, 8, false, width);
}

/* --- files -------------------------------------------------------------------------------------------------------------------------- */

enum ipc_file {
	FILE_NONE,
	/* /proc/sysvipc */
	FILE_SHM,
	FILE_SEM,
	FILE_MSG,
	/* /proc/sys/kernel */
	FILE_SHMMAX,
	FILE_SHMALL,
	FILE_SHMMNI,
	FILE_SHM_RMID_FORCED,
	FILE_SEM_LIMITS,
	FILE_MSGMAX,
	FILE_MSGMNB,
	FILE_MSGMNI,
	FILE_NEXT_ID,
	FILE_AUTO_MSGMNI,
};

static enum ipc_file sysvipc_file(const char *name)
{
	if (!strcmp(name, "shm"))
		return FILE_SHM;
	if (!strcmp(name, "sem"))
		return FILE_SEM;
	if (!strcmp(name, "msg"))
		return FILE_MSG;
	return FILE_NONE;
}

static enum ipc_file sysctl_file(const char *name)
{
	if (!strcmp(name, "shmmax"))
		return FILE_SHMMAX;
	if (!strcmp(name, "shmall"))
		return FILE_SHMALL;
	if (!strcmp(name, "shmmni"))
		return FILE_SHMMNI;
	if (!strcmp(name, "shm_rmid_forced"))
		return FILE_SHM_RMID_FORCED;
	if (!strcmp(name, "sem"))
		return FILE_SEM_LIMITS;
	if (!strcmp(name, "msgmax"))
		return FILE_MSGMAX;
	if (!strcmp(name, "msgmnb"))
		return FILE_MSGMNB;
	if (!strcmp(name, "msgmni"))
		return FILE_MSGMNI;
	if (!strcmp(name, "shm_next_id") || !strcmp(name, "sem_next_id") || !strcmp(name, "msg_next_id"))
		return FILE_NEXT_ID;
	if (!strcmp(name, "auto_msgmni"))
		return FILE_AUTO_MSGMNI;
	return FILE_NONE;
}

/* What follows `prefix` in path, or NULL. */
static const char *after(const char *path, const char *prefix)
{
	u64 length = strlen(prefix);
	return strncmp(path, prefix, length) ? NULL : path + length;
}

static enum ipc_file find_file(const char *path)
{
	const char *name = after(path, "/proc/sysvipc/");
	if (name)
		return sysvipc_file(name);
	name = after(path, "/proc/sys/kernel/");
	return name ? sysctl_file(name) : FILE_NONE;
}

/* Takes "//" and "/./" out of a path. */
static void straighten(char *path)
{
	char *to = path;
	for (const char *from = path; *from; from++) {
		if (from[0] == '/' && from[1] == '/')
			continue;
		if (from[0] == '/' && from[1] == '.' && from[2] == '/') {
			from++;
			continue;
		}
		*to++ = *from;
	}
	*to = 0;
}

/* Makes a relative path absolute by the name of its directory. path has PATH_SIZE bytes. Returns whether that worked. */
static bool resolve(s32 dirfd, char *path)
{
	char link[32] = "/proc/self/cwd", whole[PATH_SIZE];
	if (dirfd != AT_FDCWD) {
		struct ipc_text text = { .to = link, .size = sizeof(link) - 1, .used = strlen("/proc/self/") };
		ipc_text_string(&text, "fd/");
		ipc_text_unsigned(&text, (u32)dirfd, 0);
		link[text.used] = 0;
	}
	long length = sys3(__NR_readlink, link, whole, PATH_SIZE - 1);
	if (length <= 0)
		return false;
	struct ipc_text text = { .to = whole, .size = PATH_SIZE - 1, .used = (u64)length };
	ipc_text_string(&text, "/");
	ipc_text_string(&text, path);
	if (text.used == text.size)
		return false;
	whole[text.used] = 0;
	memcpy(path, whole, text.used + 1);
	return true;
}

/* The file that a guest's path names; fills path[PATH_SIZE] if it is one of ours. */
static enum ipc_file file_at(u64 dirfd, u64 where, char *path)
{
	if (guest_read(path, where, 4) < 0 || (path[0] == '/' && memcmp(path, "/pro", 4) != 0))
		return FILE_NONE;
	if (guest_read_string(path, where, PATH_SIZE) < 0)
		return FILE_NONE;
	if (path[0] != '/') {
		const char *name = path;
		for (const char *at = path; *at; at++) {
			if (*at == '/')
				name = at + 1;
		}
		if (LIKELY(!sysvipc_file(name) && !sysctl_file(name)) || !resolve((s32)dirfd, path))
			return FILE_NONE;
	}
	straighten(path);
	return find_file(path);
}

static void fill_value(struct ipc_text *text, u64 value)
{
	ipc_text_unsigned(text, value, 0);
	ipc_text_string(text, "\n");
}

static void fill_sem_limits(struct ipc_text *text, const struct ipc_limits *limits)
{
	ipc_text_unsigned(text, limits->semmsl, 0);
	ipc_text_string(text, "\t");
	ipc_text_unsigned(text, limits->semmns, 0);
	ipc_text_string(text, "\t");
	ipc_text_unsigned(text, limits->semopm, 0);
	ipc_text_string(text, "\t");
	fill_value(text, limits->semmni);
}

static void fill(struct ipc_text *text, enum ipc_file file)
{
	const struct ipc_limits *limits = &sysvipc_area()->limits;
	switch (file) {
	case FILE_NONE:
		break;
	case FILE_SHM:
		shm_show(text);
		break;
	case FILE_SEM:
		sem_show(text);
		break;
	case FILE_MSG:
		msg_show(text);
		break;
	case FILE_SHMMAX:
		fill_value(text, limits->shmmax);
		break;
	case FILE_SHMALL:
		fill_value(text, limits->shmall);
		break;
	case FILE_SHMMNI:
		fill_value(text, limits->shmmni);
		break;
	case FILE_SEM_LIMITS:
		fill_sem_limits(text, limits);
		break;
	case FILE_MSGMAX:
		fill_value(text, limits->msgmax);
		break;
	case FILE_MSGMNB:
		fill_value(text, limits->msgmnb);
		break;
	case FILE_MSGMNI:
		fill_value(text, limits->msgmni);
		break;
	case FILE_NEXT_ID:
		ipc_text_string(text, "-1\n");
		break;
	case FILE_SHM_RMID_FORCED:
	case FILE_AUTO_MSGMNI:
		fill_value(text, 0);
		break;
	}
}

static long open_file(enum ipc_file file, const char *path, int flags)
{
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	if (flags & O_CREAT && flags & O_EXCL)
		return -EEXIST;
	if ((file == FILE_SHM || file == FILE_SEM || file == FILE_MSG) && member_self() < 0)
		return -ENOMEM;
	long at =
		sys6(__NR_mmap, 0, TEXT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, ~UINT64_C(0), 0);
	if (at < 0 && at > -4096)
		return at;
	struct ipc_text text = { .to = (char *)at, .size = TEXT_SIZE }; /* NOLINT(performance-no-int-to-ptr) */
	fill(&text, file);
	long ret = vfile_open(path, text.to, text.used, flags);
	(void)sys2(__NR_munmap, at, TEXT_SIZE);
	return ret;
}

static enum verdict open_path(struct call *call, u64 dirfd, u64 where, int flags)
{
	char path[PATH_SIZE];
	enum ipc_file file = file_at(dirfd, where, path);
	if (LIKELY(file == FILE_NONE))
		return CALL_PASS;
	call->ret = open_file(file, path, flags);
	return CALL_DONE;
}

enum verdict sysvipc_open(struct call *call)
{
	return open_path(call, (u64)AT_FDCWD, call->arg[0], (int)call->arg[1]);
}

enum verdict sysvipc_openat(struct call *call)
{
	return open_path(call, call->arg[0], call->arg[1], (int)call->arg[2]);
}

static enum verdict access_path(struct call *call, u64 dirfd, u64 where, u64 mode)
{
	char path[PATH_SIZE];
	if (mode & ~(u64)(R_OK | W_OK | X_OK) || LIKELY(file_at(dirfd, where, path) == FILE_NONE))
		return CALL_PASS;
	call->ret = mode & (W_OK | X_OK) ? -EACCES : 0;
	return CALL_DONE;
}

enum verdict sysvipc_access(struct call *call)
{
	return access_path(call, (u64)AT_FDCWD, call->arg[0], call->arg[1]);
}

enum verdict sysvipc_faccessat(struct call *call)
{
	return access_path(call, call->arg[0], call->arg[1], call->arg[2]);
}
