// SPDX-License-Identifier: Apache-2.0
/* MS_MOVE, and what moves with it. */
#include "mounts.h"

int main(void)
{
	char text[128];

	make_places();
	MUST(mount("t", "/m/a", "tmpfs", 0, NULL));
	MUST(mkdir("/m/a/in", 0755));
	MUST(mkdir("/m/a/other", 0755));
	MUST(mount("/m/c", "/m/a/in", NULL, MS_BIND, NULL));
	show_mounts("before");
	MUST(chdir("/m/a/other"));
	OK(mount("/m/a", "/m/b", NULL, MS_MOVE, NULL));
	show_mounts("moved");
	list("/m/a");
	list("/m/b");
	list("/m/b/in");
	OK(access("../other", F_OK));
	OK(access("../in/in_c", F_OK));
	say("cwd %s", getcwd(text, sizeof(text)) ? text : errno_name(errno));
	MUST(chdir("/"));
	OK(mount("/m/b", "/m/b/other", NULL, MS_MOVE, NULL));
	OK(mount("/m/b", "/m/b/in", NULL, MS_MOVE, NULL));
	OK(mount("/m/b/in", "/m/d", NULL, MS_MOVE, NULL));
	OK(mount("/m/d", "/m/file", NULL, MS_MOVE, NULL));
	OK(mount("/m/e", "/m/f", NULL, MS_MOVE, NULL));
	OK(mount("/m/none", "/m/f", NULL, MS_MOVE, NULL));
	OK(mount("/m/b", "/m/none", NULL, MS_MOVE, NULL));
	OK(mount("", "/m/f", NULL, MS_MOVE, NULL));
	OK(mount(NULL, "/m/f", NULL, MS_MOVE, NULL));
	OK(mount("/m/b/other", "/m/f", NULL, MS_MOVE, NULL));
	OK(mount("/m/b", "/m/b", NULL, MS_MOVE, NULL));
	show_mounts("twice");
	OK(mount("/m/d", "/m/b", NULL, MS_MOVE, NULL)); /* onto a mount */
	list("/m/b");
	show_mounts("on top");
	OK(umount("/m/b"));
	list("/m/b");
	MUST(mount("/m/file", "/m/file2", NULL, MS_BIND, NULL));
	OK(mount("/m/file2", "/m/e/in_e", NULL, MS_MOVE, NULL));
	show_file("/m/file2");
	show_file("/m/e/in_e");
	OK(mount("/m/e/in_e", "/m/e", NULL, MS_MOVE, NULL));
	OK(umount("/m/e/in_e"));
	/* from and to below what is shared */
	MUST(mount(NULL, "/m/b", NULL, MS_SHARED, NULL));
	MUST(mount("/m/f", "/m/b/in", NULL, MS_BIND, NULL));
	OK(mount("/m/b/in", "/m/g", NULL, MS_MOVE, NULL));
	MUST(mount("/m/f", "/m/g", NULL, MS_BIND, NULL));
	OK(mount("/m/g", "/m/b/other", NULL, MS_MOVE, NULL));
	show_mounts("shared");
	MUST(mount("/m/f", "/m/g", NULL, MS_BIND, NULL));
	MUST(mount(NULL, "/m/g", NULL, MS_UNBINDABLE, NULL));
	OK(mount("/m/g", "/m/b/other", NULL, MS_MOVE, NULL));
	OK(umount("/m/g"));
	OK(umount2("/m/b", MNT_DETACH));
	show_mounts("after");
	return 0;
}
