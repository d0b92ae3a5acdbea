/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of path resolution share: a small tree in /t with all kinds of things in it, names for what a call reached,
 * and a comparison of the tree with what it was.
 *
 * The programs run in a root directory of their own that holds nothing but themselves (/prog), /proc and /dev: natively in a real
 * chroot, under lichen with --rootfs. A transcript names an inode by the path it had when the tree was made.
 */
#ifndef FS_TEST_H
#define FS_TEST_H

#include "difftest.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/un.h>

/* What stands in the tree: 'd' directory, 'f' file that holds its own name, 'l' symbolic link, 'p' FIFO, 's' socket. */
struct thing {
	char kind;
	const char *path, *target;
};

static const struct thing things[] = {
	{ 'd', "/t", NULL },
	{ 'f', "/t/file", NULL },
	{ 'd', "/t/dir", NULL },
	{ 'f', "/t/dir/in", NULL },
	{ 'd', "/t/dir/sub", NULL },
	{ 'l', "/t/dir/up", ".." },
	{ 'd', "/t/empty", NULL },
	{ 'p', "/t/fifo", NULL },
	{ 's', "/t/socket", NULL },
	{ 'l', "/t/to_file", "file" },
	{ 'l', "/t/to_dir", "dir" },
	{ 'l', "/t/to_empty", "empty" },
	{ 'l', "/t/slash", "dir/" },
	{ 'l', "/t/file_slash", "file/" },
	{ 'l', "/t/abs_file", "/t/file" },
	{ 'l', "/t/abs_dir", "/t/dir" },
	{ 'l', "/t/two", "to_dir/up/to_file" },
	{ 'l', "/t/dangling", "new" },
	{ 'l', "/t/abs_dangling", "/new" },
	{ 'l', "/t/deep_dangling", "none/new" },
	{ 'l', "/t/dangling_slash", "new/" },
	{ 'l', "/t/loop", "loop" },
	{ 'l', "/t/loop_a", "loop_b" },
	{ 'l', "/t/loop_b", "dir/../loop_a" },
	{ 'l', "/t/above", "../../../../../../../t/file" },
	{ 'l', "/t/out", "../../../../../../../etc/lichen-outside" },
	{ 'l', "/t/root", "/" },
	{ 'l', "/t/slashes", "//t///dir//" },
	{ 'l', "/t/dot", "." },
	{ 'l', "/t/dotdot", ".." },
};

/* Shapes of paths; relative ones from /t. */
static const char *const shapes[] = {
	"",
	"/",
	"//",
	".",
	"..",
	"./",
	"../",
	"/.",
	"/..",
	"/../",
	"/../..",
	"/../../t/file",
	"...",
	"/t",
	"/t/",
	"/t/.",
	"file",
	"./file",
	".//file",
	"file/",
	"file/.",
	"file/..",
	"file/x",
	"/t/file",
	"//t//file",
	"dir",
	"dir/",
	"dir/.",
	"dir/./",
	"dir/..",
	"dir/../",
	"dir/../file",
	"dir//in",
	"dir/in/",
	"dir/sub/../../file",
	"dir/up/file",
	"empty",
	"empty/",
	"empty/.",
	"empty/..",
	"fifo",
	"fifo/",
	"socket",
	"socket/x",
	"new",
	"new/",
	"new//",
	"new/.",
	"new/..",
	"new/../file",
	"new/x",
	"dir/new",
	"dir/new/",
	"./new",
	"dir/../new",
	"/new",
	"/../new",
	"to_file",
	"to_file/",
	"to_file/.",
	"to_file/..",
	"to_file/x",
	"to_dir",
	"to_dir/",
	"to_dir/.",
	"to_dir/..",
	"to_dir/../file",
	"to_dir/in",
	"to_dir/new",
	"to_dir/up/to_dir/in",
	"to_empty",
	"to_empty/",
	"slash",
	"slash/",
	"slash/in",
	"slash/new",
	"file_slash",
	"file_slash/",
	"abs_file",
	"abs_dir",
	"abs_dir/",
	"abs_dir/in",
	"abs_dir/../file",
	"abs_dir/new",
	"two",
	"dangling",
	"dangling/",
	"dangling/.",
	"dangling/x",
	"abs_dangling",
	"abs_dangling/",
	"deep_dangling",
	"dangling_slash",
	"loop",
	"loop/",
	"loop/x",
	"loop_a",
	"loop_a/..",
	"above",
	"above/",
	"out",
	"out/",
	"out/x",
	"root",
	"root/",
	"root/..",
	"root/t/file",
	"root/../../t/file",
	"root/new",
	"slashes",
	"slashes/in",
	"slashes/..",
	"dot",
	"dot/",
	"dot/file",
	"dot/dot/dot/to_file",
	"dotdot",
	"dotdot/t/file",
	"dotdot/dotdot/t/dir/in",
	"dotdot/..",
};

/* --- the tree ---------------------------------------------------------------------------------------------------------------- */

struct known {
	char path[64];
	dev_t dev;
	ino_t ino;
	unsigned char type;
};

enum { KNOWN_MAX = 256 };
struct picture {
	int count;
	struct known at[KNOWN_MAX];
};
static struct picture made; /* what the tree was */

MAYBE_UNUSED static int make_socket(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	strncpy(name.sun_path, path, sizeof(name.sun_path) - 1);
	result = bind(fd, (struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1));
	int error = errno;
	close(fd);
	errno = error;
	return result;
}

static void make_thing(const struct thing *thing)
{
	switch (thing->kind) {
	case 'd':
		MUST(mkdir(thing->path, 0755));
		break;
	case 'f':
		write_file(thing->path, thing->path, 0644);
		break;
	case 'l':
		MUST(symlink(thing->target, thing->path));
		break;
	case 'p':
		MUST(mkfifo(thing->path, 0644));
		break;
	default:
		MUST(make_socket(thing->path));
	}
}

/* Removes a name and what is below it, whatever it is. */
MAYBE_UNUSED static void remove_all(int dirfd, const char *name)
{
	struct dirent *entry;
	DIR *dir;
	int fd;

	if (unlinkat(dirfd, name, 0) == 0)
		return;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		fchmod(fd, 0755);
		dir = fdopendir(fd);
		while (dir && (entry = readdir(dir)))
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				remove_all(fd, entry->d_name);
		if (dir)
			closedir(dir);
	}
	unlinkat(dirfd, name, AT_REMOVEDIR);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->path, ((const struct known *)b)->path);
}

/* Notes the entries of a directory and of those below it: / itself without its directories but /t. */
static void look_into(struct picture *picture, const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (!dir)
		return;
	while ((entry = readdir(dir)) && picture->count < KNOWN_MAX) {
		struct known *known = &picture->at[picture->count];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (path[1] == '\0' && entry->d_type == DT_DIR && strcmp(entry->d_name, "t") != 0 &&
		    strncmp(entry->d_name, "new", 3) != 0)
			continue;
		memset(known, 0, sizeof(*known));
		snprintf(known->path, sizeof(known->path), "%s/%.40s", path[1] ? path : "", entry->d_name);
		known->ino = entry->d_ino;
		known->type = entry->d_type;
		picture->count++;
		if (entry->d_type == DT_DIR) {
			char below[64];

			memcpy(below, known->path, sizeof(below));
			look_into(picture, below);
		}
	}
	closedir(dir);
}

static void take_picture(struct picture *picture)
{
	picture->count = 0;
	look_into(picture, "/");
	qsort(picture->at, (size_t)picture->count, sizeof(picture->at[0]), by_path);
}

/* Makes the tree anew; the working directory is /t afterwards. */
MAYBE_UNUSED static void tree_make(void)
{
	umask(022);
	MUST(chdir("/"));
	remove_all(AT_FDCWD, "/t");
	remove_all(AT_FDCWD, "/new");
	for (size_t i = 0; i < COUNT(things); i++)
		make_thing(&things[i]);
	take_picture(&made);
	MUST(chdir("/t"));
}

/* --- what a call reached ------------------------------------------------------------------------------------------------------ */

static const char *type_name(mode_t mode)
{
	return S_ISREG(mode)  ? "file"
	     : S_ISDIR(mode)  ? "directory"
	     : S_ISLNK(mode)  ? "link"
	     : S_ISFIFO(mode) ? "fifo"
	     : S_ISSOCK(mode) ? "socket"
			      : "device";
}

/* The path under which this was when the tree was made. */
static const char *name_of(dev_t dev, ino_t ino, mode_t mode)
{
	static struct stat root, tree;
	static char text[64];

	stat("/", &root);
	if (dev == root.st_dev && ino == root.st_ino)
		return "/";
	if (stat("/t", &tree) == 0 && dev == tree.st_dev)
		for (int i = 0; i < made.count; i++)
			if (made.at[i].ino == ino)
				return made.at[i].path;
	snprintf(text, sizeof(text), "%s %s", stat("/proc", &root) == 0 && dev == root.st_dev ? "procfs" : "new", type_name(mode));
	return text;
}

MAYBE_UNUSED static const char *stat_name(const struct stat *st)
{
	return name_of(st->st_dev, st->st_ino, st->st_mode);
}

MAYBE_UNUSED static const char *fd_name(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? stat_name(&st) : errno_name(errno);
}

static char reached[512]; /* what a call wants printed besides its result; emptied by show_path() */

__attribute__((format(printf, 1, 2))) MAYBE_UNUSED static void reach(const char *format, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, format);
	vsnprintf(reached, sizeof(reached), format, ap);
	va_end(ap);
	errno = saved;
}

/* For a descriptor: notes what it is and closes it. */
MAYBE_UNUSED static long reach_fd(long fd)
{
	if (fd >= 0) {
		reach("%s", fd_name((int)fd));
		close((int)fd);
	}
	return fd < 0 ? -1 : 0;
}

MAYBE_UNUSED static void show_path(const char *what, const char *path, long result)
{
	if (result == -1)
		say("%s \"%s\": %s", what, path, errno_name(errno));
	else
		say("%s \"%s\": %s", what, path, reached[0] ? reached : "ok");
	reached[0] = '\0';
}

/* Prints how the tree differs from what it was, and makes it so again. True when it differed. */
MAYBE_UNUSED static bool tree_changed(void)
{
	static struct picture is;
	bool changed = false, harmless = true;
	int i = 0, j = 0;

	take_picture(&is);
	while (i < made.count || j < is.count) {
		const struct known *was = &made.at[i], *now = &is.at[j];
		int order = i == made.count ? 1 : j == is.count ? -1 : strcmp(was->path, now->path);
		const char *name = order < 0 ? NULL : "new";

		if (order == 0 && was->ino == now->ino && was->type == now->type) {
			i++, j++;
			continue;
		}
		for (int k = 0; name && k < made.count; k++)
			if (made.at[k].ino == now->ino && made.at[k].type == now->type)
				name = made.at[k].path;
		if (order < 0)
			say("  gone %s", was->path);
		else
			say("  %s %s: %s %s", order ? "more" : "else", now->path, name, type_name((mode_t)DTTOIF(now->type)));
		changed = true;
		if (order > 0)
			remove_all(AT_FDCWD, now->path);
		else
			harmless = false;
		i += order <= 0;
		j += order >= 0;
	}
	if (!harmless)
		tree_make();
	MUST(chdir("/t"));
	return changed;
}

/* --- sets of calls -------------------------------------------------------------------------------------------------------------- */

/* A call that takes a path, with everything else fixed. */
struct path_call {
	const char *name;
	long (*call)(const char *path);
};

/* Which of many cases are tried: a part of them where a system call costs 75 us. */
MAYBE_UNUSED static bool chosen(size_t number)
{
	static int step;

	if (!step)
		step = getenv("DIFFTEST_SLOW") ? 6 : 1;
	return number % (size_t)step == 0;
}

/* Each call on each shape of a path; those that change something with what they changed. */
MAYBE_UNUSED static void all_shapes(const struct path_call *calls, size_t count, bool changing)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < COUNT(shapes); k++) {
			long result;

			if (!chosen(i + k))
				continue;
			result = calls[i].call(shapes[k]);
			show_path(calls[i].name, shapes[k], result);
			if (changing && result != -1)
				tree_changed();
		}
}

#endif
