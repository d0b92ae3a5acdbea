// SPDX-License-Identifier: Apache-2.0
/* rename and link and their kin on pairs of paths: the errno, or what became of the tree. */
#include "fs_test.h"

static int top; /* a descriptor of /t */

static const char *const from[] = {
	"",         "/",     ".",      "..",         "dir/.",   "dir/..",   "file",        "file/",     "dir",
	"dir/",     "empty", "new",    "new/",       "to_file", "to_file/", "to_dir",      "to_dir/",   "to_dir/in",
	"dangling", "loop",  "loop/x", "abs_dir/in", "above",   "fifo",     "root/t/file", "/../t/dir",
};
static const char *const to[] = {
	"",          "/",       "..",         "dir/.",       "file",     "new",         "new/",      "/new",
	"dir",       "dir/",    "empty",      "empty/",      "dir/new",  "dir/sub/new", "dir/sub",   "none/new",
	"file/new",  "to_file", "to_file/",   "to_dir",      "to_dir/",  "to_dir/new",  "to_empty/", "dangling",
	"dangling/", "loop/x",  "abs_dir/in", "slashes/new", "root/new",
};

struct pair_call {
	const char *name;
	long (*call)(const char *from, const char *to);
};

static long rename_plain(const char *a, const char *b)
{
	return syscall(SYS_rename, a, b);
}

static long rename_at(const char *a, const char *b)
{
	return syscall(SYS_renameat, top, a, AT_FDCWD, b);
}

static long rename_noreplace(const char *a, const char *b)
{
	return syscall(SYS_renameat2, AT_FDCWD, a, top, b, RENAME_NOREPLACE);
}

static long rename_exchange(const char *a, const char *b)
{
	return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static long link_plain(const char *a, const char *b)
{
	return syscall(SYS_link, a, b);
}

static long link_follow(const char *a, const char *b)
{
	return syscall(SYS_linkat, AT_FDCWD, a, top, b, AT_SYMLINK_FOLLOW);
}

#define CALL(name)          \
	{                   \
#name, name \
	}
static const struct pair_call calls[] = {
	CALL(rename_plain), CALL(rename_at), CALL(rename_noreplace), CALL(rename_exchange), CALL(link_plain), CALL(link_follow),
};

static void one(const struct pair_call *call, const char *a, const char *b)
{
	long result = call->call(a, b);

	say("%s \"%s\" \"%s\": %s", call->name, a, b, result == 0 ? "ok" : errno_name(errno));
	if (result == 0 && tree_changed()) {
		close(top); /* the tree may be another now */
		top = (int)MUST(open("/t", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	}
}

int main(void)
{
	size_t n = 0;

	tree_make();
	top = (int)MUST(open("/t", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	for (size_t i = 0; i < COUNT(calls); i++)
		for (size_t k = 0; k < COUNT(from); k++)
			for (size_t m = 0; m < COUNT(to); m++)
				if (chosen(n++) && (k + m) % 2 == 0)
					one(&calls[i], from[k], to[m]);
	return 0;
}
