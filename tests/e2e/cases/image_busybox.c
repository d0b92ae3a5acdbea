// SPDX-License-Identifier: Apache-2.0
// What a program linked to musl sees of a directory: musl makes other system calls than glibc (fstat, getdents64 by opendir, no newfstatat for fstat).
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : ".";
	struct stat by_path, by_fd;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), names = 0;
	char cwd[4096];
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream || stat(path, &by_path) || fstat(fd, &by_fd) || chdir(path) || !getcwd(cwd, sizeof(cwd))) {
		perror(path);
		return 1;
	}
	while ((entry = readdir(stream)))
		names += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	printf("%s: %d names, %s, owner %d:%d\n", cwd, names,
	       by_path.st_ino == by_fd.st_ino && by_path.st_dev == by_fd.st_dev ? "the same" : "another", (int)by_fd.st_uid,
	       (int)by_fd.st_gid);
	return 0;
}
