/* SPDX-License-Identifier: Apache-2.0 */
/* statx: flags, masks, pointers, and the fields that stat(2) knows as well. */
#include "difftest.h"

#include <linux/stat.h>
#include <sys/sysmacros.h>

#define BASIC 0x7ffu
#define SYNC_BOTH 0x6000

static void show(const char *what, int dirfd, const char *path, unsigned flags, unsigned mask)
{
	struct statx st;
	long r;

	memset(&st, 0x5a, sizeof(st));
	r = syscall(SYS_statx, dirfd, path, flags, mask, &st);
	if (r)
		say("%s flags %#x mask %#x: %s", what, flags, mask, errno_name(errno));
	else
		say("%s flags %#x mask %#x: ok, what was asked %d, type %o size %llu links %u", what, flags, mask,
		    (st.stx_mask & mask & BASIC) == (mask & BASIC), st.stx_mode,
		    S_ISREG(st.stx_mode) || S_ISLNK(st.stx_mode) ? st.stx_size : 0, S_ISDIR(st.stx_mode) ? 0 : st.stx_nlink);
}

/* The same as stat tells. */
static void compare(const char *path, int nofollow)
{
	struct statx x;
	struct stat st;

	memset(&x, 0x5a, sizeof(x));
	MUST(fstatat(AT_FDCWD, path, &st, nofollow));
	MUST(syscall(SYS_statx, AT_FDCWD, path, nofollow | AT_NO_AUTOMOUNT, BASIC, &x));
	say("%s:", path);
	FACT(x.stx_ino == st.st_ino && x.stx_mode == st.st_mode && x.stx_nlink == st.st_nlink);
	FACT(x.stx_uid == st.st_uid && x.stx_gid == st.st_gid && x.stx_size == (uint64_t)st.st_size);
	FACT(x.stx_blocks == (uint64_t)st.st_blocks && x.stx_blksize == (uint32_t)st.st_blksize);
	FACT(makedev(x.stx_dev_major, x.stx_dev_minor) == st.st_dev && makedev(x.stx_rdev_major, x.stx_rdev_minor) == st.st_rdev);
	FACT(x.stx_mtime.tv_sec == st.st_mtim.tv_sec && x.stx_mtime.tv_nsec == (uint32_t)st.st_mtim.tv_nsec);
	FACT(x.stx_ctime.tv_sec == st.st_ctim.tv_sec && x.stx_ctime.tv_nsec == (uint32_t)st.st_ctim.tv_nsec);
	FACT(x.stx_atime.tv_sec == st.st_atim.tv_sec && x.stx_atime.tv_nsec == (uint32_t)st.st_atim.tv_nsec);
	FACT(x.__spare0[0] == 0 && x.stx_mtime.__reserved == 0);
}

static void masks(void)
{
	for (unsigned bit = 1; bit; bit <<= 1) {
		show("one bit", AT_FDCWD, "file", 0, bit);
		show("the others", AT_FDCWD, "file", 0, ~bit);
	}
	show("as Debian's ls asks", AT_FDCWD, "file", AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW, BASIC | STATX_BTIME | STATX_MNT_ID);
	show("nothing", AT_FDCWD, "file", 0, 0);
}

static void flags(void)
{
	for (unsigned bit = 1; bit; bit <<= 1) {
		show("file", AT_FDCWD, "file", bit, BASIC);
		show("link", AT_FDCWD, "link", bit | AT_SYMLINK_NOFOLLOW, BASIC);
	}
	show("sync", AT_FDCWD, "file", AT_STATX_FORCE_SYNC, BASIC);
	show("no sync", AT_FDCWD, "file", AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, BASIC);
	show("both", AT_FDCWD, "file", SYNC_BOTH, BASIC);
	show("both, missing", AT_FDCWD, "missing", SYNC_BOTH, BASIC);
	show("both, bad path", AT_FDCWD, bad_pointer(), SYNC_BOTH, BASIC);
}

static void paths(void)
{
	static const unsigned empties[] = { 0,
					    AT_EMPTY_PATH,
					    AT_EMPTY_PATH | AT_NO_AUTOMOUNT,
					    AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
					    AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
					    AT_EMPTY_PATH | SYNC_BOTH };
	int file = (int)MUST(open("file", O_RDONLY)), folder = (int)MUST(open("folder", O_PATH)),
	    link = (int)MUST(open("link", O_PATH | O_NOFOLLOW));

	for (unsigned i = 0; i < COUNT(empties); i++) {
		show("file, \"\"", file, "", empties[i], BASIC);
		show("file, NULL", file, NULL, empties[i], BASIC);
		show("folder, \"\"", folder, "", empties[i], BASIC);
		show("folder, NULL", folder, NULL, empties[i], BASIC);
		show("link, \"\"", link, "", empties[i], BASIC);
		show("here, \"\"", AT_FDCWD, "", empties[i], BASIC);
		show("here, NULL", AT_FDCWD, NULL, empties[i], BASIC);
		show("nothing, \"\"", 9999, "", empties[i], BASIC);
		show("nothing, NULL", 9999, NULL, empties[i], BASIC);
		show("-1, NULL", -1, NULL, empties[i], BASIC);
		show("bad pointer", AT_FDCWD, bad_pointer(), empties[i], BASIC);
		show("file, a name", file, "x", empties[i], BASIC);
		show("folder, a name", folder, "inner", empties[i], BASIC);
		show("nothing, a name", 9999, "x", empties[i], BASIC);
	}
	show("missing", AT_FDCWD, "missing", 0, BASIC);
	show("through a file", AT_FDCWD, "file/x", 0, BASIC);
	show("dangling", AT_FDCWD, "dangling", 0, BASIC);
	show("dangling itself", AT_FDCWD, "dangling", AT_SYMLINK_NOFOLLOW, BASIC);
}

int main(void)
{
	struct statx st = { 0 };

	MUST(chmod(".", 0755));
	write_file("file", "12345", 0640);
	MUST(mkdir("folder", 0750));
	write_file("folder/inner", "123", 0600);
	MUST(symlink("file", "link"));
	MUST(symlink("nowhere", "dangling"));
	masks();
	flags();
	paths();
	compare("file", 0);
	compare("folder", 0);
	compare("link", AT_SYMLINK_NOFOLLOW);
	compare("/dev/null", 0);
	OK(syscall(SYS_statx, AT_FDCWD, "file", 0, BASIC, NULL));
	OK(syscall(SYS_statx, AT_FDCWD, "file", 0, BASIC, bad_pointer()));
	OK(syscall(SYS_statx, AT_FDCWD, "file", 0, BASIC, read_only_copy(&st, sizeof(st))));
	OK(syscall(SYS_statx, AT_FDCWD, "file", 0, BASIC, tail(sizeof(st))));
	OK(syscall(SYS_statx, AT_FDCWD, "file", 0, BASIC, tail(sizeof(st) - 8)));
	OK(syscall(SYS_statx, AT_FDCWD, "missing", 0, BASIC, bad_pointer()));
	return 0;
}
