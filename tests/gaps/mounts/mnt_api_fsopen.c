// SPDX-License-Identifier: Apache-2.0
/* fsopen(2), fsconfig(2), fsmount(2), fspick(2). */
#include "mnt_api.h"

static void errors(void)
{
	int fd;

	show_fd("none", fsopen("none", 0));
	show_fd("bad", fsopen(bad_pointer(), 0));
	show_fd("flags", fsopen("tmpfs", 2));
	fd = fsopen("tmpfs", FSOPEN_CLOEXEC);
	show_fd("tmpfs", fd);
	show_fd("too early", fsmount(fd, 0, 0));
	OK(fsconfig(fd, 99, "size", "1m", 0));
	OK(fsconfig(77, FSCONFIG_SET_STRING, "size", "1m", 0));
	OK(fsconfig(STDIN_FILENO, FSCONFIG_SET_STRING, "size", "1m", 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, NULL, "1m", 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "size", NULL, 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "size", "1m", 1));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, bad_pointer(), "1m", 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "size", bad_pointer(), 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "size", "x", 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "none", "x", 0));
	OK(fsconfig(fd, FSCONFIG_SET_FLAG, "none", NULL, 0));
	OK(fsconfig(fd, FSCONFIG_SET_FLAG, "size", NULL, 0));
	OK(fsconfig(fd, FSCONFIG_SET_FLAG, "ro", "x", 0));
	OK(fsconfig(fd, FSCONFIG_SET_FLAG, "ro", NULL, 1));
	OK(fsconfig(fd, FSCONFIG_SET_FD, "size", NULL, 0));
	OK(fsconfig(fd, FSCONFIG_CMD_CREATE, "x", NULL, 0));
	OK(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	OK(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	OK(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "size", "1m", 0));
	show_fd("flags", fsmount(fd, 2, 0));
	show_fd("attributes", fsmount(fd, 0, 0x8));
	show_fd("not one", fsmount(STDIN_FILENO, 0, 0));
	show_fd("closed", fsmount(77, 0, 0));
	close(fd);
}

static void make(void)
{
	int fd = fsopen("tmpfs", 0), mnt;
	struct stat st;

	show_fd("fsopen", fd);
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "source", "named", 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "source", "twice", 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "size", "64k", 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "mode", "0710", 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "uid", "7", 0));
	OK(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	mnt = fsmount(fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	show_fd("fsmount", mnt);
	show_fd("again", fsmount(fd, 0, 0));
	OK(mkdirat(mnt, "made", 0755));
	show_mounts("not yet");
	OK(move_mount(mnt, "", AT_FDCWD, "/m/a", MOVE_MOUNT_F_EMPTY_PATH));
	show_mounts("mounted");
	list("/m/a");
	MUST(stat("/m/a", &st));
	say("mode %o uid %d", st.st_mode, (int)st.st_uid);
	show_flags("/m/a");
	close(mnt);
	close(fd);
}

static void pick(void)
{
	int fd = fspick(AT_FDCWD, "/m/a", 0);

	show_fd("fspick", fd);
	OK(fsconfig(fd, FSCONFIG_SET_FLAG, "ro", NULL, 0));
	OK(fsconfig(fd, FSCONFIG_SET_STRING, "size", "128k", 0));
	OK(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	OK(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	show_mounts("reconfigured");
	try_create("/m/a/x");
	OK(fsconfig(fd, FSCONFIG_SET_FLAG, "rw", NULL, 0));
	OK(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	show_mounts("once more");
	try_create("/m/a/x");
	show_fd("fsmount", fsmount(fd, 0, 0));
	close(fd);
	show_fd("no mount point", fspick(AT_FDCWD, "/m/b", 0));
	show_fd("no path", fspick(AT_FDCWD, "/m/none", 0));
	show_fd("flags", fspick(AT_FDCWD, "/m/a", 0x100));
	OK(umount("/m/a"));
}

static void other_types(void)
{
	static const char *const types[] = { "proc", "sysfs", "mqueue", "ramfs", "devpts" };

	for (size_t i = 0; i < COUNT(types); i++) {
		int fd = fsopen(types[i], 0), mnt;

		show_fd(types[i], fd);
		OK(fsconfig(fd, FSCONFIG_SET_STRING, "source", "of it", 0));
		OK(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
		mnt = fsmount(fd, 0, 0);
		show_fd("mnt", mnt);
		OK(move_mount(mnt, "", AT_FDCWD, "/m/b", MOVE_MOUNT_F_EMPTY_PATH));
		show_mounts(" ");
		OK(umount2("/m/b", MNT_DETACH));
		close(mnt);
		close(fd);
	}
}

int main(void)
{
	make_places();
	errors();
	make();
	pick();
	other_types();
	return 0;
}
