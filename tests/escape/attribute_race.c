/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file whose attributes are changed, and which is another one when that is looked at: its path in memory, a link, a directory and a descriptor are exchanged
 * by a thread meanwhile. Where lichen is asked for such a call, it must change what it has judged. ARG: how often.
 */
#include "attack.h"

#include <linux/fs.h>
#include <pthread.h>

#define SLOT 10
#define MARK 0606

struct place {
	char inside[4096], outside[4096];
	char path[4300]; /* one of these, or torn between them */
	char one[4200], two[4200];
	int stop, opened[2];
	void (*exchange)(struct place *place, unsigned turn);
};

static void *exchange(void *argument)
{
	struct place *place = argument;

	for (unsigned turn = 0; !__atomic_load_n(&place->stop, __ATOMIC_RELAXED); turn++)
		place->exchange(place, turn);
	return NULL;
}

static void exchange_path(struct place *place, unsigned turn)
{
	const char *from = turn & 1 ? place->outside : place->inside;

	memcpy(place->path, from, strlen(from) + 1);
}

static void exchange_names(struct place *place, unsigned turn)
{
	char third[4210];
	(void)turn;

	if (syscall(SYS_renameat2, AT_FDCWD, place->one, AT_FDCWD, place->two, RENAME_EXCHANGE) == 0)
		return;
	(void)snprintf(third, sizeof(third), "%s-third", place->one); /* gVisor has no exchange: the name is missing for a moment */
	(void)rename(place->one, third);
	(void)rename(place->two, place->one);
	(void)rename(third, place->two);
}

static void exchange_descriptor(struct place *place, unsigned turn)
{
	(void)dup2(place->opened[turn & 1], SLOT);
}

static int has_mark(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 07777) == MARK;
}

/* Until the file outside has the mark, which is taken away again. */
static int race(const struct attack *a, struct place *place, void (*exchange_it)(struct place *place, unsigned turn),
		int (*attempt)(const char *path))
{
	long rounds = strtol(a->more[0], NULL, 10);
	pthread_t thread;
	int r = NOTHING;

	place->exchange = exchange_it;
	if (pthread_create(&thread, NULL, exchange, place) != 0)
		return EAGAIN;
	for (long i = 0; i < rounds && r != 0; i++) {
		r = attempt(place->path) < 0 ? errno : NOTHING;
		if (has_mark(place->outside))
			r = 0;
	}
	__atomic_store_n(&place->stop, 1, __ATOMIC_RELAXED);
	(void)pthread_join(thread, NULL);
	if (r == 0)
		(void)chmod(place->outside, 0600);
	return r == NOTHING ? EACCES : r;
}

static void name_places(const struct attack *a, struct place *place, const char *name)
{
	*place = (struct place){ .stop = 0 };
	(void)below(place->outside, sizeof(place->outside), a->outside, "secret");
	(void)snprintf(place->one, sizeof(place->one), "%s/%s", a->work, name);
	(void)snprintf(place->two, sizeof(place->two), "%s/%s-other", a->work, name);
	(void)below(place->inside, sizeof(place->inside), a->work, "secret");
	(void)write_file(place->inside, "mine");
}

static int mark(const char *path)
{
	return chmod(path, MARK);
}

static int mark_at(const char *path)
{
	return (int)syscall(SYS_fchmodat, AT_FDCWD, path, MARK);
}

static int mark_descriptor(const char *path)
{
	(void)path;
	return fchmod(SLOT, MARK);
}

static int mark_link(const char *path)
{
	char link[64];
	(void)path;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", SLOT);
	return chmod(link, MARK);
}

static int path_in_memory(const struct attack *a)
{
	static struct place place;

	name_places(a, &place, "path");
	return race(a, &place, exchange_path, mark);
}

static int path_at(const struct attack *a)
{
	static struct place place;

	name_places(a, &place, "at");
	return race(a, &place, exchange_path, mark_at);
}

static int link_of(const struct attack *a)
{
	static struct place place;

	name_places(a, &place, "link");
	if (symlink(place.outside, place.one) < 0 || symlink(place.inside, place.two) < 0)
		return errno;
	(void)snprintf(place.path, sizeof(place.path), "%s", place.one);
	return race(a, &place, exchange_names, mark);
}

static int directory_of(const struct attack *a)
{
	static struct place place;
	char path[4300];

	name_places(a, &place, "directory");
	if (mkdir(place.one, 0755) < 0 || symlink(a->outside, place.two) < 0 ||
	    write_file(below(path, sizeof(path), place.one, "secret"), "mine") != 0)
		return errno;
	(void)snprintf(place.path, sizeof(place.path), "%.4090s", path);
	return race(a, &place, exchange_names, mark);
}

/* Root opens it although it may not be read; else a descriptor that says where it is. */
static int open_both(struct place *place, int flags)
{
	place->opened[0] = open(place->inside, O_RDONLY | O_CLOEXEC);
	place->opened[1] = open(place->outside, flags | O_CLOEXEC);
	return place->opened[0] < 0 || place->opened[1] < 0 ? errno : 0;
}

static int descriptor(const struct attack *a)
{
	static struct place place;
	int r;

	name_places(a, &place, "descriptor");
	r = open_both(&place, O_RDONLY);
	return r ? r : race(a, &place, exchange_descriptor, mark_descriptor);
}

static int descriptor_link(const struct attack *a)
{
	static struct place place;
	int r;

	name_places(a, &place, "descriptor_link");
	r = open_both(&place, O_PATH);
	return r ? r : race(a, &place, exchange_descriptor, mark_link);
}

static const struct way ways[] = {
	{ "path", path_in_memory },    { "path_at", path_at },       { "link", link_of },
	{ "directory", directory_of }, { "descriptor", descriptor }, { "descriptor_link", descriptor_link },
};

ATTACK_MAIN(ways)
