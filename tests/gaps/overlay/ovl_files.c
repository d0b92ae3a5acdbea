/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, writing, changing what the lower layer has; through descriptors, too. */
#include "overlay_test.h"

#include <sys/mman.h>

static void opening(void)
{
	int fd;

	OK(open("/a/one", O_RDONLY));
	OK(open("/a/one", O_RDWR | O_CREAT | O_EXCL, 0600));
	OK(open("/a/none", O_RDONLY));
	OK(open("/a/none/x", O_WRONLY | O_CREAT, 0600));
	OK(open("/a/one/x", O_WRONLY | O_CREAT, 0600));
	OK(open("/a/one/", O_RDONLY));
	OK(open("/a/dir", O_WRONLY));
	OK(open("/a/dir", O_RDONLY | O_CREAT, 0600));
	OK(open("/a/link", O_WRONLY | O_NOFOLLOW));
	OK(open("/a/one", O_RDONLY | O_DIRECTORY));
	append("/a/one", "+appended");
	say_file("/a/one");
	append("/a/link", "+by link");
	say_file("/a/two");
	say_file("/a/link");
	fd = (int)MUST(open("/a/three", O_RDWR | O_TRUNC | O_CLOEXEC));
	SHOW(write(fd, "new", 3));
	close(fd);
	say_file("/a/three");
	OK(open("/a/dangling", O_WRONLY | O_CREAT, 0640));
	say_names("/a");
	OK(open("/a/dir/sub/new", O_WRONLY | O_CREAT | O_EXCL, 0604));
	say_names("/a/dir/sub");
	say_file("/a/dir/sub/deep");
	SHOW(truncate("/a/dir/sub/deep", 2));
	say_file("/a/dir/sub/deep");
	fd = (int)MUST(open("/a/big", O_RDWR | O_CLOEXEC));
	SHOW(pwrite(fd, "x", 1, 2000000));
	SHOW(lseek(fd, 0, SEEK_END));
	close(fd);
}

static void attributes(void)
{
	struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat st;

	SHOW(chmod("/a/mode", 0741));
	say_file("/a/mode");
	SHOW(fchmodat(AT_FDCWD, "/a/dir", 0711, 0));
	say_file("/a/dir");
	SHOW(chown("/a/owner", 12, 34));
	say_file("/a/owner");
	SHOW(lchown("/a/link2", 5, 6));
	say_file("/a/link2");
	SHOW(utimensat(AT_FDCWD, "/a/times", times, 0));
	SHOW(stat("/a/times", &st));
	SHOW(st.st_mtime);
	SHOW(setxattr("/a/noted", "user.note", "other", 5, XATTR_REPLACE));
	say_file("/a/noted");
	SHOW(removexattr("/a/noted2", "user.note"));
	say_file("/a/noted2");
	SHOW(chmod("/a/fifo", 0600));
	say_file("/a/fifo");
}

/* A descriptor that was opened for reading changes the file, not the lower layer's. */
static void by_descriptor(void)
{
	struct timespec times[2] = { { 3000, 0 }, { 4000, 0 } };
	int fd = (int)MUST(open("/a/fd", O_RDONLY | O_CLOEXEC));
	char link[64];
	struct stat st;

	SHOW(fchmod(fd, 0700));
	SHOW(fchown(fd, 7, 8));
	SHOW(fsetxattr(fd, "user.note", "by fd", 5, 0));
	SHOW(futimens(fd, times));
	say_file("/a/fd");
	SHOW(stat("/a/fd", &st));
	SHOW(st.st_mtime);
	SHOW(ftruncate(fd, 0));
	SHOW(write(fd, "x", 1));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	append(link, "+proc");
	say_file("/a/fd");
	SHOW(linkat(fd, "", AT_FDCWD, "/a/fd_linked", AT_EMPTY_PATH));
	append("/a/fd_linked", "+linked");
	say_file("/a/fd");
	close(fd);
}

/* What was mapped before shows the old data (overlayfs.rst, "Non-standard behavior"). */
static void before(void)
{
	int fd = (int)MUST(open("/a/before", O_RDONLY | O_CLOEXEC));
	char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	append("/a/before", "+after");
	FACT(map != MAP_FAILED && !memcmp(map, "before", 7));
	say_file("/a/before");
	close(fd);
}

static void relative(void)
{
	int dir = (int)MUST(open("/a/dir2", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	char cwd[256];

	MUST(chdir("/a/dir2/in"));
	OK(openat(dir, "made", O_WRONLY | O_CREAT, 0600));
	OK(openat(dir, "made", O_RDONLY));
	say_names("/a/dir2");
	OK(open("here", O_WRONLY | O_CREAT, 0600));
	say_names(".");
	say_names("..");
	say("cwd %s", getcwd(cwd, sizeof(cwd)));
	SHOW(unlinkat(dir, "x", 0));
	SHOW(mkdirat(dir, "in/deeper", 0755));
	SHOW(access("deeper", X_OK));
	SHOW(faccessat(dir, "x", F_OK, 0));
	close(dir);
	MUST(chdir("/"));
}

int main(int argc, char **argv)
{
	DUMP_IF_ASKED();
	umask(022);
	opening();
	attributes();
	by_descriptor();
	before();
	relative();
	return 0;
}
