// SPDX-License-Identifier: Apache-2.0
/* AT_EMPTY_PATH, flags that a call does not know, O_TMPFILE and how its file gets a name, descriptors that are no directories. */
#include "fs_test.h"

#include <sys/xattr.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static void say_stat(const char *what, int fd, const char *path, int flags)
{
	struct stat st;

	if (fstatat(fd, path, &st, flags) == 0)
		reach("%s links %d", stat_name(&st), S_ISDIR(st.st_mode) ? 0 : (int)st.st_nlink), show_path(what, path, 0);
	else
		show_path(what, path, -1);
}

static void flags_on(const char *what, int fd, const char *path)
{
	static const int list[] = { 0,
				    AT_EMPTY_PATH,
				    AT_SYMLINK_NOFOLLOW,
				    AT_SYMLINK_FOLLOW,
				    AT_NO_AUTOMOUNT,
				    AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
				    AT_REMOVEDIR,
				    1 << 20,
				    AT_STATX_FORCE_SYNC,
				    AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW };

	for (size_t i = 0; i < COUNT(list); i++) {
		struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
		struct statx stx;
		int flags = list[i];

		say("%s, \"%s\", flags %#x", what, path, flags);
		say_stat(" stat", fd, path, flags);
		show_path(" statx", path, syscall(SYS_statx, fd, path, flags, 0, &stx));
		show_path(" chown", path, syscall(SYS_fchownat, fd, path, -1, -1, flags));
		show_path(" chmod", path, syscall(SYS_fchmodat2, fd, path, 0755, flags));
		show_path(" access", path, syscall(SYS_faccessat2, fd, path, F_OK, flags));
		show_path(" utimens", path, syscall(SYS_utimensat, fd, path, times, flags));
		times[0].tv_nsec = times[1].tv_nsec = UTIME_NOW;
		show_path(" utimens", path, syscall(SYS_utimensat, fd, path, times, flags));
		show_path(" link", path, syscall(SYS_linkat, fd, path, AT_FDCWD, "/t/new", flags));
		tree_changed();
		if (path[0] == '\0' || flags != AT_REMOVEDIR)
			show_path(" unlink", path, syscall(SYS_unlinkat, fd, path, flags));
		tree_changed();
		show_path(" rename", path, syscall(SYS_renameat2, fd, path, AT_FDCWD, "/t/new", flags));
		tree_changed();
		show_path(" execveat", path,
			  syscall(SYS_execveat, fd, path, (char *[]){ (char[]){ "x" }, NULL }, (char *[]){ NULL }, flags));
	}
	show_path("readlinkat", path, syscall(SYS_readlinkat, fd, path, (char[64]){ 0 }, 64L) < 0 ? -1 : 0);
	show_path("utimensat NULL", path, syscall(SYS_utimensat, fd, NULL, NULL, 0));
	show_path("utimensat NULL", path, syscall(SYS_utimensat, fd, NULL, NULL, AT_SYMLINK_NOFOLLOW));
	show_path("utimensat NULL", path, syscall(SYS_utimensat, fd, NULL, NULL, AT_EMPTY_PATH));
	show_path("futimesat NULL", path, syscall(SYS_futimesat, fd, NULL, NULL));
}

static void descriptors(void)
{
	int dir = (int)MUST(open("/t/dir", O_RDONLY | O_DIRECTORY)), file = (int)MUST(open("/t/file", O_RDONLY)),
	    path = (int)MUST(open("/t/file", O_PATH)), link = (int)MUST(open("/t/to_file", O_PATH | O_NOFOLLOW)),
	    dangling = (int)MUST(open("/t/dangling", O_PATH | O_NOFOLLOW)), pipes[2];

	MUST(pipe(pipes));
	flags_on("directory", dir, "");
	flags_on("directory", dir, "up/to_file");
	flags_on("file", file, "");
	flags_on("file", file, "x");
	flags_on("O_PATH", path, "");
	flags_on("O_PATH of a link", link, "");
	flags_on("O_PATH of a link", link, "x");
	flags_on("O_PATH of a dangling link", dangling, "");
	flags_on("pipe", pipes[0], "");
	flags_on("none", 1000, "");
	flags_on("working directory", AT_FDCWD, "");
	for (int fd = 3; fd < 64; fd++)
		close(fd);
}

static void tmpfile_in(const char *path, int flags)
{
	char link[64];
	int fd = open(path, O_TMPFILE | flags, 0640);

	if (fd < 0) {
		show_path("O_TMPFILE", path, -1);
		return;
	}
	say("O_TMPFILE \"%s\": %s", path, fd_name(fd));
	say_stat("it", fd, "", AT_EMPTY_PATH);
	if (write(fd, "text", 4) != 4)
		say("not written: %s", errno_name(errno));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	show_path("linkat", "fd", linkat(AT_FDCWD, link, AT_FDCWD, "/t/dir/new", AT_SYMLINK_FOLLOW));
	say_stat("it", AT_FDCWD, "/t/dir/new", 0);
	show_path("linkat", "again", linkat(AT_FDCWD, link, AT_FDCWD, "/t/dir/new", AT_SYMLINK_FOLLOW));
	show_path("linkat", "elsewhere", linkat(AT_FDCWD, link, AT_FDCWD, "/t/to_dir/new2", AT_SYMLINK_FOLLOW));
	say_stat("it", fd, "", AT_EMPTY_PATH);
	show_path("rename", "", rename("/t/dir/new", "/t/dir/new2"));
	close(fd);
	tree_changed();
}

static void tmpfiles(void)
{
	tmpfile_in(".", O_RDWR);
	tmpfile_in("/", O_WRONLY);
	tmpfile_in("to_dir", O_RDWR);
	tmpfile_in("abs_dir/..", O_RDWR);
	tmpfile_in("dir/", O_RDWR | O_EXCL);
	tmpfile_in("dir", O_RDONLY);
	tmpfile_in("dir", O_RDWR | O_CREAT);
	tmpfile_in("to_dir", O_RDWR | O_NOFOLLOW);
	tmpfile_in("file", O_RDWR);
	tmpfile_in("new", O_RDWR);
	tmpfile_in("loop", O_RDWR);
	tmpfile_in("/proc", O_RDWR);
}

/* Hard links: counts, and names of one file. */
static void hard_links(void)
{
	int fd = (int)MUST(open("file", O_RDONLY));
	char text[64], path[64];
	ssize_t n;

	OK(link("file", "new"));
	OK(link("to_file", "dir/new"));
	OK(linkat(AT_FDCWD, "abs_file", AT_FDCWD, "dir/sub/new", AT_SYMLINK_FOLLOW));
	say_stat("links", AT_FDCWD, "file", 0);
	say_stat("links", AT_FDCWD, "to_file", AT_SYMLINK_NOFOLLOW);
	OK(rename("file", "new"));
	say_stat("one renamed onto the other", AT_FDCWD, "file", 0);
	OK(unlink("file"));
	say_stat("links", fd, "", AT_EMPTY_PATH);
	OK(unlink("new"));
	OK(rename("dir/sub/new", "file"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, text, sizeof(text));
	say("opened as: %.*s", (int)n, text);
	say_stat("links", fd, "", AT_EMPTY_PATH);
	close(fd);
	tree_make();
	OK(link("dir", "new"));
	OK(link("fifo", "new"));
	tree_changed();
	OK(link("socket", "new"));
	tree_changed();
	OK(link("file", "fifo"));
}

/* No path at all; flags are 32 bits, whatever a program leaves above them. */
static void odd_arguments(void)
{
	struct stat st;

	OK(syscall(SYS_newfstatat, AT_FDCWD, NULL, &st, AT_EMPTY_PATH));
	OK(syscall(SYS_newfstatat, AT_FDCWD, NULL, &st, 0));
	OK(syscall(SYS_newfstatat, AT_FDCWD, "file", &st, 1L << 32));
	OK(syscall(SYS_faccessat2, AT_FDCWD, "file", R_OK, 1L << 32));
	OK(syscall(SYS_fchownat, AT_FDCWD, "file", -1, -1, 1L << 32));
	OK(syscall(SYS_utimensat, AT_FDCWD, "file", NULL, 1L << 32));
}

int main(void)
{
	tree_make();
	descriptors();
	tmpfiles();
	hard_links();
	odd_arguments();
	return 0;
}
