/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a symbolic link, FIFO or socket is: it cannot have user attributes, so its directory has one for it, user.lichen.owner.NAME, with the text of
 * identity_owner.c. A link of root's needs none. What is renamed takes it along; that is a step of its own, so a process killed between the two leaves
 * the object root's. A name longer than 237 bytes has no owner but root. The cell knows for a while whose pipes and sockets without a name are.
 *
 * A directory is found by the name that the kernel has for the object's descriptor. It is only written to when that name, opened, is the name that
 * the kernel has for the directory: no link was followed, whatever others swap meanwhile.
 */
#include "base/kernel_stat.h"
#include "gaps/identity/identity_int.h"

#define PREFIX_SIZE (sizeof(IDENTITY_NAME_PREFIX) - 1)
#define ATTRIBUTE_SIZE 256u
#define SHORT_PATH 512u
#define LONG_PATH 8192u

bool identity_by_name(u32 host_mode)
{
	u32 type = host_mode & IDENTITY_TYPE;

	return type == IDENTITY_LINK || type == IDENTITY_FIFO || type == IDENTITY_SOCKET;
}

static bool attribute(char out[ATTRIBUTE_SIZE], const char *name)
{
	u64 size = strlen(name);

	if (size + PREFIX_SIZE >= ATTRIBUTE_SIZE)
		return false;
	memcpy(out, IDENTITY_NAME_PREFIX, PREFIX_SIZE);
	memcpy(out + PREFIX_SIZE, name, size + 1);
	return true;
}

/* --- by directory and name ---------------------------------------------------------------------------------------------------------- */

static long get(const char *directory, const char *name, char text[IDENTITY_TEXT])
{
	char key[ATTRIBUTE_SIZE];
	long n = attribute(key, name) ? sys4(__NR_getxattr, directory, key, text, IDENTITY_TEXT - 1) : -ENODATA;

	if (n >= 0) {
		text[n] = 0;
		identity_area()->names = 1;
	}
	return n;
}

static long set(s32 directory, const char *name, const char *text)
{
	char key[ATTRIBUTE_SIZE], link[AGENT_FD_LINK_SIZE];
	long r;

	if (!attribute(key, name))
		return *text ? -EPERM : 0;
	agent_fd_link(link, (u32)directory);
	if (*text) {
		identity_area()->names = 1;
		r = sys5(__NR_setxattr, link, key, text, strlen(text), 0);
		return r == -EOPNOTSUPP || r == -EACCES ? -EPERM : r;
	}
	r = sys2(__NR_removexattr, link, key);
	return r == -ENODATA || r == -EOPNOTSUPP ? 0 : r;
}

void identity_name_gone(s32 directory, const char *name)
{
	if (identity_area()->names) /* what is left of another cell is found when its name is given again */
		(void)!set(directory, name, "");
}

static void get_of(s32 directory, const char *name, char text[IDENTITY_TEXT])
{
	char link[AGENT_FD_LINK_SIZE];

	agent_fd_link(link, (u32)directory);
	if (get(link, name, text) < 0)
		*text = 0;
}

bool identity_name_kept(s32 directory, const char *name)
{
	char text[IDENTITY_TEXT];

	get_of(directory, name, text);
	return *text;
}

static bool same(s32 a, s32 b)
{
	struct kernel_stat x = { 0 }, y = { 0 };

	return sys4(__NR_newfstatat, a, "", &x, 0x1000 /* AT_EMPTY_PATH */) == 0 && sys4(__NR_newfstatat, b, "", &y, 0x1000) == 0 &&
	       x.ino == y.ino && x.dev == y.dev;
}

void identity_name_moved(s32 from, const char *old, s32 to, const char *new, bool exchanged)
{
	char moved[IDENTITY_TEXT], other[IDENTITY_TEXT] = "";

	get_of(from, old, moved);
	if (exchanged)
		get_of(to, new, other);
	if (!exchanged && !strcmp(old, new) && same(from, to))
		return;
	(void)!set(to, new, moved);
	if (*moved || *other)
		(void)!set(from, old, other);
}

/* --- by descriptor ------------------------------------------------------------------------------------------------------------------- */

static char *buffer_map(void)
{
	long at = sys6(__NR_mmap, 0, 2 * (u64)LONG_PATH, 3, 0x22 /* private, anonymous */, (u64)-1, 0);

	return at < 0 ? NULL : (char *)at; /* NOLINT(performance-no-int-to-ptr) */
}

static void buffer_unmap(char *buffer)
{
	(void)sys2(__NR_munmap, buffer, 2 * (u64)LONG_PATH);
}

static long path_of(s32 fd, char *path, u64 size)
{
	char link[AGENT_FD_LINK_SIZE];

	agent_fd_link(link, (u32)fd);
	return sys3(__NR_readlink, link, path, size);
}

/* Cuts the path that a descriptor has in two: the name in it is returned, NULL: it has none. path: room for one byte more. */
static const char *cut(char *path, long length)
{
	if (length <= 1 || path[0] != '/')
		return NULL;
	path[length] = 0;
	while (path[length - 1] != '/')
		length--;
	if (length > 1) {
		path[length - 1] = 0;
		return path + length;
	}
	memmove(path + 2, path + 1, strlen(path)); /* in the root */
	path[1] = 0;
	return path + 2;
}

/* --- without a name ------------------------------------------------------------------------------------------------------------------ */

/* The row of what the kernel calls so, NULL: it may have a name. */
static struct identity_nameless *nameless(const char *path, long length, u64 *ret_key)
{
	u64 hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	if (length <= 0 || path[0] == '/')
		return NULL;
	for (long i = 0; i < length; i++)
		hash = (hash ^ (u8)path[i]) * UINT64_C(0x100000001b3);
	*ret_key = hash | 1;
	return &identity_area()->nameless[(hash >> 32) % IDENTITY_NAMELESS];
}

static long get_nameless(const char *path, long length, char text[IDENTITY_TEXT])
{
	u64 key = 0;
	const struct identity_nameless *row = nameless(path, length, &key);

	if (!row || __atomic_load_n(&row->key, __ATOMIC_ACQUIRE) != key)
		return -ENODATA;
	memcpy(text, row->text, sizeof(row->text));
	text[sizeof(row->text) - 1] = 0;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&row->key, __ATOMIC_RELAXED) == key ? (long)strlen(text) : -ENODATA;
}

static long set_nameless(const char *path, long length, const char *text)
{
	u64 key = 0;
	struct identity_nameless *row = nameless(path, length, &key);

	if (!row || strlen(text) >= sizeof(row->text))
		return -EPERM;
	__atomic_store_n(&row->key, 0, __ATOMIC_SEQ_CST);
	memcpy(row->text, text, strlen(text) + 1);
	__atomic_store_n(&row->key, key, __ATOMIC_RELEASE);
	return 0;
}

static long get_at(char *path, long length, char text[IDENTITY_TEXT])
{
	const char *name = cut(path, length);

	if (!name)
		return get_nameless(path, length, text);
	return get(path, name, text);
}

long identity_name_read(s32 fd, char text[IDENTITY_TEXT])
{
	char path[SHORT_PATH], *longer;
	long n = path_of(fd, path, sizeof(path) - 2), r;

	if (n < (long)sizeof(path) - 2)
		return get_at(path, n, text);
	longer = buffer_map();
	if (!longer)
		return -ENODATA;
	r = get_at(longer, path_of(fd, longer, LONG_PATH - 2), text);
	buffer_unmap(longer);
	return r;
}

/* The directory of a path, when that leads to it without a link; check: LONG_PATH bytes. */
static long open_directory(const char *path, char *check)
{
	long fd = sys4(__NR_openat, -100 /* AT_FDCWD */, path, 012600000 /* O_PATH|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC */, 0), n;

	if (fd < 0)
		return fd;
	n = path_of((s32)fd, check, LONG_PATH);
	if (n == (long)strlen(path) && !memcmp(check, path, (u64)n))
		return fd;
	(void)sys1(__NR_close, fd);
	return -EPERM;
}

long identity_name_write(s32 fd, const char *text)
{
	char *path = buffer_map();
	const char *name;
	long directory, length, r;

	if (!path)
		return -ENOMEM;
	length = path_of(fd, path, LONG_PATH - 2);
	name = cut(path, length);
	directory = name ? open_directory(path, path + LONG_PATH) : -EPERM;
	r = !name ? set_nameless(path, length, text) : directory < 0 ? directory : set((s32)directory, name, text);
	if (directory >= 0)
		(void)sys1(__NR_close, directory);
	buffer_unmap(path);
	return r;
}
