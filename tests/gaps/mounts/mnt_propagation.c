// SPDX-License-Identifier: Apache-2.0
/* Propagation as in mount_namespaces(7): shared, private, slave, unbindable, within a namespace. */
#include "mounts.h"

static void type(const char *path, unsigned long flags)
{
	int r = mount(NULL, path, NULL, flags, NULL);

	say("%s %#lx: %s", path, flags, r ? errno_name(errno) : "ok");
}

static void within(void)
{
	MUST(mount("/m/a", "/m/a", NULL, MS_BIND, NULL));
	type("/m/a", MS_SHARED);
	show_mounts("shared");
	MUST(mount("/m/a", "/m/b", NULL, MS_BIND, NULL));
	show_mounts("peers");
	OK(mount("/m/c", "/m/a/sub", NULL, MS_BIND, NULL));
	show_mounts("propagated");
	list("/m/b/sub");
	OK(umount("/m/b/sub"));
	list("/m/a/sub");
	type("/m/b", MS_SLAVE);
	show_mounts("slave");
	OK(mount("/m/c", "/m/a/sub", NULL, MS_BIND, NULL));
	list("/m/b/sub");
	OK(umount("/m/b/sub"));
	list("/m/a/sub");
	OK(umount("/m/a/sub"));
	OK(mount("/m/c", "/m/b/sub", NULL, MS_BIND, NULL));
	list("/m/a/sub");
	OK(umount("/m/b/sub"));
	type("/m/b", MS_SHARED);
	show_mounts("shared slave");
	MUST(mount("/m/b", "/m/d", NULL, MS_BIND, NULL));
	OK(mount("/m/c", "/m/a/sub", NULL, MS_BIND, NULL));
	show_mounts("three of them");
	OK(umount("/m/a/sub"));
	show_mounts("none of them");
	type("/m/b", MS_PRIVATE);
	show_mounts("private");
	type("/m/b", MS_UNBINDABLE);
	show_mounts("unbindable");
	OK(mount("/m/b", "/m/e", NULL, MS_BIND, NULL));
	OK(mount("/m", "/m/e", NULL, MS_BIND | MS_REC, NULL));
	show_mounts("without it");
	OK(umount2("/m/e", MNT_DETACH));
	type("/m/b", MS_SLAVE);
	type("/m/a", MS_SLAVE);
	show_mounts("slaves of nobody");
	OK(umount("/m/d"));
	OK(umount("/m/b"));
	OK(umount("/m/a"));
}

/* Below a shared mount: new mounts are shared, and a bind of a part gets what is mounted in that part. */
static void parts(void)
{
	MUST(mount("/m/a", "/m/a", NULL, MS_BIND, NULL));
	type("/m/a", MS_SHARED | MS_REC);
	MUST(mount("/m/a/sub", "/m/b", NULL, MS_BIND, NULL));
	show_mounts("part");
	OK(mount("t", "/m/a/sub/deep", "tmpfs", 0, NULL));
	show_mounts("below the part");
	write_file("/m/a/sub/deep/x", "x", 0644);
	list("/m/b/deep");
	OK(umount("/m/b/deep"));
	show_mounts("gone");
	OK(mount("t", "/m/b", "tmpfs", 0, NULL)); /* on the root of a peer */
	show_mounts("on the root");
	OK(umount("/m/b"));
	OK(umount("/m/b"));
	OK(umount("/m/a"));
	show_mounts("none");
}

static void errors(void)
{
	type("/m/a", MS_SHARED);
	type("/m/none", MS_SHARED);
	MUST(mount("/m/a", "/m/a", NULL, MS_BIND, NULL));
	type("/m/a", MS_SHARED | MS_SLAVE);
	type("/m/a", MS_SHARED | MS_NOSUID);
	type("/m/a", MS_SHARED | MS_SILENT);
	type("/m/a/sub", MS_PRIVATE);
	MUST(mount("/m/b", "/m/a/sub", NULL, MS_BIND, NULL));
	type("/m/a", MS_PRIVATE | MS_REC);
	show_mounts("private");
	type("/m/a", MS_SLAVE | MS_REC);
	show_mounts("slave of nobody");
	type("/m/a", MS_SHARED);
	type("/m/a", MS_UNBINDABLE | MS_REC);
	show_mounts("unbindable");
	OK(umount2("/m/a", MNT_DETACH));
}

int main(void)
{
	make_places();
	errors();
	within();
	parts();
	show_mounts("after");
	return 0;
}
