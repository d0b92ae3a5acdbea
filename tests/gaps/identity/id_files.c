/* SPDX-License-Identifier: Apache-2.0 */
/* Owners and modes of files: chown, chmod, mknod, what is made by whom where, what a change of owner takes away. */
#include "identity.h"

#include <sys/statfs.h>
#include <sys/sysmacros.h>

static void say_file(const char *name)
{
	struct stat st;
	struct statx x;

	if (lstat(name, &st)) {
		say("  %s: %s", name, errno_name(errno));
		return;
	}
	MUST(statx(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x));
	say("  %s: %o %u:%u rdev %u:%u, statx %o %u:%u rdev %u:%u", name, st.st_mode, st.st_uid, st.st_gid, major(st.st_rdev),
	    minor(st.st_rdev), x.stx_mode, x.stx_uid, x.stx_gid, x.stx_rdev_major, x.stx_rdev_minor);
}

static void say_fd(const char *name)
{
	int fd = (int)MUST(open(name, O_RDONLY | O_CLOEXEC)), path = (int)MUST(open(name, O_PATH | O_CLOEXEC));
	struct stat st;

	MUST(fstat(fd, &st));
	say("  open %s: %o %u:%u", name, st.st_mode, st.st_uid, st.st_gid);
	MUST(fstat(path, &st));
	say("  O_PATH %s: %o %u:%u", name, st.st_mode, st.st_uid, st.st_gid);
	SHOW(fchown(path, 1, 1));
	SHOW(fchmod(path, 0644));
	MUST(fstatat(fd, "", &st, AT_EMPTY_PATH));
	say("  empty %s: %o %u:%u", name, st.st_mode, st.st_uid, st.st_gid);
	close(fd);
	close(path);
}

static void owners(void)
{
	write_file("file", "text", 0644);
	say_file("file");
	SHOW(chown("file", 5, 6));
	say_file("file");
	say_fd("file");
	SHOW(chown("file", -1, 7));
	SHOW(chown("file", 4294967294u, -1));
	say_file("file");
	SHOW(chmod("file", 06777));
	say_file("file");
	SHOW(chown("file", -1, -1));
	say_file("file");
	SHOW(chmod("file", 02644));
	SHOW(chown("file", 0, 0));
	say_file("file");
	SHOW(chmod("file", 0));
	say_file("file");
	SHOW(open("file", O_RDWR | O_CLOEXEC) >= 0);
	SHOW(chmod("file", 01755));
	say_file("file");
	MUST(mkdir("folder", 0755));
	SHOW(chown("folder", 1000, 1001));
	SHOW(chmod("folder", 06770));
	SHOW(chown("folder", 1001, -1));
	say_file("folder");
	say_fd("folder");
	MUST(symlink("file", "link"));
	SHOW(chown("link", 8, 9));
	say_file("file");
	SHOW(fchownat(AT_FDCWD, "missing", 1, 1, 0));
	SHOW(fchownat(AT_FDCWD, "file", 1, 1, 0x8000));
	SHOW(chmod("missing", 0));
	SHOW(fchown(-1, 0, 0));
	SHOW(fchmod(1000, 0));
}

static void nodes(void)
{
	char byte = 'x';
	int fd;

	SHOW(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	SHOW(mknod("zero", S_IFCHR | 0640, makedev(1, 5)));
	SHOW(mknod("disk", S_IFBLK | 0660, makedev(8, 70000)));
	SHOW(mknod("fifo", S_IFIFO | 0604, 0));
	SHOW(mknod("plain", S_IFREG | 0640, 0));
	SHOW(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	say_file("null");
	say_file("zero");
	say_file("disk");
	say_file("fifo");
	say_file("plain");
	SHOW(chown("null", 3, 4));
	SHOW(chmod("null", 0600));
	say_file("null");
	fd = (int)SHOW(open("null", O_RDWR | O_CLOEXEC));
	SHOW(write(fd, &byte, 1));
	SHOW(read(fd, &byte, 1));
	close(fd);
	fd = (int)MUST(open("zero", O_RDONLY | O_CLOEXEC));
	SHOW(read(fd, &byte, 1));
	FACT(byte == 0);
	close(fd);
	SHOW(rename("null", "nil"));
	say_file("nil");
	SHOW(unlink("nil"));
	AS_USER(1000, 1000, SHOW(mknod("/tmp/never", S_IFCHR | 0666, makedev(1, 3))));
}

static void make(const char *what)
{
	say("%s:", what);
	MUST(mkdir("sub", 0775));
	say_file("sub");
	close((int)MUST(open("made", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 04666)));
	say_file("made");
	close((int)MUST(open("locked", O_CREAT | O_WRONLY | O_CLOEXEC, 0)));
	say_file("locked");
	MUST(mkfifo("pipe", 0600));
	MUST(rmdir("sub"));
	MUST(unlink("made"));
	MUST(unlink("locked"));
	MUST(unlink("pipe"));
}

static void makers(void)
{
	MUST(mkdir("shared", 0777));
	MUST(chmod("shared", 01777));
	MUST(chdir("shared"));
	make("by root");
	AS_USER(1000, 1001, make("by 1000:1001"));
	CHILD(syscall(SYS_setfsuid, 77); syscall(SYS_setfsgid, 78); make("by fsuid 77:78"));
	MUST(chown(".", 5, 55));
	MUST(chmod(".", 03777));
	make("by root in a set-group-ID directory");
	AS_USER(1000, 1001, make("by 1000:1001 in a set-group-ID directory"));
	CHILD(umask(077); make("with umask 077"));
	MUST(chdir(".."));
}

int main(void)
{
	umask(022);
	MUST(setgroups(0, NULL));
	MUST(chmod(".", 0755));
	owners();
	nodes();
	makers();
	return 0;
}
