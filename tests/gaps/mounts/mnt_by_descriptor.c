// SPDX-License-Identifier: Apache-2.0
/* Mount points named by descriptors, /proc/self/fd/N, as runc does: what is meant is the mount that the descriptor was opened on, also where its files are at two places. */
#include "../fs/fs_test.h"

#include <sys/mount.h>

static const char *target_of(int fd)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

static void bind_at(const char *source, const char *target)
{
	int before = open(target, O_PATH | O_CLOEXEC), after;

	printf("%s on %s\n", source, target);
	OK(mount(source, target_of(before), "", MS_BIND | MS_REC, NULL));
	OK(mount("", target_of(before), "", MS_REC | MS_PRIVATE, NULL)); /* what lies below is no mount point of its own */
	after = open(target, O_PATH | O_CLOEXEC);
	OK(mount("", target_of(after), "", MS_REC | MS_PRIVATE, NULL));
	OK(mount("", target_of(after), "", MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	close(before);
	close(after);
}

/* An overlay that is bound on itself, as runc has its root: what is mounted on a directory of a lower layer hangs on the upper one of the two. */
static void on_overlay(void)
{
	int fd;

	for (const char *const *name = (const char *const[]){ "/t/low", "/t/low/sub", "/t/up", "/t/work", "/t/o", NULL }; *name;
	     name++)
		MUST(mkdir(*name, 0755));
	OK(mount("overlay", "/t/o", "overlay", 0, "lowerdir=/t/low,upperdir=/t/up,workdir=/t/work"));
	OK(mount("/t/o", "/t/o", "", MS_BIND | MS_REC, NULL));
	fd = open("/t/o/sub", O_PATH | O_CLOEXEC);
	OK(mount("tmpfs", target_of(fd), "tmpfs", 0, NULL));
	close(fd);
	OK(mkdir("/t/o/sub/in", 0755));
	OK(access("/t/low/sub/in", F_OK));
	OK(access("/t/up/sub/in", F_OK));
	OK(umount2("/t/o/sub", 0));
	OK(access("/t/o/sub/in", F_OK));
	OK(umount2("/t/o", 0));
	OK(umount2("/t/o", 0));
}

int main(void)
{
	int fd;

	tree_make();
	MUST(mkdir("/t/a", 0755));
	MUST(mkdir("/t/a/sub", 0755));
	MUST(mkdir("/t/b", 0755));
	write_file("/t/from", "from", 0644);
	write_file("/t/to", "to", 0644);
	bind_at("/t/from", "/t/to");
	bind_at("/t/a", "/t/b");
	OK(open("/t/to", O_WRONLY));
	OK(mkdir("/t/b/new", 0755));
	OK(mkdir("/t/a/new", 0755)); /* the source is not read-only */
	fd = open("/t/b/sub", O_PATH | O_DIRECTORY | O_CLOEXEC);
	OK(mkdirat(fd, "new", 0755));
	OK(mount("", target_of(fd), "", MS_REC | MS_PRIVATE, NULL)); /* no mount point */
	OK(umount2("/t/to", 0));
	OK(umount2("/t/to", 0));
	OK(umount2("/t/b", MNT_DETACH));
	on_overlay();
	return 0;
}
