/* SPDX-License-Identifier: Apache-2.0 */
/* rename(2) between what layers have. */
#include "overlay_test.h"

static int noreplace(const char *a, const char *b)
{
	return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_NOREPLACE);
}

static void files(void)
{
	SHOW(rename("/a/one", "/a/uno"));
	say_file("/a/one");
	say_file("/a/uno");
	SHOW(rename("/a/uno", "/a/one"));
	say_file("/a/one");
	SHOW(rename("/a/one", "/a/two"));
	say_file("/a/two");
	say_file("/a/one");
	SHOW(rename("/a/three", "/a/one"));
	say_names("/a");
	SHOW(rename("/a/link", "/a/dir/link"));
	say_file("/a/dir/link");
	SHOW(rename("/a/fifo", "/a/dir/sub/fifo"));
	say_file("/a/dir/sub/fifo");
	SHOW(rename("/a/two", "/a/dir"));
	SHOW(rename("/a/two", "/a/two"));
	SHOW(rename("/a/two", "/a/none/x"));
	SHOW(rename("/a/two", "/a/mode/x"));
	SHOW(rename("/a/two/", "/a/x"));
	SHOW(noreplace("/a/two", "/a/mode"));
	SHOW(noreplace("/a/two", "/a/three"));
	say_file("/a/three");
	say_names("/a");
}

static void directories(void)
{
	SHOW(rename("/a/dir2", "/a/moved"));
	SHOW(rename("/a/dir2", "/a/mode"));
	SHOW(rename("/a/dir2", "/a/dir3"));
	MUST(mkdir("/a/made", 0755));
	write_file("/a/made/file", "made", 0644);
	MUST(mkdir("/a/made/sub", 0755));
	SHOW(rename("/a/made", "/a/dir2"));
	SHOW(rename("/a/made", "/a/mode"));
	SHOW(rename("/a/made", "/a/made/sub/x"));
	SHOW(rename("/a/made", "/a/made2"));
	say_names("/a/made2");
	SHOW(rename("/a/made2", "/a/empty"));
	say_names("/a/empty");
	say_file("/a/empty/file");
	SHOW(rename("/a/empty", "/a/made"));
	say_file("/a/empty");
	/* over a directory that was emptied */
	MUST(unlink("/a/dir3/in/y"));
	MUST(rmdir("/a/dir3/in"));
	MUST(unlink("/a/dir3/x"));
	SHOW(rename("/a/made", "/a/dir3"));
	say_names("/a/dir3");
	say_file("/a/dir3/x");
	say_file("/a/dir3/file");
	/* where one was removed */
	SHOW(rename("/a/dir3", "/a/made"));
	say_file("/a/dir3");
	SHOW(rename("/a/made", "/a/dir3"));
	say_names("/a/dir3");
	write_file("/a/dir3/sub/x", "x", 0600);
	say_names("/a/dir3/sub");
	/* a file where a directory was, and the other way round */
	MUST(unlink("/a/dir2/in/y"));
	MUST(rmdir("/a/dir2/in"));
	MUST(unlink("/a/dir2/x"));
	MUST(rmdir("/a/dir2"));
	SHOW(rename("/a/times", "/a/dir2"));
	say_file("/a/dir2");
	say_file("/a/dir2/x");
	MUST(unlink("/a/dir2"));
	SHOW(rename("/a/dir3", "/a/times"));
	say_names("/a/times");
}

int main(int argc, char **argv)
{
	DUMP_IF_ASKED();
	umask(022);
	files();
	directories();
	return 0;
}
