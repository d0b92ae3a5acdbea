/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, flags, descriptors and limits that hardly anybody uses; and what is left in a root without /proc. */
#include "sysctl_common.h"
#include <linux/openat2.h>
#include <sys/resource.h>

#define FILE_NAME "/proc/sys/kernel/panic"

static void show_open(const char *what, int fd)
{
	char text[16];
	ssize_t n;

	if (fd < 0) {
		say("%s: %s", what, errno_name(errno));
		return;
	}
	n = read(fd, text, sizeof(text));
	say("%s: open, flags %o, read %s", what, (unsigned)fcntl(fd, F_GETFL) & ~0500000u /* O_LARGEFILE, O_NOFOLLOW */,
	    n < 0 ? errno_name(errno)
	    : n   ? "bytes"
		  : "end");
	close(fd);
}

static void paths(void)
{
	static const char *const of[] = { FILE_NAME "/.",
					  FILE_NAME "/..",
					  FILE_NAME "//",
					  "/proc/sys/kernel/.",
					  "/proc/sys/kernel/./",
					  "/proc/sys/./kernel/../kernel/panic",
					  "//proc//sys/./kernel/../kernel/panic",
					  "/../proc/sys/kernel/panic",
					  "/proc/self/../sys/kernel/panic",
					  "panic",
					  "./panic",
					  "../kernel/panic",
					  "panic/",
					  "panic/.",
					  ".",
					  "..",
					  "",
					  "../../sys/kernel/./panic",
					  "/proc/self/cwd/panic",
					  "/proc/self/root/proc/sys/kernel/panic" };
	static char longest[5000];
	struct stat st;

	MUST(chdir("/proc/sys/kernel"));
	for (size_t i = 0; i < COUNT(of); i++) {
		show_open(of[i], open(of[i], O_RDONLY));
		say("  stat %s", stat(of[i], &st) ? errno_name(errno) : S_ISDIR(st.st_mode) ? "directory" : "file");
		say("  access %s", access(of[i], W_OK) ? errno_name(errno) : "ok");
	}
	memset(longest, '/', 200);
	memcpy(longest + 200, "proc/sys/kernel/panic", 22);
	show_open("200 slashes", open(longest, O_RDONLY));
	memset(longest, '/', 4100);
	OK(open(longest, O_RDONLY));
	OK(open((const char *)bad_pointer(), O_RDONLY));
	MUST(chdir("/"));
}

static void flags(void)
{
	show_open("O_PATH", open(FILE_NAME, O_PATH));
	show_open("O_PATH and more", open(FILE_NAME, O_PATH | O_RDWR | O_CREAT | O_EXCL | O_TRUNC, 0600));
	show_open("O_PATH, directory wanted", open(FILE_NAME, O_PATH | O_DIRECTORY));
	show_open("O_TMPFILE", open("/proc/sys/kernel", O_TMPFILE | O_RDWR, 0600));
	show_open("O_TMPFILE in a file", open(FILE_NAME, O_TMPFILE | O_RDWR, 0600));
	show_open("O_APPEND", open(FILE_NAME, O_RDONLY | O_APPEND));
	show_open("O_TRUNC", open(FILE_NAME, O_RDONLY | O_TRUNC));
	show_open("O_NOFOLLOW", open(FILE_NAME, O_RDONLY | O_NOFOLLOW));
	show_open("O_CREAT", open(FILE_NAME, O_RDONLY | O_CREAT, 0600));
	show_open("O_CREAT, O_EXCL", open(FILE_NAME, O_WRONLY | O_CREAT | O_EXCL, 0600));
	show_open("directory for writing", open("/proc/sys/kernel", O_WRONLY));
	show_open("directory, O_TRUNC", open("/proc/sys/kernel", O_RDONLY | O_TRUNC));
}

static void directories(void)
{
	char path[64];
	int dir = (int)MUST(open("/proc/sys/kernel", O_PATH | O_DIRECTORY)), file = (int)MUST(open(FILE_NAME, O_RDONLY)), copy;

	show_open("at O_PATH", openat(dir, "panic", O_RDONLY));
	copy = (int)MUST(dup(dir));
	MUST(close(dir));
	show_open("at a closed one", openat(dir, "panic", O_RDONLY));
	show_open("at a copy", openat(copy, "panic", O_RDONLY));
	CHILD(show_open("in a child", openat(copy, "panic", O_RDONLY)));
	snprintf(path, sizeof(path), "/proc/self/fd/%d/panic", copy);
	show_open("behind its link", open(path, O_RDONLY));
	show_open("at a file", openat(file, "panic", O_RDONLY));
	show_open("at a file, absolute", openat(file, FILE_NAME, O_RDONLY));
	show_open("at a file, empty", openat(file, "", O_RDONLY));
	close(copy);
	close(file);
}

/* An open file by its other name. */
static void again(void)
{
	char path[64], value[64];
	size_t size = read_file(FILE_NAME, value, sizeof(value));
	int fd = (int)MUST(open(FILE_NAME, O_WRONLY)), other;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_WRONLY);
	FACT(other >= 0);
	SHOW(write(other, "x", 1));
	FACT(write(other, value, size) == (ssize_t)size);
	close(other);
	show_open("open for writing, again for reading", open(path, O_RDONLY));
	SHOW(write(fd, "x", 1));
	MUST(dup2(fd, 55));
	snprintf(path, sizeof(path), "/dev/fd/%d", 55);
	other = open(path, O_WRONLY | O_TRUNC);
	SHOW(write(other, "x", 1));
	close(other);
	close(fd);
	fd = (int)MUST(open(FILE_NAME, O_RDONLY));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_WRONLY);
	SHOW(write(other, "x", 1));
	close(other);
	show_open("open for reading, again", open(path, O_RDONLY));
	close(fd);
}

static void limits(void)
{
	struct rlimit none = { 0, 64 }, small = { 2, 2 };
	int fds[64], count = 0, fd;

	signal(SIGXFSZ, SIG_DFL);
	MUST(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 40, 64 }));
	while (count < 64 && (fd = open("/dev/null", O_RDONLY)) >= 0)
		fds[count++] = fd;
	OK(open(FILE_NAME, O_RDONLY));
	OK(open(FILE_NAME, O_WRONLY));
	OK(open(FILE_NAME, O_RDWR));
	OK(open("/proc/sys/kernel", O_RDONLY));
	while (count > 30)
		close(fds[--count]);
	fd = open(FILE_NAME, O_RDONLY);
	FACT(fd == fds[30]);
	FACT(open(FILE_NAME, O_WRONLY) == fd + 1);
	FACT(open(FILE_NAME, O_RDWR) == fd + 2);
	FACT(open("/proc/sys/kernel", O_RDONLY) == fd + 3);
	FACT(open("/dev/null", O_RDONLY) == fd + 4);
	MUST(setrlimit(RLIMIT_NOFILE, &none));
	OK(open(FILE_NAME, O_RDONLY));
	none.rlim_cur = 64;
	MUST(setrlimit(RLIMIT_NOFILE, &none));
	small.rlim_max = RLIM_INFINITY;
	small.rlim_cur = 1;
	MUST(setrlimit(RLIMIT_FSIZE, &small));
	show_open("RLIMIT_FSIZE", open(FILE_NAME, O_RDONLY));
	show_open("RLIMIT_FSIZE, both", open(FILE_NAME, O_RDWR));
}

static void asks(void)
{
	struct open_how how = { .flags = O_RDONLY };
	struct statx x;

	show_open("openat2", (int)syscall(SYS_openat2, AT_FDCWD, FILE_NAME, &how, sizeof(how)));
	OK(syscall(SYS_openat2, AT_FDCWD, FILE_NAME, &how, 8));
	how.flags = UINT64_C(1) << 40;
	OK(syscall(SYS_openat2, AT_FDCWD, FILE_NAME, &how, sizeof(how)));
	how = (struct open_how){ .flags = O_RDONLY, .mode = 0600 };
	OK(syscall(SYS_openat2, AT_FDCWD, FILE_NAME, &how, sizeof(how)));
	how = (struct open_how){ .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	OK(syscall(SYS_openat2, AT_FDCWD, FILE_NAME, &how, sizeof(how)));
	OK(statx(AT_FDCWD, FILE_NAME, 0x10, STATX_BASIC_STATS, &x));
	OK(statx(AT_FDCWD, FILE_NAME, AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &x));
	OK(statx(AT_FDCWD, FILE_NAME, 0, 0x80000000u, &x));
	OK(statx(AT_FDCWD, FILE_NAME, AT_SYMLINK_NOFOLLOW, 0, &x));
	FACT((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS && S_ISREG(x.stx_mode) && !x.stx_size);
	OK(syscall(SYS_newfstatat, AT_FDCWD, FILE_NAME, &x, 0x4000));
	OK(syscall(SYS_newfstatat, AT_FDCWD, FILE_NAME, bad_pointer(), 0));
	OK(syscall(SYS_faccessat2, AT_FDCWD, FILE_NAME, R_OK, 0x4000));
}

/* A file that was opened before keeps working; by its path it is gone. */
static void without_proc(void)
{
	char value[64];
	size_t size = read_file(FILE_NAME, value, sizeof(value));
	int fd = (int)MUST(open(FILE_NAME, O_WRONLY));

	(void)mkdir("/tmp/lichen-empty-root", 0700);
	if (chroot("/tmp/lichen-empty-root") != 0 || chdir("/") != 0) {
		say("no chroot: %s", errno_name(errno));
		return;
	}
	OK(open(FILE_NAME, O_RDONLY));
	OK(open(FILE_NAME, O_WRONLY));
	OK(access(FILE_NAME, F_OK));
	OK(open("/proc/sys/kernel", O_RDONLY));
	SHOW(write(fd, "x", 1));
	FACT(write(fd, value, size) == (ssize_t)size);
}

int main(void)
{
	paths();
	flags();
	directories();
	again();
	asks();
	CHILD(limits());
	CHILD(without_proc());
	(void)rmdir("/tmp/lichen-empty-root");
	return 0;
}
