/* SPDX-License-Identifier: Apache-2.0 */
/* Several processes change the same names of a lower layer at once: nothing is lost, and what only one can do one does. */
#include "overlay_test.h"

#include <sys/mman.h>

#define WORKERS 4
#define NAMES 60

/* What one worker does with one name; true: it was the one that could. */
typedef bool act(int worker, const char *name);

static bool made(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool take(int worker, const char *name)
{
	char own[64];

	snprintf(own, sizeof(own), "%s.%d", name, worker);
	return rename(name, own) == 0;
}

static bool give_back(int worker, const char *name)
{
	char own[64];

	snprintf(own, sizeof(own), "%s.%d", name, worker);
	return rename(own, name) == 0;
}

/* There and back: whoever comes second may take it back. Never is it gone. */
static bool swing(int worker, const char *name)
{
	char other[64];

	(void)worker;
	snprintf(other, sizeof(other), "%s.x", name);
	(void)!rename(name, other);
	(void)!rename(other, name);
	return false;
}

static bool append_one(int worker, const char *name)
{
	char letter = (char)('a' + worker);
	int fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, &letter, 1) == 1;

	if (fd >= 0)
		close(fd);
	return done;
}

static bool link_one(int worker, const char *name)
{
	char other[64];

	(void)worker;
	snprintf(other, sizeof(other), "%s.l", name);
	return link(name, other) == 0;
}

static bool unlink_link(int worker, const char *name)
{
	char other[64];

	(void)worker;
	snprintf(other, sizeof(other), "%s.l", name);
	return unlink(other) == 0;
}

static bool unlink_one(int worker, const char *name)
{
	(void)worker;
	return unlink(name) == 0;
}

static bool create_one(int worker, const char *name)
{
	(void)worker;
	return made(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
}

static bool mkdir_one(int worker, const char *name)
{
	(void)worker;
	return mkdir(name, 0755) == 0;
}

static bool rmdir_one(int worker, const char *name)
{
	(void)worker;
	return rmdir(name) == 0;
}

/* Some write, some remove, some rename: what is opened is never a whiteout. False: as it should be. */
static bool mix(int worker, const char *name)
{
	struct stat st;
	int fd;

	if (worker == 2)
		return unlink(name) < 0 && errno != ENOENT;
	if (worker == 3)
		return swing(worker, name);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || write(fd, "x", 1) != 1)
		return true;
	close(fd);
	return false;
}

/* gVisor makes files in directories that are gone. */
static bool makes_in_removed(void)
{
	int dir, fd;

	MUST(mkdir("/a/many/gone", 0755));
	dir = (int)MUST(open("/a/many/gone", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	MUST(rmdir("/a/many/gone"));
	fd = openat(dir, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	close(dir);
	return made(fd);
}

/* Some make a file in a directory that others remove when it is empty. False: what was made was there. */
static bool nest(int worker, const char *name)
{
	char dir[64], file[80];

	snprintf(dir, sizeof(dir), "%s.d", name);
	snprintf(file, sizeof(file), "%s/f", dir);
	if (worker >= 2) {
		(void)!rmdir(dir);
		return false;
	}
	(void)!mkdir(dir, 0755);
	return made(open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) && unlink(file) < 0;
}

/* What is left of that. */
static bool nest_end(int worker, const char *name)
{
	char dir[64];

	(void)worker;
	snprintf(dir, sizeof(dir), "%s.d", name);
	return rmdir(dir) < 0 && errno != ENOENT;
}

/* All workers go through the names from their ends towards each other. */
static int all(act *what)
{
	struct gate start = gate_new();
	int *won = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), sum = 0;

	for (int worker = 0; worker < WORKERS; worker++) {
		if (fork_or_die() != 0)
			continue;
		gate_wait(&start);
		for (int i = 0; i < NAMES; i++) {
			char name[32];

			snprintf(name, sizeof(name), "/a/many/n%d", worker % 2 ? NAMES - 1 - i : i);
			won[worker] += what(worker, name);
		}
		_exit(0);
	}
	for (int worker = 0; worker < WORKERS; worker++)
		gate_open(&start);
	for (int worker = 0; worker < WORKERS; worker++)
		MUST(wait(NULL));
	for (int worker = 0; worker < WORKERS; worker++)
		sum += won[worker];
	return sum;
}

static int count(const char *path)
{
	struct dirent **list;
	int names = scandir(path, &list, NULL, by_name);

	return names < 0 ? names : names - 2;
}

#define ALL(what)                                                        \
	do {                                                             \
		int won_ = all(what);                                    \
                                                                         \
		say("%s: %d; names: %d", #what, won_, count("/a/many")); \
	} while (0)

int main(int argc, char **argv)
{
	DUMP_IF_ASKED();
	ALL(swing);
	ALL(append_one);
	ALL(swing);
	ALL(take);
	ALL(give_back);
	ALL(link_one);
	ALL(unlink_link);
	say("nest: %d", all(nest) && !makes_in_removed());
	ALL(nest_end);
	ALL(unlink_one);
	ALL(create_one);
	ALL(unlink_one);
	ALL(mkdir_one);
	ALL(rmdir_one);
	for (int i = 0; i < 3; i++)
		say("mix: %d", all(mix));
	(void)!all(unlink_one);
	say("names: %d", count("/a/many"));
	return 0;
}
