/* SPDX-License-Identifier: Apache-2.0 */
/* Directories listed by small buffers, by two descriptors in turn, by several threads at once and from places told by telldir: each name once. */
#include "sysctl_common.h"
#include <dirent.h>

#define NAMES_MAX 1024

static const char *const directories[] = { "/proc/sys", "/proc/sys/kernel", "/proc/sys/kernel/keys", "/proc/sys/net/ipv4/conf",
					   "/proc/sys/vm" };

struct entry { /* struct linux_dirent64 */
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[256];
};

/* A set of names: as their number, the sum and the sum of squares of their hashes. */
struct names {
	unsigned count;
	uint64_t sum, squares;
};

static void add(struct names *names, const char *name)
{
	uint64_t hash = 14695981039346656037u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 1099511628211u;
	__atomic_add_fetch(&names->count, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&names->sum, hash, __ATOMIC_RELAXED);
	__atomic_add_fetch(&names->squares, hash * hash, __ATOMIC_RELAXED);
}

static bool same(const struct names *a, const struct names *b)
{
	return a->count == b->count && a->sum == b->sum && a->squares == b->squares;
}

/* One call: bytes, or minus errno. */
static long list(int fd, struct names *names, size_t size)
{
	char buffer[4096] __attribute__((aligned(8)));
	long n = syscall(SYS_getdents64, fd, buffer, size);

	if (n < 0)
		return -errno;
	for (long at = 0; at < n; at += ((struct entry *)(buffer + at))->length)
		add(names, ((struct entry *)(buffer + at))->name);
	return n;
}

static struct names shared;
static int shared_fd;

static void *list_shared(void *arg)
{
	while (list(shared_fd, &shared, 128) > 0)
		;
	return arg;
}

static void places(const char *path, const struct names *all)
{
	static long place[NAMES_MAX];
	static char name[NAMES_MAX][256];
	struct names names = { 0 };
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned count = 0, right = 0;

	for (;;) {
		place[count] = telldir(dir);
		entry = readdir(dir);
		if (!entry || count == NAMES_MAX - 1)
			break;
		add(&names, entry->d_name);
		snprintf(name[count++], 256, "%s", entry->d_name);
	}
	for (unsigned i = 0; i < count; i++) {
		seekdir(dir, place[count - 1 - i]);
		entry = readdir(dir);
		right += entry && !strcmp(entry->d_name, name[count - 1 - i]);
	}
	say("%s: told places %s, names %s", path, right == count ? "right" : "wrong", same(&names, all) ? "same" : "other");
	closedir(dir);
}

static void one(const char *path)
{
	struct names all = { 0 }, small = { 0 }, turns = { 0 };
	int fd = (int)MUST(open(path, O_RDONLY | O_DIRECTORY)), copy;
	pthread_t threads[4];
	long n;

	while ((n = list(fd, &all, 4096)) > 0)
		;
	say("%s: %s at the end, again %ld", path, result_name((int)n), list(fd, &all, 4096));
	close(fd);
	fd = (int)MUST(open(path, O_RDONLY | O_DIRECTORY));
	say("  no room: %s %s", result_name((int)list(fd, &small, 0)), result_name((int)list(fd, &small, 16)));
	while ((n = list(fd, &small, 64)) > 0)
		;
	say("  small buffers: %s, names %s", result_name((int)n), same(&all, &small) ? "same" : "other");
	close(fd);
	fd = (int)MUST(open(path, O_RDONLY | O_DIRECTORY));
	copy = (int)MUST(dup(fd));
	while (list(fd, &turns, 96) > 0 && list(copy, &turns, 96) > 0)
		;
	say("  in turn: names %s", same(&all, &turns) ? "same" : "other");
	close(fd);
	close(copy);
	shared = (struct names){ 0 };
	shared_fd = (int)MUST(open(path, O_RDONLY | O_DIRECTORY));
	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(list_shared, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	say("  at once: names %s", same(&all, &shared) ? "same" : "other");
	close(shared_fd);
	places(path, &all);
}

int main(void)
{
	for (size_t i = 0; i < COUNT(directories); i++)
		one(directories[i]);
	return 0;
}
