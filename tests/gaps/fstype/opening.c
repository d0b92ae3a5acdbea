/* SPDX-License-Identifier: Apache-2.0 */
/* The files of mounts by all ways of opening, reading and asking about them. */
#include "mounts.h"
#include <linux/magic.h>
#include <sys/statfs.h>

static void flags_of(const char *path)
{
	struct stat st;
	int fd;

	say("-- %s", path);
	OK(open(path, O_RDONLY | O_DIRECTORY));
	OK(open(path, O_RDONLY | O_CREAT | O_EXCL, 0600));
	OK(open(path, O_RDONLY | O_NOFOLLOW));
	fd = (int)MUST(open(path, O_PATH | O_NOFOLLOW));
	MUST(fstat(fd, &st));
	say("O_PATH: type %o", st.st_mode & S_IFMT);
	close(fd);
	fd = (int)MUST(open(path, O_RDONLY | O_CLOEXEC));
	SHOW(fcntl(fd, F_GETFD));
	FACT((fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == O_RDONLY);
	close(fd);
	fd = (int)MUST(open(path, O_RDONLY | O_NONBLOCK));
	SHOW(fcntl(fd, F_GETFD));
	FACT(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
}

static void asking(void)
{
	char target[64] = "";
	struct stat st;

	say("-- asking");
	MUST(stat("/proc/self/mountinfo", &st));
	FACT(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0444 && st.st_size == 0);
	MUST(lstat("/proc/mounts", &st));
	FACT(S_ISLNK(st.st_mode));
	FACT(readlink("/proc/mounts", target, sizeof(target) - 1) == 11 && !strcmp(target, "self/mounts"));
	OK(access("/proc/self/mounts", R_OK));
	OK(access("/proc/mounts", R_OK));
	OK(access("/proc/self/mountinfos", R_OK));
	OK(open("/proc/self/mountinfo/", O_RDONLY));
	OK(open("/proc/self/mountinfo/x", O_RDONLY));
	OK(open("/proc/self/mountinfox", O_RDONLY));
	OK(open("/proc/self/Mounts", O_RDONLY));
	OK(open("/proc/999999999/mountinfo", O_RDONLY));
	OK(open("/proc/999999999/mounts", O_RDONLY));
	OK(open("/proc/self/task/999999999/mounts", O_RDONLY));
	OK(open("/proc/mountinfo", O_RDONLY));
}

static void reading(const char *path)
{
	int fd = (int)MUST(open(path, O_RDONLY | O_CLOEXEC));
	size_t size, used = 0, again;
	char *text = slurp_fd(fd, &size), *pieces = malloc(size + 8), *second;
	struct statfs fs;
	ssize_t n;

	say("-- reading %s", path);
	FACT(size > 20 && text[size - 1] == '\n');
	SHOW(read(fd, pieces, 8));
	SHOW(lseek(fd, 0, SEEK_SET));
	while (used < size && (n = read(fd, pieces + used, size - used < 7 ? size - used : 7)) > 0)
		used += (size_t)n;
	FACT(used == size && !memcmp(pieces, text, size));
	SHOW(lseek(fd, 5, SEEK_SET));
	second = slurp_fd(fd, &again);
	FACT(again == size - 5 && !memcmp(second, text + 5, again));
	SHOW(pread(fd, pieces, 4, 0));
	FACT(!memcmp(pieces, text, 4));
	SHOW(write(fd, "x", 1));
	SHOW(ftruncate(fd, 0));
	OK(fstatfs(fd, &fs));
	FACT(fs.f_type == PROC_SUPER_MAGIC);
	free(second);
	free(pieces);
	free(text);
	close(fd);
}

int main(void)
{
	flags_of("/proc/self/mountinfo");
	flags_of("/proc/self/mounts");
	flags_of("/proc/mounts");
	asking();
	reading("/proc/self/mountinfo");
	reading("/proc/self/mounts");
	return 0;
}
