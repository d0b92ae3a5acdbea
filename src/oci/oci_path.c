// SPDX-License-Identifier: Apache-2.0
/* Paths in a tree whose content is not trusted. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/oci_rootfs.h"

#define LINKS_MAX 40 /* path_resolution(7) */

struct walking {
	int root, at;            /* O_PATH; at: what `done` is */
	char done[PATH_MAX];     /* components without links */
	char rest[2 * PATH_MAX]; /* what is to be resolved yet */
	unsigned links;
};

/* Goes to the directory that `done` names: each component is what it was, or no directory. */
static int go_again(struct walking *w)
{
	char path[PATH_MAX], *save = NULL;

	close_fd(&w->at);
	w->at = openat(w->root, ".", O_PATH | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "%s", w->done);
	for (char *name = strtok_r(path, "/", &save); name && w->at >= 0; name = strtok_r(NULL, "/", &save)) {
		int next = openat(w->at, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);

		close_fd(&w->at);
		w->at = next;
	}
	return w->at < 0 ? -errno : 0;
}

/* What a link says comes before the rest. */
static int follow(struct walking *w, const char *name)
{
	char link[PATH_MAX], rest[2 * PATH_MAX];
	ssize_t n = readlinkat(w->at, name, link, sizeof(link) - 1);

	if (n < 0)
		return -errno;
	link[n] = '\0';
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (snprintf(rest, sizeof(rest), "%s/%s", link, w->rest) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	memcpy(w->rest, rest, sizeof(rest));
	if (*link != '/')
		return 0;
	w->done[0] = '\0';
	return go_again(w);
}

static int make_missing(const struct walking *w, const char *name, enum oci_make make)
{
	bool last = !w->rest[strspn(w->rest, "/")];
	int fd;

	if (make == OCI_MAKE_FILE && last) {
		fd = openat(w->at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0755);
		if (fd < 0)
			return errno == EEXIST ? 0 : -errno;
		(void)close(fd);
		return 0;
	}
	return mkdirat(w->at, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int go_down(struct walking *w, const char *name, enum oci_make make)
{
	CLEANUP_FD int next = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	size_t length = strlen(w->done);
	struct stat st;
	int r;

	if (next < 0 && errno == ENOENT && make != OCI_MAKE_NOTHING) {
		r = make_missing(w, name, make);
		if (r < 0)
			return r;
		next = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (next < 0 || fstat(next, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return follow(w, name);
	if (snprintf(w->done + length, sizeof(w->done) - length, "/%s", name) >= (int)(sizeof(w->done) - length))
		return -ENAMETOOLONG;
	close_fd(&w->at);
	w->at = take_fd(&next);
	return 0;
}

static int go_up(struct walking *w)
{
	char *slash = strrchr(w->done, '/');

	if (slash)
		*slash = '\0';
	return go_again(w);
}

/* Takes the next component off the rest; "" at the end. */
static int next_name(struct walking *w, char name[NAME_MAX + 1])
{
	size_t skip = strspn(w->rest, "/"), length = strcspn(w->rest + skip, "/");

	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, w->rest + skip, length);
	name[length] = '\0';
	memmove(w->rest, w->rest + skip + length, strlen(w->rest + skip + length) + 1);
	return 0;
}

int oci_path_open(int root, const char *path, enum oci_make make)
{
	struct walking w = { .root = root, .at = FD_NONE };
	char name[NAME_MAX + 1];
	int r = snprintf(w.rest, sizeof(w.rest), "%s", path) >= PATH_MAX ? -ENAMETOOLONG : go_again(&w);

	while (r == 0) {
		r = next_name(&w, name);
		if (r < 0 || !*name)
			break;
		if (strcmp(name, "..") == 0)
			r = go_up(&w);
		else if (strcmp(name, ".") != 0)
			r = go_down(&w, name, make);
	}
	if (r < 0)
		close_fd(&w.at);
	return r < 0 ? r : w.at;
}
