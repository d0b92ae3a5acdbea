// SPDX-License-Identifier: Apache-2.0
/* Groups are directories: what is in them, what may be made and removed, what the file system says it is. */
#include "cgroup_test.h"

#include <sys/inotify.h>

static void contents(void)
{
	static const char *const names[] = {
		"cgroup.type",
		"cgroup.procs",
		"cgroup.threads",
		"cgroup.controllers",
		"cgroup.subtree_control",
		"cgroup.events",
		"cgroup.max.depth",
		"cgroup.stat",
		"cgroup.freeze",
		"cgroup.kill",
		"cgroup.max.descendants",
		"cpu.stat",
		"cpu.pressure",
		"memory.pressure",
		"io.pressure",
		"hugetlb.2MB.max",
		"hugetlb.2MB.current",
		"none",
		"cgroup.clone_children",
		"tasks",
		"pids.max",
	};
	struct stat st;

	for (size_t i = 0; i < COUNT(names); i++)
		if (stat(names[i], &st) < 0)
			say("%s: %s", names[i], errno_name(errno));
		else
			say("%s: mode %o uid %d", names[i], st.st_mode, (int)st.st_uid);
	MUST(stat(".", &st));
	say("group: mode %o uid %d", st.st_mode, (int)st.st_uid);
	show("cgroup.type");
	show("cgroup.procs");
	show("cgroup.controllers");
	show("cgroup.subtree_control");
	show("cgroup.events");
	show("cgroup.freeze");
	show("cgroup.kill");
	show("cgroup.max.depth");
	show("cgroup.max.descendants");
	FACT(has_line("cgroup.stat", "nr_descendants 0"));
	FACT(has_line("cpu.stat", "usage_usec 0"));
	show("../cgroup.events");
	show("../cgroup.type");
	show("../cgroup.max.depth");
}

static void file_system(void)
{
	struct statfs fs;
	int fd;

	MUST(statfs(".", &fs));
	say("statfs: %lx", (long)fs.f_type);
	fd = MUST(open("cgroup.procs", O_RDONLY));
	MUST(fstatfs(fd, &fs));
	say("fstatfs of a file open for reading: %lx", (long)fs.f_type);
	close(fd);
	fd = MUST(open("cgroup.procs", O_WRONLY));
	MUST(fstatfs(fd, &fs));
	say("fstatfs of a file open for writing: %lx", (long)fs.f_type);
	close(fd);
	fd = MUST(open("cgroup.type", O_RDONLY));
	MUST(fstatfs(fd, &fs));
	say("fstatfs of another file: %lx", (long)fs.f_type);
	close(fd);
	fd = MUST(open(".", O_RDONLY | O_DIRECTORY));
	MUST(fstatfs(fd, &fs));
	say("fstatfs of the directory: %lx", (long)fs.f_type);
	close(fd);
}

static void changes(void)
{
	OK(mkdir("a", 0755));
	OK(mkdir("a", 0755));
	OK(mkdir("a/b", 0700));
	OK(mkdir("none/b", 0755));
	OK(mkdir("new\nline", 0755));
	OK(rmdir("a"));
	OK(unlink("a"));
	OK(rmdir("cgroup.procs"));
	OK(unlink("cgroup.procs"));
	OK(unlink("none"));
	OK(symlink("a", "link"));
	OK(link("cgroup.procs", "link"));
	OK(mknod("fifo", S_IFIFO | 0600, 0));
	OK(open("file", O_RDWR | O_CREAT, 0600));
	OK(open("cgroup.procs", O_RDWR | O_CREAT | O_EXCL, 0600));
	OK(open("a", O_WRONLY));
	OK(open(".", O_TMPFILE | O_RDWR, 0600));
	OK(open("cgroup.type/", O_RDONLY));
	OK(rename("a", "c"));
	OK(rename("cgroup.procs", "c"));
	OK(rmdir("none"));
	OK(rmdir("."));
	OK(rmdir("a/b"));
	OK(chmod("a", 0750));
	OK(chown("a", 12, 34));
	OK(chmod("a/cgroup.procs", 0666));
	struct stat st;
	MUST(stat("a", &st));
	say("a: mode %o uid %d gid %d", st.st_mode & 07777, (int)st.st_uid, (int)st.st_gid);
	MUST(stat("a/cgroup.procs", &st));
	say("a/cgroup.procs: mode %o", st.st_mode & 07777);
	OK(rmdir("a"));
	OK(rmdir("a"));
	OK(truncate("cgroup.type", 0));
	OK(access("cgroup.procs", W_OK));
}

/* A group that is gone while something of it is open. */
static void removed(void)
{
	char byte;

	OK(mkdir("gone", 0755));
	int dir = MUST(open("gone", O_RDONLY | O_DIRECTORY));
	int file = MUST(open("gone/cgroup.freeze", O_WRONLY));
	OK(rmdir("gone"));
	say("write: %s", write(file, "0", 1) < 0 ? errno_name(errno) : "ok");
	OK(openat(dir, "cgroup.procs", O_RDONLY));
	OK(mkdirat(dir, "below", 0755));
	close(dir);
	close(file);
	OK(mkdir("gone", 0755));
	FACT(read(MUST(open("gone/cgroup.procs", O_RDONLY)), &byte, 1) == 0);
	OK(rmdir("gone"));
}

static void directories(void)
{
	int dir = MUST(open(".", O_PATH | O_DIRECTORY));

	OK(mkdirat(dir, "by_fd", 0755));
	OK(openat(dir, "by_fd/cgroup.procs", O_RDONLY));
	OK(faccessat(dir, "by_fd/cgroup.procs", R_OK, 0));
	OK(unlinkat(dir, "by_fd", 0));
	OK(unlinkat(dir, "by_fd", AT_REMOVEDIR));
	close(dir);
}

/* A group bound elsewhere is the same group. */
static void bound(void)
{
	OK(mkdir("a", 0755));
	OK(mkdir("/mnt/other", 0755));
	OK(mount("a", "/mnt/other", NULL, MS_BIND, NULL));
	OK(mkdir("/mnt/other/b", 0755));
	OK(access("a/b/cgroup.procs", R_OK));
	OK(rmdir("a/b"));
	OK(access("/mnt/other/b", F_OK));
	OK(mount(NULL, "/mnt/other", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	OK(mkdir("/mnt/other/b", 0755));
	OK(open("/mnt/other/cgroup.procs", O_WRONLY));
	close(MUST(open("/mnt/other/cgroup.procs", O_RDONLY)));
	OK(umount("/mnt/other"));
	OK(rmdir("a"));
	OK(mount("again", "/mnt/other", "cgroup2", 0, NULL));
	char path[128];
	snprintf(path, sizeof(path), "/mnt/other/%s/cgroup.procs", group_name);
	FACT(access(path, F_OK) == 0);
	OK(umount("/mnt/other"));
	OK(mount("bad", "/mnt/other", "cgroup2", 0, "nonsense"));
}

int main(void)
{
	enter_group();
	contents();
	file_system();
	changes();
	removed();
	directories();
	bound();
	return 0;
}
