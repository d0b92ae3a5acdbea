// SPDX-License-Identifier: Apache-2.0
/* /proc/PID/mountinfo, mounts, mountstats, /proc/mounts: names with blanks, what changes. */
#include "mounts.h"

#include <poll.h>

static void lines_with(const char *path, const char *what)
{
	static char text[65536];
	char *rest = text, *line;

	say("%s:", path);
	read_file(path, text, sizeof(text));
	while ((line = strsep(&rest, "\n")))
		if (strstr(line, what))
			say("  %s", line);
}

static void odd_names(void)
{
	MUST(mkdir("/m/with blank\tand\\more", 0755));
	MUST(mount("a source, #with\nthings", "/m/with blank\tand\\more", "tmpfs", MS_NOSUID, "size=12k"));
	show_mounts("odd");
	lines_with("/proc/self/mounts", " /m/");
	lines_with("/proc/mounts", " /m/");
	lines_with("/proc/self/mountstats", " /m/");
	lines_with("/proc/thread-self/mounts", " /m/");
	OK(umount("/m/with blank\tand\\more"));
}

static void changes(void)
{
	static char text[65536];
	int fd = (int)MUST(open("/proc/self/mounts", O_RDONLY | O_CLOEXEC));
	struct stat st;

	MUST(mount("new", "/m/b", "tmpfs", 0, NULL));
	lines_with("/proc/self/mounts", " /m/");
	close(fd);
	OK(umount("/m/b"));
	lines_with("/proc/self/mounts", " /m/");
	read_file("/proc/self/mounts", text, sizeof(text));
	FACT(strstr(text, " / ") != NULL);
	FACT(strstr(text, " /proc proc ") != NULL);
	OK(stat("/proc/self/mountinfo", &st));
	SHOW(st.st_size);
	say("mode %o", st.st_mode);
}

/* A device number of a mount is that of what lies in it. */
static void devices(void)
{
	struct stat a, b;

	MUST(mount("one", "/m/a", "tmpfs", 0, NULL));
	MUST(mount("/m/a", "/m/b", NULL, MS_BIND, NULL));
	MUST(stat("/m/a", &a));
	MUST(stat("/m/b", &b));
	FACT(a.st_dev == b.st_dev);
	FACT(a.st_ino == b.st_ino);
	OK(umount("/m/b"));
	OK(umount("/m/a"));
}

/* statx: on which mount, and whether at its root. */
static void on_which(const char *path)
{
	static char text[65536];
	char *rest = text, *row;
	struct statx x;
	int id = 0, same = 0;

	memset(&x, 0, sizeof(x));
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_MNT_ID, &x) != 0) {
		say("statx %s: %s", path, errno_name(errno));
		return;
	}
	read_file("/proc/self/mountinfo", text, sizeof(text));
	while ((row = strsep(&rest, "\n")))
		if (sscanf(row, "%d", &id) == 1 && (unsigned long long)id == x.stx_mnt_id)
			same++;
	say("statx %s:%s%s, %d rows with this number", path, x.stx_mask & STATX_MNT_ID ? " number" : "",
	    x.stx_attributes & STATX_ATTR_MOUNT_ROOT ? " root" : "", same);
}

static void numbers(void)
{
	MUST(mount("one", "/m/a", "tmpfs", 0, NULL));
	MUST(mkdir("/m/a/d", 0755));
	MUST(mount("/m/file", "/m/file2", NULL, MS_BIND, NULL));
	on_which("/");
	on_which("/m");
	on_which("/m/a");
	on_which("/m/a/d");
	on_which("/m/a/..");
	on_which("/m/file");
	on_which("/m/file2");
	on_which("/m/to_a");
	on_which("/m/to_a/");
	OK(umount("/m/file2"));
	OK(umount("/m/a"));
}

int main(void)
{
	make_places();
	odd_names();
	changes();
	devices();
	numbers();
	return 0;
}
