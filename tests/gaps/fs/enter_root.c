// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's own guest root, the oracle of the tests beside this file: runs a program in a root directory, in a mount namespace of
 * its own, with /proc and /dev in it, and with directories of the host.
 *
 *     enter_root --rootfs DIR [-v HOST:GUEST[:ro]]… [--nobody] -- PROGRAM [ARG…]
 *
 * pivot_root rather than chroot where bind mounts are allowed, so that the way up ends at the root for descriptors too. /dev is
 * read-only: it is the machine's own. gVisor of 2022 has no bind mounts: there it is a chroot with a /proc and no /dev.
 */
#include "difftest.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static void bind_at(const char *root, char *from_to)
{
	char *to = strchr(from_to, ':'), *flags, path[PATH_MAX];

	*to++ = '\0';
	flags = strchr(to, ':');
	if (flags)
		*flags = '\0';
	snprintf(path, sizeof(path), "%s%s", root, to);
	MUST(mount(from_to, path, NULL, MS_BIND | MS_REC, NULL));
	if (flags)
		MUST(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

static void enter(const char *root)
{
	char path[PATH_MAX];
	bool binds;

	binds = mount(root, root, NULL, MS_BIND | MS_REC, NULL) == 0;
	snprintf(path, sizeof(path), "%s/proc", root);
	if (!binds || mount("/proc", path, NULL, MS_BIND | MS_REC, NULL) != 0)
		MUST(mount("proc", path, "proc", 0, NULL));
	snprintf(path, sizeof(path), "%s/dev", root);
	if (binds && mount("/dev", path, NULL, MS_BIND, NULL) == 0)
		MUST(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	MUST(chdir(root));
	if (binds && syscall(SYS_pivot_root, ".", ".") == 0)
		MUST(umount2(".", MNT_DETACH));
	else
		MUST(chroot("."));
	MUST(chdir("/"));
}

int main(int argc, char **argv)
{
	const char *root = NULL;
	bool nobody = false;
	int i;

	MUST(unshare(CLONE_NEWNS | CLONE_NEWIPC));
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); /* gVisor knows no propagation */
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--rootfs") == 0 && argv[i + 1])
			root = argv[++i];
		else if (strcmp(argv[i], "-v") == 0 && argv[i + 1] && root)
			bind_at(root, argv[++i]);
		else if (strcmp(argv[i], "--nobody") == 0)
			nobody = true;
	if (!root || i + 1 >= argc)
		return 2;
	enter(root);
	if (nobody) {
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		if (!become(65534, 65534))
			return 2;
	}
	execv(argv[i + 1], argv + i + 1);
	say("%s: %s", argv[i + 1], errno_name(errno));
	return 127;
}
