/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual files of System V IPC: /proc/sysvipc/{shm,sem,msg} and the sysctls of kernel.* that belong to it.
 *
 * open and openat of every guest pass here, so anything that does not begin with "/proc/" leaves after reading six bytes. The
 * file is a snapshot, as each read from the start of the kernel's is. Only absolute paths as the kernel's documentation writes
 * them are recognised. A sysctl can be set for a whole cell by whoever starts it, not from inside: opening one for
 * writing fails with EACCES, as for a user other than root. access answers likewise; stat and its kind are too frequent to be
 * looked at, and reach the kernel.
 */
#include "gaps/sysvipc/sysvipc_int.h"

#include <linux/fcntl.h>
#include <linux/mman.h>

#define X_OK 1 /* access(2) */
#define W_OK 2
#define R_OK 4

#define PATH_SIZE 48u             /* longer than any of ours */
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
	FILE_SHM, FILE_SEM, FILE_MSG, /* /proc/sysvipc */
	FILE_SHMMAX, FILE_SHMALL, FILE_SHMMNI, FILE_SHM_RMID_FORCED, FILE_SEM_LIMITS, FILE_MSGMAX, FILE_MSGMNB, FILE_MSGMNI,
	FILE_NEXT_ID, FILE_AUTO_MSGMNI, /* /proc/sys/kernel */
};

static bool begins(const char *path, const char *prefix)
{
	return strncmp(path, prefix, strlen(prefix)) == 0;
}

static enum ipc_file find_file(const char *path)
{
	if (begins(path, "/proc/sysvipc/")) {
		const char *name = path + strlen("/proc/sysvipc/");
		return !strcmp(name, "shm") ? FILE_SHM : !strcmp(name, "sem") ? FILE_SEM : !strcmp(name, "msg") ? FILE_MSG : FILE_NONE;
	}
	if (!begins(path, "/proc/sys/kernel/"))
		return FILE_NONE;
	const char *name = path + strlen("/proc/sys/kernel/");
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
	long at = sys6(__NR_mmap, 0, TEXT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, ~UINT64_C(0), 0);
	if (at < 0 && at > -4096)
		return at;
	struct ipc_text text = { .to = (char *)at, .size = TEXT_SIZE }; /* NOLINT(performance-no-int-to-ptr) */
	fill(&text, file);
	long ret = vfile_open(path, text.to, text.used, flags);
	(void)sys2(__NR_munmap, at, TEXT_SIZE);
	return ret;
}

/* Which file the guest's path names; fills path[PATH_SIZE] if it is one of ours. */
static enum ipc_file file_at(u64 where, char *path)
{
	if (LIKELY(guest_read(path, where, 6) < 0 || memcmp(path, "/proc/", 6) != 0))
		return FILE_NONE;
	return guest_read_string(path, where, PATH_SIZE) < 0 ? FILE_NONE : find_file(path);
}

static enum verdict open_path(struct call *call, u64 where, int flags)
{
	char path[PATH_SIZE];
	enum ipc_file file = file_at(where, path);
	if (LIKELY(file == FILE_NONE))
		return CALL_PASS;
	call->ret = open_file(file, path, flags);
	return CALL_DONE;
}

static enum verdict access_path(struct call *call, u64 where, u64 mode)
{
	char path[PATH_SIZE];
	if (LIKELY(mode & ~(u64)(R_OK | W_OK | X_OK) || file_at(where, path) == FILE_NONE))
		return CALL_PASS;
	call->ret = mode & (W_OK | X_OK) ? -EACCES : 0;
	return CALL_DONE;
}

enum verdict sysvipc_open(struct call *call)
{
	return open_path(call, call->arg[0], (int)call->arg[1]);
}

enum verdict sysvipc_openat(struct call *call)
{
	return open_path(call, call->arg[1], (int)call->arg[2]);
}

enum verdict sysvipc_access(struct call *call)
{
	return access_path(call, call->arg[0], call->arg[1]);
}

enum verdict sysvipc_faccessat(struct call *call)
{
	return access_path(call, call->arg[1], call->arg[2]);
}
