// SPDX-License-Identifier: Apache-2.0
/* umount2: its flags, what keeps a mount busy, what a detached one still is. */
#include "mounts.h"

static void place(const char *path)
{
	MUST(mount("t", path, "tmpfs", 0, NULL));
}

static void lazy(void)
{
	char text[64] = "";
	int dir, file;

	place("/m/a");
	write_file("/m/a/file", "still there", 0644);
	MUST(mkdir("/m/a/in", 0755));
	place("/m/a/in");
	write_file("/m/a/in/file", "below", 0644);
	dir = (int)MUST(open("/m/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	file = (int)MUST(open("/m/a/file", O_RDWR | O_CLOEXEC));
	OK(umount2("/m/a", 0));
	OK(umount2("/m/a", MNT_DETACH));
	show_mounts("detached");
	list("/m/a");
	SHOW(read(file, text, sizeof(text)));
	SHOW(write(file, "more", 4));
	OK(faccessat(dir, "file", F_OK, 0));
	OK(close(openat(dir, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644)));
	OK(faccessat(dir, "new", F_OK, 0));
	close(dir);
	close(file);
	place("/m/a");
	list("/m/a");
	OK(umount("/m/a"));
}

static void expire(void)
{
	place("/m/a");
	OK(umount2("/m/a", MNT_EXPIRE));
	OK(umount2("/m/a", MNT_EXPIRE));
	OK(umount2("/m/a", MNT_EXPIRE));
	place("/m/a");
	OK(umount2("/m/a", MNT_EXPIRE));
	OK(access("/m/a/x", F_OK));
	OK(umount2("/m/a", MNT_EXPIRE));
	OK(umount2("/m/a", MNT_EXPIRE | MNT_DETACH));
	OK(umount2("/m/a", MNT_EXPIRE | MNT_FORCE));
	OK(umount2("/m/a", MNT_EXPIRE | UMOUNT_NOFOLLOW));
	show_mounts("expired");
}

static void busy(void)
{
	int fd;

	place("/m/a");
	MUST(chdir("/m/a"));
	OK(umount("/m/a"));
	MUST(chdir("/"));
	fd = (int)MUST(open("/m/a/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	OK(umount("/m/a"));
	OK(umount2("/m/a", MNT_EXPIRE));
	OK(umount2("/m/a", MNT_FORCE));
	OK(mount(NULL, "/m/a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	OK(mount(NULL, "/m/a", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	close(fd);
	fd = (int)MUST(open("/m/a/f", O_PATH | O_CLOEXEC));
	OK(umount("/m/a"));
	close(fd);
	MUST(mkdir("/m/a/in", 0755));
	place("/m/a/in");
	OK(umount("/m/a"));
	OK(umount("/m/a/in"));
	struct gate ready = gate_new(), go = gate_new();
	pid_t pid = fork();

	if (pid == 0) {
		MUST(chdir("/m/a/in"));
		gate_open(&ready);
		gate_wait(&go);
		_exit(0);
	}
	gate_wait(&ready);
	OK(umount("/m/a"));
	gate_open(&go);
	reap(pid);
	OK(umount("/m/a"));
}

static void flags(void)
{
	OK(umount2("/m/a", 0x10));
	OK(umount2("/m/none", 0x10));
	OK(umount2(bad_pointer(), 0x10));
	OK(umount2(bad_pointer(), 0));
	OK(umount2("", 0));
	OK(umount2("/m/none", 0));
	OK(umount2("/m/a", 0));
	OK(umount2("/m/a", MNT_FORCE));
	OK(umount2("/m/file", 0));
	OK(umount2("/m/file/x", 0));
	OK(umount2("/m/a/in_a", MNT_DETACH));
	OK(umount2("/m/dangling", 0));
	OK(umount2("/m/dangling", UMOUNT_NOFOLLOW));
	place("/m/a");
	MUST(mkdir("/m/a/d", 0755));
	OK(umount2("/m/a/d", 0));
	OK(umount2("/m/to_a", UMOUNT_NOFOLLOW));
	OK(umount2("/m/to_a/", UMOUNT_NOFOLLOW));
	place("/m/a");
	OK(umount2("/m/to_a", 0));
	OK(umount2("/m/to_a", 0));
}

int main(void)
{
	make_places();
	flags();
	lazy();
	expire();
	busy();
	show_mounts("after");
	return 0;
}
