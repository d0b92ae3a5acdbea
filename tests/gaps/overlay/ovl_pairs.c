/* SPDX-License-Identifier: Apache-2.0 */
/* What needs RENAME_EXCHANGE, O_TMPFILE and two names of one file, which not every kernel has. */
#include "overlay_test.h"

static int exchange(const char *a, const char *b)
{
	return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static void unnamed(void)
{
	int fd = open("/a/dir3/in", O_TMPFILE | O_RDWR | O_CLOEXEC, 0640);
	char link[64];

	MUST(fd);
	SHOW(write(fd, "unnamed", 7));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	SHOW(linkat(AT_FDCWD, link, AT_FDCWD, "/a/dir3/in/named", AT_SYMLINK_FOLLOW));
	say_file("/a/dir3/in/named");
	SHOW(unlink("/a/dir3/in/y"));
	SHOW(linkat(AT_FDCWD, link, AT_FDCWD, "/a/dir3/in/y", AT_SYMLINK_FOLLOW));
	say_file("/a/dir3/in/y");
	close(fd);
}

static void exchanging(void)
{
	SHOW(exchange("/a/three", "/a/mode"));
	say_file("/a/three");
	say_file("/a/mode");
	SHOW(unlink("/a/two"));
	SHOW(exchange("/a/three", "/a/two"));
	SHOW(link("/a/owner", "/a/owner2"));
	SHOW(rename("/a/owner", "/a/owner2"));
	MUST(mkdir("/a/made", 0755));
	write_file("/a/made/file", "made", 0644);
	SHOW(exchange("/a/made", "/a/mode"));
	say_names("/a/mode");
	say_file("/a/made");
	SHOW(exchange("/a/dir2", "/a/mode"));
	SHOW(exchange("/a/mode", "/a/dir2"));
	say_names("/a");
	/* a link takes the place of a directory, and the other way round */
	MUST(symlink("dir2", "/a/new"));
	MUST(mkdir("/a/made2", 0755));
	SHOW(exchange("/a/new", "/a/made2"));
	say_names("/a/new");
	say_names("/a/made2/in");
	say_file("/a/made2/in/y");
}

int main(int argc, char **argv)
{
	DUMP_IF_ASKED();
	umask(022);
	unnamed();
	exchanging();
	return 0;
}
