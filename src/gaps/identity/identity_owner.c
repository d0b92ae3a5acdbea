/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file is to the guest, kept beside what it is to the host: the attribute user.containers.override_stat, "UID:GID:0MODE" and for a device
 * ":block-MAJOR-MINOR" or ":char-MAJOR-MINOR", as containers/storage and fuse-overlayfs have it. Only regular files and directories can carry it; a device
 * is an empty regular file that does; for links, FIFOs and sockets see identity_name.c. A file without it is as the host says, what belongs to who runs lichen being root's.
 *
 * On the host a file keeps what its owner needs of it (rw, for directories rwx) whatever its mode is to the guest, and no set-ID bits: to other users
 * of the machine it is not what it is to the guest.
 */
#include "base/kernel_stat.h"
#include "gaps/identity/identity_int.h"

#define LISTED 256u /* bytes of names: most files have none; where they are more, each is asked for */

/* --- the attribute's text ------------------------------------------------------------------------------------------------------------- */

/* A number up to one of the two ends, which is passed over. False: there is none. */
static bool take(const char **at, u32 base, u32 *ret)
{
	const char *from = *at;
	u64 value = 0;

	for (; **at >= '0' && **at < (char)('0' + base) && value <= UINT32_MAX; (*at)++)
		value = value * base + (u32)(**at - '0');
	if (*at == from || value > UINT32_MAX)
		return false;
	*ret = (u32)value;
	return true;
}

static bool take_char(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

/* The type behind the mode; what is no device is what the host's file is. */
static void parse_type(const char *at, struct identity_file *file)
{
	u32 type = !strncmp(at, "block-", 6) ? IDENTITY_BLOCK : !strncmp(at, "char-", 5) ? IDENTITY_CHAR : 0, major, minor;

	at += type == IDENTITY_BLOCK ? 6 : 5;
	if (!type || !take(&at, 10, &major) || !take_char(&at, '-') || !take(&at, 10, &minor) || *at)
		return;
	file->mode = (file->mode & 07777) | type;
	file->major = major;
	file->minor = minor;
}

static bool parse(const char *text, struct identity_file *file)
{
	u32 uid, gid, mode;

	if (!take(&text, 10, &uid) || !take_char(&text, ':') || !take(&text, 10, &gid) || !take_char(&text, ':') ||
	    !take(&text, 8, &mode))
		return false;
	file->uid = uid;
	file->gid = gid;
	file->mode = (file->mode & IDENTITY_TYPE) | (mode & 07777);
	file->stored = true;
	if (*text == ':' && (file->mode & IDENTITY_TYPE) == IDENTITY_REGULAR)
		parse_type(text + 1, file);
	return true;
}

static char *put(char *to, u32 value, u32 base)
{
	char digits[16];
	u32 count = 0;

	do
		digits[count++] = (char)('0' + value % base);
	while (value /= base);
	while (count)
		*to++ = digits[--count];
	return to;
}

static u64 print(const struct identity_file *file, char text[IDENTITY_TEXT])
{
	u32 type = file->mode & IDENTITY_TYPE;
	char *to = put(text, file->uid, 10);

	*to++ = ':';
	to = put(to, file->gid, 10);
	*to++ = ':';
	*to++ = '0';
	to = put(to, file->mode & 07777, 8);
	if (type == IDENTITY_BLOCK || type == IDENTITY_CHAR) {
		memcpy(to, type == IDENTITY_BLOCK ? ":block-" : ":char-", 7);
		to = put(to + (type == IDENTITY_BLOCK ? 7 : 6), file->major, 10);
		*to++ = '-';
		to = put(to, file->minor, 10);
	}
	return (u64)(to - text);
}

/* --- files ---------------------------------------------------------------------------------------------------------------------------- */

static bool can_carry(u32 host_mode)
{
	return (host_mode & IDENTITY_TYPE) == IDENTITY_REGULAR || (host_mode & IDENTITY_TYPE) == IDENTITY_DIRECTORY;
}

/* What it is without what is kept. */
static void plain_file(const struct kernel_stat *st, u32 known, struct identity_file *ret)
{
	*ret = (struct identity_file){ .uid = identity_shown_uid(st->uid),
				       .gid = identity_shown_gid(st->gid),
				       .mode = st->mode,
				       .host_mode = st->mode,
				       .major = kernel_dev_major(st->rdev),
				       .minor = kernel_dev_minor(st->rdev),
				       .kept = can_carry(st->mode),
				       .mine = st->uid == identity_area()->host_uid,
				       .by_path = known & STAT_O_PATH,
				       .plain_uid = identity_shown_uid(st->uid),
				       .plain_gid = identity_shown_gid(st->gid) };
}

void identity_file_of(s32 fd, u32 known, const struct kernel_stat *st, struct identity_file *ret)
{
	char link[AGENT_FD_LINK_SIZE], text[IDENTITY_TEXT];
	long n;

	plain_file(st, known, ret);
	if (ret->kept) {
		n = known & STAT_O_PATH ? -EBADF : sys4(__NR_fgetxattr, fd, IDENTITY_ATTRIBUTE, text, sizeof(text) - 1);
		agent_fd_link(link, (u32)fd);
		if (n == -EBADF) /* O_PATH: by its name, which costs ten times as much */
			n = sys4(__NR_getxattr, link, IDENTITY_ATTRIBUTE, text, sizeof(text) - 1);
	} else {
		n = ret->mine && identity_by_name(st->mode) ? identity_name_read(fd, text) : 0;
	}
	if (n <= 0)
		return;
	text[n] = 0;
	if (parse(text, ret))
		ret->kept = true;
}

/* What a list of attributes says: whether the owner is among them, and the mark of a copy; of a list that is not there both may be. */
static void look_for(const char *names, long n, bool *owner, bool *copy)
{
	*owner = *copy = n < 0;
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		*owner |= !strcmp(name, IDENTITY_ATTRIBUTE);
		*copy |= !strcmp(name, FS_ORIGIN_ATTRIBUTE);
	}
}

bool identity_file_seen(s32 fd, u32 known, const struct kernel_stat *st, struct identity_file *ret)
{
	char link[AGENT_FD_LINK_SIZE], names[LISTED];
	bool owner, copy;
	long n;

	plain_file(st, known, ret);
	if (!ret->kept) {
		identity_file_of(fd, known, st, ret);
		return false;
	}
	n = known & STAT_O_PATH ? -EBADF : sys3(__NR_flistxattr, fd, names, sizeof(names));
	agent_fd_link(link, (u32)fd);
	if (n == -EBADF)
		n = sys3(__NR_listxattr, link, names, sizeof(names));
	look_for(names, n, &owner, &copy);
	if (owner)
		identity_file_of(fd, known, st, ret);
	return copy;
}

bool identity_file_plain(s32 directory, const char *name, const struct kernel_stat *st, struct identity_file *ret)
{
	char path[AGENT_FD_NAME_SIZE], names[LISTED];
	bool owner, copy;

	plain_file(st, STAT_O_PATH, ret);
	if (!ret->kept)
		return !ret->mine || !identity_by_name(st->mode) || !identity_name_kept(directory, name);
	if (!agent_fd_name(path, directory, name))
		return false;
	look_for(names, sys3(__NR_llistxattr, path, names, sizeof(names)), &owner, &copy);
	return !owner;
}

long identity_file_read(s32 fd, u32 known, struct identity_file *ret)
{
	struct kernel_stat st = { 0 };
	long r = sys4(__NR_newfstatat, fd, "", &st,
		      0x1100 /* AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW: gVisor of 2022 follows a link's descriptor */);

	if (r == 0)
		identity_file_of(fd, known, &st, ret);
	return r;
}

long identity_file_new(s32 fd, u32 known, struct identity_file *ret)
{
	struct kernel_stat st = { 0 };
	long r = sys4(__NR_newfstatat, fd, "", &st, 0x1100 /* AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW */);

	if (r == 0)
		plain_file(&st, known, ret);
	return r;
}

/* What the mode is on the host. */
static u32 disk_mode(const struct identity_file *file)
{
	u32 type = file->host_mode & IDENTITY_TYPE;

	return (file->mode & 0777) | (type == IDENTITY_DIRECTORY ? 0700u : 0600u);
}

/* fd: `link` is its name. */
static long change_host_mode(s32 fd, const char *link, struct identity_file *file, u32 mode)
{
	long r = 0;

	if ((file->host_mode & 07777) != mode)
		r = file->by_path ? sys2(__NR_chmod, link, mode) : sys2(__NR_fchmod, fd, mode);
	if (r == 0)
		file->host_mode = (file->host_mode & IDENTITY_TYPE) | mode;
	return r;
}

/* What its directory keeps: of a link of root's nothing, of others always something, which says that the owner is known. */
static long write_by_name(s32 fd, struct identity_file *file)
{
	bool link = (file->host_mode & IDENTITY_TYPE) == IDENTITY_LINK;
	char text[IDENTITY_TEXT];

	if (link)
		file->mode = IDENTITY_LINK | 0777;
	text[link && file->uid == file->plain_uid && file->gid == file->plain_gid ? 0 : print(file, text)] = 0;
	return *text || file->stored ? identity_name_write(fd, text) : 0;
}

long identity_file_write(s32 fd, struct identity_file *file)
{
	char link[AGENT_FD_LINK_SIZE], text[IDENTITY_TEXT];
	u32 type = file->mode & IDENTITY_TYPE;
	bool by_name = identity_by_name(file->host_mode);
	long r;

	agent_fd_link(link, (u32)fd);
	if (!by_name && !can_carry(file->host_mode))
		return change_host_mode(fd, link, file, file->mode & 0777);
	r = type == IDENTITY_LINK ? 0 : change_host_mode(fd, link, file, disk_mode(file));
	if (r == -EPERM && by_name && file->mine)
		r = 0; /* gVisor: a pipe without a name */
	if (r < 0)
		return r;
	if (by_name)
		return write_by_name(fd, file);
	if (file->uid == file->plain_uid && file->gid == file->plain_gid && type == (file->host_mode & IDENTITY_TYPE) &&
	    (file->mode & 07777) == disk_mode(file)) {
		if (file->stored)
			r = file->by_path ? sys2(__NR_removexattr, link, IDENTITY_ATTRIBUTE)
					  : sys2(__NR_fremovexattr, fd, IDENTITY_ATTRIBUTE);
		return r == -ENODATA ? 0 : r;
	}
	r = file->by_path ? sys5(__NR_setxattr, link, IDENTITY_ATTRIBUTE, text, print(file, text), 0)
			  : sys5(__NR_fsetxattr, fd, IDENTITY_ATTRIBUTE, text, print(file, text), 0);
	return r == -EOPNOTSUPP || r == -EACCES ? -EPERM : r;
}

void identity_same_owner(s32 from, s32 to)
{
	struct identity_file file = { 0 }, other;

	if (identity_file_read(from, STAT_O_PATH, &file) < 0 || !identity_by_name(file.host_mode) ||
	    identity_file_read(to, STAT_O_PATH, &other) < 0)
		return;
	file.host_mode = other.host_mode;
	file.stored = other.stored;
	(void)!identity_file_write(to, &file);
}
