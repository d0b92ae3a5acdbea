/* SPDX-License-Identifier: Apache-2.0 */
/* Where layers are unpacked for fuzzing: a root with something in it, and beside it what no layer may touch. */
#ifndef LICHEN_FUZZ_UNPACK_PLACE_H
#define LICHEN_FUZZ_UNPACK_PLACE_H

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "host/tree.h"
#include "image/unpack.h"

struct place {
	char path[64];
	int dir, root;
};

static inline void place_file(int dir, const char *name)
{
	int file = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	MUST(file >= 0 && write(file, "x", 1) == 1 && close(file) == 0);
}

/* DIR/victim/file, and DIR/root/{a,d/a,l -> ../victim}. */
static inline struct place place_make(void)
{
	struct place place = { .path = "/dev/shm/fuzz-unpack-XXXXXX" };

	MUST(mkdtemp(place.path));
	place.dir = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(place.dir >= 0 && mkdirat(place.dir, "victim", 0700) == 0 && mkdirat(place.dir, "root", 0700) == 0);
	place_file(place.dir, "victim/file");
	place.root = openat(place.dir, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(place.root >= 0 && mkdirat(place.root, "d", 0700) == 0 && symlinkat("../victim", place.root, "l") == 0);
	place_file(place.root, "a");
	place_file(place.root, "d/a");
	return place;
}

static inline int place_count(void *arg, int dir, const char *name)
{
	(void)dir;
	(void)name;
	++*(int *)arg;
	return 0;
}

/* Nothing outside the root has changed; all of it goes. */
static inline void place_check(struct place *place)
{
	struct stat st;
	int names = 0;
	int victim = openat(place->dir, "victim", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	MUST(victim >= 0 && tree_each(victim, place_count, &names) == 0 && names == 1);
	MUST(fstatat(victim, "file", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 1 && st.st_nlink == 1 &&
	     (st.st_mode & 07777) == 0600);
	names = 0;
	MUST(tree_each(place->dir, place_count, &names) == 0 && names == 2);
	close(victim);
	close(place->root);
	close(place->dir);
	MUST(tree_remove(AT_FDCWD, place->path) == 0);
}

/* Unpacks these bytes. */
static inline int place_unpack(const struct place *place, const u8 *data, size_t size)
{
	struct unpack_report report = { 0 };
	struct image_error why;
	struct digest digest;
	int blob = memfd_create("layer", MFD_CLOEXEC);

	MUST(blob >= 0 && write(blob, data, size) == (ssize_t)size && lseek(blob, 0, SEEK_SET) == 0);
	int result = unpack_layer(blob, size, place->root, NULL, &report, &digest, &why);

	close(blob);
	MUST(result <= 0);
	MUST(result == 0 || memchr(why.text, 0, sizeof(why.text)));
	return result;
}

#endif
