/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual files of System V IPC (agent/vfs.h): /proc/sysvipc/{shm,sem,msg} and the sysctls of kernel.* that belong to it, before those of gap
 * sysctl. A file is a snapshot, as each read from the start of the kernel's is. What root writes to a limit holds from the next call on; numbers
 * are decimal. shm_rmid_forced and auto_msgmni take 0 alone. stat and its kin are too frequent to be looked at for these files: they reach the
 * kernel, or gap sysctl where that is filled, too.
 */
#include "agent/vfs.h"
#include "gaps/sysvipc/sysvipc_int.h"

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

/* --- callbacks of the virtual-file layer ------------------------------------------------------------------------------------------------ */

static bool is_limit(enum ipc_file file)
{
	return file >= FILE_SHMMAX && file != FILE_NEXT_ID;
}

bool sysvipc_vfs_find(const char *path, struct vnode *node)
{
	enum ipc_file file = find_file(path);

	if (file == FILE_NONE) {
		node->real = true;
		node->mode = VFS_DIRECTORY | 0555;
		return !strcmp(path, "/proc/sysvipc");
	}
	node->id = 4096 + file;
	node->mode = VFS_REGULAR | (is_limit(file) ? 0644 : 0444);
	return true;
}

bool sysvipc_vfs_knows(const char *last)
{
	return sysvipc_file(last) || sysctl_file(last) || !strcmp(last, "sysvipc");
}

long sysvipc_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	struct ipc_text text = { .to = buffer, .size = size };
	enum ipc_file file = find_file(path);

	(void)node;
	if ((file == FILE_SHM || file == FILE_SEM || file == FILE_MSG) && member_self() < 0)
		return -ENOMEM;
	fill(&text, file);
	return text.used == size && size < TEXT_SIZE ? (long)TEXT_SIZE : (long)text.used;
}

long sysvipc_vfs_open(const struct vnode *node, const char *path, int flags)
{
	(void)node, (void)path, (void)flags;
	return -EOPNOTSUPP;
}

/* Reads up to `wanted` decimal numbers. Returns how many there are, or -EINVAL. */
static int take_numbers(const char *bytes, u64 *numbers, int wanted)
{
	int count = 0;

	for (;;) {
		u64 value = 0;

		while (*bytes == ' ' || *bytes == '\t' || *bytes == '\n')
			bytes++;
		if (!*bytes || count == wanted)
			return count ? count : -EINVAL;
		for (; *bytes >= '0' && *bytes <= '9'; bytes++)
			if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (u64)(*bytes - '0'), &value))
				return -EINVAL;
		if (*bytes && *bytes != ' ' && *bytes != '\t' && *bytes != '\n')
			return -EINVAL;
		numbers[count++] = value;
	}
}

static int set_small(u32 *limit, u64 value, u64 most)
{
	if (value > most)
		return -EINVAL;
	__atomic_store_n(limit, (u32)value, __ATOMIC_RELAXED);
	return 0;
}

static int set_wide(u64 *limit, u64 value, u64 most)
{
	if (value > most)
		return -EINVAL;
	__atomic_store_n(limit, value, __ATOMIC_RELAXED);
	return 0;
}

static int set_sem_limits(struct ipc_limits *limits, const u64 *numbers, int count)
{
	u32 *const fields[4] = { &limits->semmsl, &limits->semmns, &limits->semopm, &limits->semmni };
	int r = 0;

	if (count == 4 && numbers[3] > IPC_SLOTS)
		return -ERANGE;
	for (int i = 0; i < count && r == 0; i++)
		r = set_small(fields[i], numbers[i], INT32_MAX);
	return r;
}

/* ipc/ipc_sysctl.c of Linux */
static int set_limit(enum ipc_file file, const u64 *numbers, int count)
{
	struct ipc_limits *limits = &sysvipc_area()->limits;

	switch (file) {
	case FILE_SHMMAX:
		return set_wide(&limits->shmmax, numbers[0], UINT64_MAX);
	case FILE_SHMALL:
		return set_wide(&limits->shmall, numbers[0], UINT64_MAX);
	case FILE_SHMMNI:
		return set_small(&limits->shmmni, numbers[0], IPC_SLOTS);
	case FILE_SEM_LIMITS:
		return set_sem_limits(limits, numbers, count);
	case FILE_MSGMAX:
		return set_wide(&limits->msgmax, numbers[0], INT32_MAX);
	case FILE_MSGMNB:
		return set_wide(&limits->msgmnb, numbers[0], INT32_MAX);
	case FILE_MSGMNI:
		return set_small(&limits->msgmni, numbers[0], IPC_SLOTS);
	default:
		return numbers[0] ? -EINVAL : 0;
	}
}

long sysvipc_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	enum ipc_file file = find_file(path);
	struct agent_creds creds;
	u64 numbers[4];
	int count, r;

	agent_creds_get(&creds);
	if (!is_limit(file) || creds.euid != 0)
		return -EPERM;
	if (node->position || !size)
		return (long)size;
	count = take_numbers(bytes, numbers, file == FILE_SEM_LIMITS ? 4 : 1);
	r = count < 0 ? count : set_limit(file, numbers, count);
	return r < 0 ? r : (long)size;
}

bool sysvipc_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	static const char sysvipc[][16] = { "shm", "sem", "msg" };
	static const char kernel[][16] = { "shmmax", "shmall", "shmmni", "shm_rmid_forced", "sem", "msgmax", "msgmnb", "msgmni" };
	bool limits = !strcmp(path, "/proc/sys/kernel");

	/* gap sysctl lists the same names, if it is there */
	if (limits ? commons()->emulated & (1u << GAP_sysctl) || n >= ARRAY_SIZE(kernel)
		   : strcmp(path, "/proc/sysvipc") || n >= ARRAY_SIZE(sysvipc))
		return false;
	memcpy(entry->name, limits ? kernel[n] : sysvipc[n], 16);
	entry->mode = VFS_REGULAR;
	return true;
}
