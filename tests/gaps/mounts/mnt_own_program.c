// SPDX-License-Identifier: Apache-2.0
/* A program that runs from a read-only mount which is gone sees by its own descriptors that it does: how runc and crun know that nobody can overwrite them. */
#include "../fs/fs_test.h"

#include <sys/mount.h>
#include <sys/vfs.h>

static bool is_read_only(const char *path)
{
	struct statfs fs = { .f_flags = 0 };
	int fd = open(path, O_RDONLY);
	bool is = fd >= 0 && fstatfs(fd, &fs) == 0 && (fs.f_flags & 1 /* ST_RDONLY */);

	close(fd);
	return is;
}

int main(int argc, char **argv)
{
	char word[] = "again", *again[] = { argv[0], word, NULL };
	struct statfs fs = { .f_flags = 0 };
	int fd;

	if (argc > 1) {
		FACT(is_read_only("/proc/self/exe"));
		FACT(is_read_only("/proc/self/exe")); /* and it stays so */
		FACT(is_read_only("/t/file"));
		return 0;
	}
	tree_make();
	write_file("/t/file", "x", 0644);
	write_file("/t/program", "", 0755);
	FACT(is_read_only("/proc/self/exe"));
	OK(mount("/proc/self/exe", "/t/program", "", MS_BIND, ""));
	OK(mount("", "/t/program", "", MS_REMOUNT | MS_BIND | MS_RDONLY, ""));
	fd = open("/t/program", O_PATH | O_CLOEXEC);
	FACT(fd >= 0);
	OK(umount2("/t/program", MNT_DETACH));
	OK(fstatfs(fd, &fs));
	FACT(fs.f_flags & 1);
	OK(unlink("/t/program"));
	fflush(stdout);
	fexecve(fd, again, environ);
	FACT(!"executed");
	return 1;
}
