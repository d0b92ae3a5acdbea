// SPDX-License-Identifier: Apache-2.0
/* A new descriptor has the lowest number that is free, and none is left over: after calls with paths that succeed, that fail, and in children. */
#include "fs_test.h"

static int lowest(void)
{
	int fd = (int)MUST(dup(0));

	close(fd);
	return fd;
}

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	memcpy(name.sun_path, path, strlen(path) + 1);
	return name;
}

/* Descriptors that are open, but for that of the listing. */
static int open_now(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = -3; /* dots, and the directory */

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

static void try_all(const char *path)
{
	struct sockaddr_un name = address(path);
	int s = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	struct stat st;

	connect(s, (struct sockaddr *)&name, sizeof(name));
	close(s);
	stat(path, &st);
	lstat(path, &st);
	access(path, W_OK);
	chmod(path, 0700);
	mkdir(path, 0755);
	rename(path, "/t/none/x");
	link(path, "/t/none/x");
	symlink("x", path);
	unlink("/t/none/x");
	fd = open(path, O_RDWR | O_NONBLOCK);
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	static const char *const paths[] = { "/t/file", "/t/dir", "/t/fifo",     "/t/socket", "/t/none",   "/t/none/x",
					     "/t/loop", "/t/out", "/t/to_dir/x", "/t/file/",  "/t/file/x", "/" };
	struct sockaddr_un name = address("/t/socket");
	int first, before, fd;

	tree_make();
	first = lowest();
	fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(connect(fd, (struct sockaddr *)&name, sizeof(name)));
	FACT(lowest() == first + 1);
	OK(connect(fd, (struct sockaddr *)&name, sizeof(name)));
	FACT(lowest() == first + 1);
	close(fd);
	fd = open("/t/fifo", O_RDWR);
	FACT(fd == first);
	FACT(lowest() == first + 1);
	close(fd);
	FACT(lowest() == first);
	OK(access("/t", F_OK));
	fd = (int)MUST(open("/t/file", O_RDONLY));
	FACT(fd == first);
	close(fd);
	before = open_now();
	for (int i = 0; i < scaled(200); i++)
		for (size_t k = 0; k < COUNT(paths); k++)
			try_all(paths[k]);
	FACT(open_now() == before);
	FACT(lowest() == first);
	for (int i = 0; i < 40; i++) { /* each ends with the descriptor of its last connect */
		pid_t pid = vfork();

		if (pid == 0) {
			connect(0, (struct sockaddr *)&name, sizeof(name));
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	for (int i = 0; i < 40; i++) {
		fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
		connect(fd, (struct sockaddr *)&name, sizeof(name));
		close(fd);
	}
	fd = (int)MUST(open("/t/file", O_RDONLY));
	FACT(fd == first);
	close(fd);
	FACT(open_now() == before);
	return 0;
}
