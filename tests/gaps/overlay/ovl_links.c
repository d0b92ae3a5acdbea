/* SPDX-License-Identifier: Apache-2.0 */
/* Paths through what was made in the upper layer and is no directory: links to directories are followed, files are ENOTDIR. */
#include "overlay_test.h"

static void through(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	say("%s: %s \"%s\"", path, fd < 0 ? errno_name(errno) : "open", text);
}

int main(int argc, char **argv)
{
	struct stat st;

	DUMP_IF_ASKED();
	MUST(mkdir("/a/new", 0755));
	MUST(mkdir("/a/new/usr", 0755));
	MUST(mkdir("/a/new/usr/lib", 0755));
	write_file("/a/new/usr/lib/file", "text", 0644);
	MUST(symlink("usr/lib", "/a/new/lib"));
	through("/a/new/lib/file");
	SHOW(lstat("/a/new/lib/file", &st));
	SHOW(mkdir("/a/new/lib/sub", 0755));
	write_file("/a/new/lib/sub/file", "in sub", 0644);
	through("/a/new/usr/lib/sub/file");
	say_names("/a/new/lib");
	say_names("/a/new/lib/sub");
	/* to a lower layer, by an absolute path, and above a link of a lower layer */
	MUST(symlink("/a/dir", "/a/new/dir"));
	through("/a/new/dir/sub/deep");
	MUST(symlink("new/dir", "/a/again"));
	through("/a/again/sub/deep");
	write_file("/a/again/sub/made", "made", 0644);
	through("/a/dir/sub/made");
	/* links that move */
	SHOW(rename("/a/new/lib", "/a/new/lib2"));
	through("/a/new/lib2/sub/file");
	through("/a/new/lib/sub/file");
	SHOW(link("/a/new/lib2", "/a/new/usr/loop"));
	through("/a/new/usr/loop/file");
	/* in the place of what a lower layer had */
	MUST(unlink("/a/one"));
	MUST(symlink("dir", "/a/one"));
	through("/a/one/sub/deep");
	MUST(rmdir("/a/empty"));
	MUST(symlink("dir2", "/a/empty"));
	through("/a/empty/in/y");
	/* files */
	write_file("/a/file", "file", 0644);
	through("/a/file/x");
	SHOW(link("/a/file", "/a/file2"));
	through("/a/file2/x/y");
	SHOW(rename("/a/file2", "/a/file3"));
	through("/a/file3/x");
	through("/a/file2/x");
	append("/a/two", "+");
	through("/a/two/x");
	MUST(mkfifo("/a/pipe", 0644));
	through("/a/pipe/x");
	return 0;
}
