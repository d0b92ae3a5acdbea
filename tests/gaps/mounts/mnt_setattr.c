// SPDX-License-Identifier: Apache-2.0
/* mount_setattr(2). */
#include "mnt_api.h"

static void set(const char *path, unsigned int flags, unsigned long long on, unsigned long long off, unsigned long long propagation)
{
	struct mount_attr attr = { .attr_set = on, .attr_clr = off, .propagation = propagation };
	int r = mount_setattr(AT_FDCWD, path, flags, &attr, sizeof(attr));

	say("%s %#x +%#llx -%#llx %#llx: %s", path, flags, on, off, propagation, r ? errno_name(errno) : "ok");
}

static void sizes(void)
{
	struct {
		struct mount_attr attr;
		unsigned long long more;
	} big = { .attr = { .attr_set = MOUNT_ATTR_NODEV } };

	OK(mount_setattr(AT_FDCWD, "/m/a", 0, &big.attr, sizeof(big)));
	big.more = 1;
	OK(mount_setattr(AT_FDCWD, "/m/a", 0, &big.attr, sizeof(big)));
	OK(mount_setattr(AT_FDCWD, "/m/a", 0, &big.attr, 16));
	OK(mount_setattr(AT_FDCWD, "/m/a", 0, &big.attr, 5000));
	OK(mount_setattr(AT_FDCWD, "/m/a", 0, bad_pointer(), sizeof(big.attr)));
	OK(mount_setattr(AT_FDCWD, bad_pointer(), 0, &big.attr, sizeof(big.attr)));
	OK(mount_setattr(AT_FDCWD, "/m/none", 0, &big.attr, sizeof(big.attr)));
}

int main(void)
{
	int fd;

	make_places();
	MUST(mount("t", "/m/a", "tmpfs", 0, NULL));
	MUST(mkdir("/m/a/in", 0755));
	MUST(mount("u", "/m/a/in", "tmpfs", 0, NULL));
	sizes();
	set("/m/a", 0, MOUNT_ATTR_RDONLY, 0, 0);
	try_create("/m/a/x");
	try_create("/m/a/in/x");
	show_mounts("read-only");
	set("/m/a", AT_RECURSIVE, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, 0);
	try_create("/m/a/x");
	show_mounts("recursive");
	set("/m/a", 0, MOUNT_ATTR_NOATIME, 0, 0);
	set("/m/a", 0, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0);
	show_mounts("noatime");
	set("/m/a", 0, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0);
	set("/m/a", 0, MOUNT_ATTR_NODIRATIME, 0, 0);
	show_mounts("strictatime");
	set("/m/a", 0, 0, MOUNT_ATTR__ATIME, 0);
	set("/m/a", 0, MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0);
	set("/m/a", 0, 0, MOUNT_ATTR_NOATIME, 0);
	set("/m/a", 0, 0x200000 /* MOUNT_ATTR_NOSYMFOLLOW */, 0, 0);
	set("/m/a", 0, 0x8, 0, 0);
	set("/m/a", 0, 0, 0x8, 0);
	set("/m/a", 0, 0, 0, 0);
	set("/m/a", 0x10, MOUNT_ATTR_RDONLY, 0, 0);
	set("/m/a/in/none", 0, 0, 0, 0);
	set("/m/b", 0, MOUNT_ATTR_RDONLY, 0, 0);
	set("/m/a", AT_RECURSIVE, 0, 0, MS_SHARED);
	show_mounts("shared");
	set("/m/a", 0, 0, 0, MS_SLAVE);
	set("/m/a", 0, 0, 0, MS_SLAVE | MS_SHARED);
	set("/m/a", 0, 0, 0, MS_RDONLY);
	set("/m/a", AT_RECURSIVE, 0, 0, MS_PRIVATE);
	show_mounts("private");
	set("/m/a", 0, 0x100000 /* MOUNT_ATTR_IDMAP */, 0, 0);
	set("/m/to_a", AT_SYMLINK_NOFOLLOW, MOUNT_ATTR_RDONLY, 0, 0);
	fd = open_tree(AT_FDCWD, "/m/a", OPEN_TREE_CLONE | AT_RECURSIVE);
	show_fd("clone", fd);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	OK(mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)));
	OK(move_mount(fd, "", AT_FDCWD, "/m/c", MOVE_MOUNT_F_EMPTY_PATH));
	show_mounts("clone");
	try_create("/m/c/in/x");
	try_create("/m/a/in/x");
	close(fd);
	return 0;
}
