// SPDX-License-Identifier: Apache-2.0
/* Flags of a mount: set at the start and by remount, told by statvfs and mountinfo, held to by calls. */
#include "mounts.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

static void enforced(const char *dir)
{
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	char file[64], fresh[64], link[64];

	snprintf(file, sizeof(file), "%s/in_a", dir);
	snprintf(fresh, sizeof(fresh), "%s/fresh", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	show_flags(dir);
	show_flags(file);
	OK(close(open(file, O_RDWR)));
	OK(close(open(file, O_RDONLY)));
	OK(access(dir, W_OK));
	OK(chmod(file, 0600));
	OK(chown(file, 0, 0));
	OK(utimensat(AT_FDCWD, file, times, 0));
	OK(truncate(file, 3));
	OK(mkdir(fresh, 0755));
	OK(rmdir(fresh));
	OK(symlink("x", fresh));
	OK(unlink(fresh));
	OK(mknod(fresh, S_IFIFO | 0600, 0));
	OK(unlink(fresh));
	OK(rename(file, fresh));
	OK(rename(fresh, file));
	OK(close(open(link, O_RDONLY)));
}

static void binds(void)
{
	MUST(symlink("in_a", "/m/a/link"));
	OK(mount("/m/a", "/m/b", NULL, MS_BIND | MS_RDONLY | MS_NOSUID, NULL)); /* flags are not looked at */
	show_mounts("bound");
	enforced("/m/b");
	OK(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	show_mounts("read-only");
	enforced("/m/b");
	enforced("/m/a");
	OK(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	show_mounts("again");
	show_flags("/m/b");
	OK(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_NOATIME | MS_NODIRATIME, NULL));
	show_flags("/m/b");
	OK(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL)); /* times stay as they are */
	show_flags("/m/b");
	OK(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_STRICTATIME, NULL));
	show_flags("/m/b");
	OK(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_RELATIME, NULL));
	show_flags("/m/b");
	OK(mount("/m/b", "/m/c", NULL, MS_BIND, NULL)); /* flags go with it */
	OK(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | 256 /* MS_NOSYMFOLLOW */, NULL));
	OK(close(open("/m/b/link", O_RDONLY)));
	OK(close(open("/m/b/in_a", O_RDONLY)));
	show_file("/m/b/sub/../link");
	OK(mount("/m/b", "/m/d", NULL, MS_BIND, NULL));
	show_mounts("copies");
	OK(umount("/m/d"));
	OK(umount("/m/c"));
	OK(umount("/m/b"));
	OK(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

static void run(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl(path, path, "arg", NULL);
		say("exec %s: %s", path, errno_name(errno));
		_exit(0);
	}
	reap(pid);
}

static void noexec(void)
{
	MUST(mkdir("/m/p", 0755));
	copy_file("/proc/self/exe", "/m/p/prog", 0755);
	write_file("/m/p/script", "#!/prog\n", 0755);
	MUST(mount("/m/p", "/m/b", NULL, MS_BIND, NULL));
	run("/m/b/prog");
	MUST(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL));
	run("/m/b/prog");
	run("/m/b/script");
	OK(access("/m/b/prog", X_OK));
	OK(access("/m/p/prog", X_OK));
	OK(access("/m/b", X_OK));
	run("/m/p/prog");
	int fd = (int)MUST(open("/m/b/prog", O_RDONLY | O_CLOEXEC));
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	say("mmap PROT_EXEC: %s", at == MAP_FAILED ? errno_name(errno) : "ok");
	close(fd);
	OK(umount("/m/b"));
}

/* A set-user-ID program: who it runs as. */
static void nosuid(void)
{
	copy_file("/proc/self/exe", "/m/p/suid", 0755);
	MUST(chown("/m/p/suid", 1000, 1000));
	MUST(chmod("/m/p/suid", 04755));
	MUST(mount("/m/p", "/m/b", NULL, MS_BIND, NULL));
	run("/m/b/suid");
	MUST(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL));
	run("/m/b/suid");
	run("/m/p/suid");
	OK(umount("/m/b"));
}

static void nodev(void)
{
	MUST(mkdir("/m/n", 0755));
	if (OK(mknod("/m/n/null", S_IFCHR | 0666, makedev(1, 3))) != 0)
		return;
	OK(close(open("/m/n/null", O_RDWR)));
	MUST(mount("/m/n", "/m/b", NULL, MS_BIND, NULL));
	OK(close(open("/m/b/null", O_RDWR)));
	MUST(mount(NULL, "/m/b", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL));
	OK(close(open("/m/b/null", O_RDWR)));
	OK(close(open("/m/b/null", O_PATH)));
	OK(access("/m/b/null", R_OK));
	OK(close(open("/m/n/null", O_RDWR)));
	OK(umount("/m/b"));
}

/* A mount that is read-only as a whole, and one of its file system that is not. */
static void super_block(void)
{
	OK(mount("t", "/m/c", "tmpfs", MS_RDONLY, NULL));
	show_mounts("read-only tmpfs");
	try_create("/m/c/x");
	OK(mount("/m/c", "/m/d", NULL, MS_BIND, NULL));
	OK(mount(NULL, "/m/d", NULL, MS_REMOUNT | MS_BIND, NULL));
	show_mounts("bind");
	try_create("/m/d/x");
	OK(mount(NULL, "/m/c", NULL, MS_REMOUNT, NULL));
	show_mounts("read-write");
	try_create("/m/c/x");
	try_create("/m/d/x");
	OK(mount(NULL, "/m/c", NULL, MS_REMOUNT | MS_RDONLY | MS_NOEXEC, NULL));
	show_mounts("read-only again");
	try_create("/m/d/x");
	show_flags("/m/c");
	show_flags("/m/d");
	OK(umount("/m/d"));
	OK(umount("/m/c"));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		say("executed as %d", (int)geteuid());
		return 0;
	}
	make_places();
	binds();
	noexec();
	nosuid();
	nodev();
	super_block();
	return 0;
}
