// SPDX-License-Identifier: Apache-2.0
/* Mounts of several namespaces and root directories: what one does and the other sees. */
#include "mounts.h"

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

static void of_another(void)
{
	struct gate ready = gate_new(), go = gate_new();
	char path[64];
	pid_t pid = fork();

	if (pid == 0) {
		MUST(unshare(CLONE_NEWNS));
		MUST(mount("of the child", "/m/c", "tmpfs", 0, NULL));
		gate_open(&ready);
		gate_wait(&go);
		_exit(0);
	}
	gate_wait(&ready);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	show_table("a child's", path, "/m");
	show_mounts("mine");
	gate_open(&go);
	reap(pid);
	OK(open(path, O_RDONLY | O_CLOEXEC));
}

static void below_a_root(void)
{
	MUST(mkdir("/m/d/proc", 0755));
	MUST(mount("p", "/m/d/proc", "proc", 0, NULL));
	MUST(mount("outside", "/m/e", "tmpfs", 0, NULL));
	pid_t pid = fork();

	if (pid == 0) {
		MUST(chroot("/m/d"));
		MUST(chdir("/"));
		lines_with("/proc/self/mounts", "/proc");
		lines_with("/proc/self/mounts", "outside");
		MUST(mkdir("/x", 0755));
		MUST(mount("inside", "/x", "tmpfs", 0, NULL));
		lines_with("/proc/self/mounts", "inside");
		_exit(0);
	}
	reap(pid);
	lines_with("/proc/self/mounts", "inside");
	OK(umount("/m/d/x"));
	OK(umount("/m/d/proc"));
	OK(umount("/m/e"));
}

static void type(const char *path, unsigned long flags)
{
	int r = mount(NULL, path, NULL, flags, NULL);

	say("%s %#lx: %s", path, flags, r ? errno_name(errno) : "ok");
}

/* Another namespace: mounts of shared mounts are seen in both, of private ones in one. */
static void namespaces(void)
{
	struct gate ready = gate_new(), go = gate_new();
	pid_t pid;

	MUST(mount("/m/a", "/m/a", NULL, MS_BIND, NULL));
	type("/m/a", MS_SHARED);
	MUST(mount("/m/b", "/m/b", NULL, MS_BIND, NULL));
	pid = fork();
	if (pid == 0) {
		if (OK(unshare(CLONE_NEWNS)) != 0)
			_exit(1);
		show_mounts("child's");
		gate_open(&ready);
		gate_wait(&go);
		show_mounts("child's, after the parent's");
		list("/m/a/sub");
		list("/m/b");
		OK(mount("/m/d", "/m/a/sub/deep", NULL, MS_BIND, NULL));
		OK(umount("/m/a/sub"));
		OK(mount("/m/d", "/m/a/sub/deep", NULL, MS_BIND, NULL));
		type("/m/a", MS_SLAVE);
		OK(mount("/m/d", "/m/a", NULL, MS_BIND, NULL));
		show_mounts("child's at last");
		gate_open(&ready);
		gate_wait(&go);
		show_mounts("child's at the end");
		_exit(0);
	}
	gate_wait(&ready);
	OK(mount("/m/c", "/m/a/sub", NULL, MS_BIND, NULL));
	OK(mount("/m/c", "/m/b", NULL, MS_BIND, NULL));
	gate_open(&go);
	gate_wait(&ready);
	show_mounts("parent's");
	OK(umount2("/m/a", MNT_DETACH));
	show_mounts("parent's at last");
	gate_open(&go);
	reap(pid);
	OK(umount("/m/b"));
	OK(umount("/m/b"));
}

int main(void)
{
	make_places();
	namespaces();
	of_another();
	below_a_root();
	show_mounts("after");
	return 0;
}
