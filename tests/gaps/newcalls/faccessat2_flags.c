/* SPDX-License-Identifier: Apache-2.0 */
/* faccessat2: flags, modes, paths and descriptors. */
#include "difftest.h"

static long ask(const char *what, int dirfd, const char *path, int mode, int flags)
{
	long r = syscall(SYS_faccessat2, dirfd, path, mode, flags);

	say("%s mode %d flags %#x: %s", what, mode, (unsigned)flags, r ? errno_name(errno) : "ok");
	return r;
}

static void files(void)
{
	static const char *const names[] = { "file",    "ro",     "exec", "none", "folder", "link", "dangling",
					     "missing", "file/x", "pipe", "",     ".",      "/" };
	static const int flags[] = { 0,
				     AT_EACCESS,
				     AT_SYMLINK_NOFOLLOW,
				     AT_EACCESS | AT_SYMLINK_NOFOLLOW,
				     AT_EMPTY_PATH,
				     AT_EMPTY_PATH | AT_EACCESS,
				     AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW };

	for (unsigned i = 0; i < COUNT(names); i++)
		for (unsigned f = 0; f < COUNT(flags); f++)
			for (int mode = 0; mode < 8; mode++)
				ask(names[i], AT_FDCWD, names[i], mode, flags[f]);
}

static void descriptors(void)
{
	int file = (int)MUST(open("file", O_RDONLY)), folder = (int)MUST(open("folder", O_PATH)),
	    link = (int)MUST(open("link", O_PATH | O_NOFOLLOW)), ends[2], gone = (int)MUST(open("gone", O_CREAT | O_RDONLY, 0400));
	static const int flags[] = { AT_EMPTY_PATH, AT_EMPTY_PATH | AT_EACCESS, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW };

	MUST(pipe(ends));
	MUST(unlink("gone"));
	for (unsigned f = 0; f < COUNT(flags); f++)
		for (int mode = 0; mode < 8; mode++) {
			ask("file", file, "", mode, flags[f]);
			ask("folder", folder, "", mode, flags[f]);
			ask("link itself", link, "", mode, flags[f]);
			ask("pipe", ends[0], "", mode, flags[f]);
			ask("removed file", gone, "", mode, flags[f]);
			ask("bad", 9999, "", mode, flags[f]);
			ask("-1", -1, "", mode, flags[f]);
			ask("inner", folder, "inner", mode, flags[f]);
		}
	ask("relative to a file", file, "x", 0, AT_EACCESS);
	ask("relative to nothing", 9999, "x", 0, AT_EACCESS);
	ask("relative to nothing", 9999, "x", 0, AT_SYMLINK_NOFOLLOW);
	ask("absolute", 9999, "/", 0, AT_SYMLINK_NOFOLLOW);
}

static void arguments(void)
{
	char *name = bad_pointer();

	ask("mode", AT_FDCWD, "file", 8, 0);
	ask("mode", AT_FDCWD, "file", -1, AT_EACCESS);
	ask("mode", AT_FDCWD, name, 8, AT_EACCESS);
	for (unsigned bit = 1; bit; bit <<= 1)
		if (!(bit & (AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
			ask("flag", AT_FDCWD, "file", 0, (int)bit);
	ask("pointer", AT_FDCWD, name, 0, 0);
	ask("pointer", AT_FDCWD, name, 0, AT_EACCESS);
	ask("pointer", AT_FDCWD, name, 0, AT_EMPTY_PATH);
	ask("pointer", AT_FDCWD, name, 0, AT_SYMLINK_NOFOLLOW);
	ask("no pointer", AT_FDCWD, NULL, 0, AT_EMPTY_PATH);
	ask("no pointer", 0, NULL, 0, AT_EMPTY_PATH);
	ask("up to a guard page", AT_FDCWD, tail_copy("file", 5), 0, AT_EACCESS);
	ask("over it", AT_FDCWD, tail_copy("file", 4), 0, AT_EMPTY_PATH);
}

static void everything(const char *who)
{
	say("as %s:", who);
	files();
	descriptors();
	arguments();
}

int main(void)
{
	write_file("file", "x", 0640);
	write_file("ro", "x", 0444);
	write_file("exec", "x", 0755);
	write_file("none", "x", 0);
	MUST(mkdir("folder", 0750));
	write_file("folder/inner", "x", 0600);
	MUST(symlink("file", "link"));
	MUST(symlink("nowhere", "dangling"));
	MUST(mkfifo("pipe", 0620));
	everything("the user");
	chmod(".", 0777);
	if (getuid() == 0) {
		/* The tests' root, but for root's rights. */
		AS_USER(12345, 12345, {
			for (int mode = 0; mode < 8; mode++)
				for (int i = 0; i < 2; i++) {
					int flags = i ? AT_EACCESS : AT_SYMLINK_NOFOLLOW;

					ask("other: file", AT_FDCWD, "file", mode, flags);
					ask("other: ro", AT_FDCWD, "ro", mode, flags);
					ask("other: exec", AT_FDCWD, "exec", mode, flags);
					ask("other: folder", AT_FDCWD, "folder", mode, flags);
					ask("other: inner", AT_FDCWD, "folder/inner", mode, flags);
					ask("other: link", AT_FDCWD, "link", mode, flags);
				}
		});
	}
	return 0;
}
