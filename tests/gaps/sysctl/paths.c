/* SPDX-License-Identifier: Apache-2.0 */
/* The files by every way that a path can be written, opened, asked for and looked at. */
#include "sysctl_common.h"
#include <sys/vfs.h>
#include <sys/xattr.h>

static void stat_of(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0) {
		say("%s: %s", path, errno_name(errno));
		return;
	}
	say("%s: %o uid %d gid %d size %ld rdev %ld", path, st.st_mode, (int)st.st_uid, (int)st.st_gid, (long)st.st_size,
	    (long)st.st_rdev);
}

static void opens(void)
{
	int dir = (int)MUST(open("/proc/sys/kernel", O_RDONLY | O_DIRECTORY)), fd;
	char text[64];

	OK(openat(dir, "panic", O_RDONLY));
	OK(openat(dir, "../vm/swappiness", O_RDONLY));
	OK(openat(dir, "./keys//maxkeys", O_RDONLY));
	OK(openat(dir, "no-such-file", O_RDONLY));
	OK(openat(dir, "panic/", O_RDONLY));
	OK(openat(dir, "panic/x", O_RDONLY));
	OK(openat(dir, "panic", O_RDONLY | O_DIRECTORY));
	OK(openat(dir, "keys", O_RDONLY));
	OK(openat(dir, "keys", O_WRONLY));
	OK(openat(dir, "keys/", O_RDONLY | O_DIRECTORY));
	OK(openat(-1, "/proc/sys/kernel/panic", O_RDONLY));
	OK(openat(-1, "panic", O_RDONLY));
	OK(open("/proc/sys/kernel/../kernel/./panic", O_RDONLY));
	OK(open("//proc///sys/kernel/panic", O_RDONLY));
	OK(open("/proc/self/../sys/kernel/panic", O_RDONLY));
	OK(open("/proc/sys/kernel/panic", O_RDONLY | O_CREAT | O_EXCL, 0600));
	OK(open("/proc/sys/kernel/panic", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
	OK(open("/proc/sys/net/ipv4/conf/no-such-link/rp_filter", O_RDONLY));
	OK(open("/proc/sys/kernel/ostype", O_WRONLY));
	OK(open("/proc/sys/kernel/ostype", O_RDWR));
	OK(open("/proc/sys/vm/drop_caches", O_RDONLY));
	fd = (int)MUST(openat(dir, "ostype", O_RDONLY));
	SHOW(read(fd, text, 3));
	SHOW(read(fd, text, sizeof(text)));
	SHOW(read(fd, text, sizeof(text)));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(read(fd, text, sizeof(text)));
	SHOW(pread(fd, text, sizeof(text), 2));
	SHOW(write(fd, "x", 1));
}

static void accesses(void)
{
	static const char *const paths[] = { "/proc/sys/kernel/panic",     "/proc/sys/kernel/ostype", "/proc/sys/vm/drop_caches",
					     "/proc/sys/vm/mmap_rnd_bits", "/proc/sys/kernel",        "/proc/sys/kernel/none" };

	for (size_t i = 0; i < COUNT(paths); i++) {
		int seen[5] = { access(paths[i], F_OK), access(paths[i], R_OK), access(paths[i], W_OK), access(paths[i], X_OK),
				faccessat(AT_FDCWD, paths[i], R_OK, AT_EACCESS) };

		say("%s: exists %d read %d write %d execute %d, effective %d", paths[i], seen[0], seen[1], seen[2], seen[3],
		    seen[4]);
	}
	OK(access("/proc/sys/kernel/panic", 8));
}

static void looks(void)
{
	struct statfs fs;
	struct stat st;
	char text[64];
	int fd = (int)MUST(open("/proc/sys/kernel/panic", O_RDONLY));

	stat_of("/proc/sys");
	stat_of("/proc/sys/kernel");
	stat_of("/proc/sys/kernel/keys/");
	stat_of("/proc/sys/kernel/panic");
	stat_of("/proc/sys/kernel/panic/");
	stat_of("/proc/sys/kernel/ostype");
	stat_of("/proc/sys/vm/drop_caches");
	stat_of("/proc/sys/vm/mmap_rnd_bits");
	stat_of("/proc/sys/net/ipv4/conf/all");
	stat_of("/proc/sys/net/ipv4/conf/lo/rp_filter");
	stat_of("/proc/sys/net/ipv4/conf/none/rp_filter");
	FACT(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0644);
	FACT(statfs("/proc/sys/kernel/panic", &fs) == 0 && fs.f_type == 0x9fa0);
	FACT(fstatfs(fd, &fs) == 0 && fs.f_type == 0x9fa0);
	OK(readlink("/proc/sys/kernel/panic", text, sizeof(text)));
	OK(truncate("/proc/sys/kernel/keys", 0));
	OK(getxattr("/proc/sys/kernel/panic", "user.x", text, sizeof(text)));
	OK(lgetxattr("/proc/sys/kernel/panic", "security.capability", text, sizeof(text)));
}

int main(void)
{
	opens();
	accesses();
	looks();
	AS_USER(65534, 65534, accesses(); opens());
	return 0;
}
