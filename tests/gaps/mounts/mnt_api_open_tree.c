// SPDX-License-Identifier: Apache-2.0
/* open_tree(2) and move_mount(2). */
#include "mnt_api.h"

static void errors(void)
{
	show_fd("plain", open_tree(AT_FDCWD, "/m/a", 0));
	show_fd("cloexec", open_tree(AT_FDCWD, "/m/a", OPEN_TREE_CLOEXEC));
	show_fd("no path", open_tree(AT_FDCWD, "/m/none", OPEN_TREE_CLONE));
	show_fd("bad path", open_tree(AT_FDCWD, bad_pointer(), OPEN_TREE_CLONE));
	show_fd("empty", open_tree(AT_FDCWD, "", OPEN_TREE_CLONE));
	show_fd("empty path", open_tree(AT_FDCWD, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
	show_fd("flags", open_tree(AT_FDCWD, "/m/a", OPEN_TREE_CLONE | 0x2));
	show_fd("recursive alone", open_tree(AT_FDCWD, "/m/a", AT_RECURSIVE));
	show_fd("link", open_tree(AT_FDCWD, "/m/to_a", OPEN_TREE_CLONE));
	show_fd("link itself", open_tree(AT_FDCWD, "/m/to_a", OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW));
	show_fd("bad fd", open_tree(77, "a", OPEN_TREE_CLONE));
	OK(move_mount(AT_FDCWD, "/m/a", AT_FDCWD, "/m/b", 0));
	OK(move_mount(AT_FDCWD, "/m/a", AT_FDCWD, "/m/b", 0x80000000));
	OK(move_mount(AT_FDCWD, bad_pointer(), AT_FDCWD, "/m/b", 0));
	OK(move_mount(AT_FDCWD, "/m/a", AT_FDCWD, bad_pointer(), 0));
	OK(move_mount(AT_FDCWD, "", AT_FDCWD, "/m/b", 0));
	OK(move_mount(77, "", AT_FDCWD, "/m/b", MOVE_MOUNT_F_EMPTY_PATH));
	OK(move_mount(AT_FDCWD, "/m/none", AT_FDCWD, "/m/b", 0));
	OK(move_mount(AT_FDCWD, "/m/a", AT_FDCWD, "/m/none", 0));
}

static void clone_tree(void)
{
	int fd, dir;

	MUST(mount("t", "/m/a/sub", "tmpfs", 0, NULL));
	write_file("/m/a/sub/file", "mounted", 0644);
	fd = open_tree(AT_FDCWD, "/m/a", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	show_fd("clone", fd);
	show_at(fd, "in_a");
	show_at(fd, "sub/file");
	show_at(fd, "sub/deep");
	show_mounts("not yet");
	OK(move_mount(fd, "", AT_FDCWD, "/m/b", MOVE_MOUNT_F_EMPTY_PATH));
	show_mounts("moved");
	list("/m/b/sub");
	show_at(fd, "in_a");
	OK(move_mount(fd, "", AT_FDCWD, "/m/c", MOVE_MOUNT_F_EMPTY_PATH));
	show_mounts("moved again");
	close(fd);
	OK(umount("/m/c"));
	fd = open_tree(AT_FDCWD, "/m/a", OPEN_TREE_CLONE | AT_RECURSIVE);
	show_fd("recursive clone", fd);
	show_at(fd, "sub/file");
	dir = (int)MUST(open("/m/d", O_PATH | O_CLOEXEC));
	OK(move_mount(fd, "", dir, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
	show_mounts("both");
	show_file("/m/d/sub/file");
	close(dir);
	close(fd);
	OK(umount2("/m/d", MNT_DETACH));
	fd = open_tree(AT_FDCWD, "/m/file", OPEN_TREE_CLONE);
	show_fd("file", fd);
	OK(move_mount(fd, "", AT_FDCWD, "/m/b", MOVE_MOUNT_F_EMPTY_PATH));
	OK(move_mount(fd, "", AT_FDCWD, "/m/file2", MOVE_MOUNT_F_EMPTY_PATH));
	show_file("/m/file2");
	close(fd);
	OK(umount("/m/file2"));
	/* one that is closed without having been used */
	fd = open_tree(AT_FDCWD, "/m/a", OPEN_TREE_CLONE | AT_RECURSIVE);
	close(fd);
	show_mounts("closed");
	OK(umount("/m/a/sub"));
}

static void plain_move(void)
{
	int fd;

	MUST(mount("/m/e", "/m/a", NULL, MS_BIND, NULL));
	OK(move_mount(AT_FDCWD, "/m/a", AT_FDCWD, "/m/b", 0));
	show_mounts("moved by name");
	fd = open_tree(AT_FDCWD, "/m/b", OPEN_TREE_CLOEXEC);
	OK(move_mount(fd, "", AT_FDCWD, "/m/c", MOVE_MOUNT_F_EMPTY_PATH));
	show_mounts("moved by descriptor");
	close(fd);
	OK(move_mount(AT_FDCWD, "/m/to_a", AT_FDCWD, "/m/b", 0));
	OK(move_mount(AT_FDCWD, "/m/c", AT_FDCWD, "/m/to_a", 0));
	OK(move_mount(AT_FDCWD, "/m/c", AT_FDCWD, "/m/to_a", MOVE_MOUNT_T_SYMLINKS));
	show_mounts("through a link");
	OK(umount("/m/a"));
	/* a tree that another process gets */
	fd = open_tree(AT_FDCWD, "/m/e", OPEN_TREE_CLONE);
	CHILD({ OK(move_mount(fd, "", AT_FDCWD, "/m/f", MOVE_MOUNT_F_EMPTY_PATH)); });
	close(fd);
	show_mounts("by a child");
	OK(umount("/m/f"));
}

int main(void)
{
	make_places();
	errors();
	clone_tree();
	plain_move();
	return 0;
}
