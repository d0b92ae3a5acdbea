// SPDX-License-Identifier: Apache-2.0
/* Limits: 40 links, components of 255 bytes, paths of 4095, trees deeper than any path, long targets; and paths that end at a guard page. */
#include "fs_test.h"

static char *repeated(const char *part, size_t count, const char *end)
{
	char *text = malloc(strlen(part) * count + strlen(end) + 1), *at = text;

	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, part);
	stpcpy(at, end);
	return text;
}

static void links(void)
{
	char name[32], target[64];

	write_file("0", "x", 0644);
	for (int i = 1; i <= 45; i++) {
		snprintf(name, sizeof(name), "%d", i);
		snprintf(target, sizeof(target), "%d", i - 1);
		MUST(symlink(target, name));
	}
	for (int i = 37; i <= 45; i++) {
		struct stat st;

		snprintf(name, sizeof(name), "%d", i);
		show_path("open", name, reach_fd(open(name, O_RDONLY)));
		OK(stat(name, &st));
		OK(lstat(name, &st));
		OK(open(name, O_RDONLY | O_NOFOLLOW));
		show_path("O_PATH", name, reach_fd(open(name, O_PATH | O_NOFOLLOW)));
		snprintf(target, sizeof(target), "%d/", i);
		show_path("open", target, reach_fd(open(target, O_RDONLY)));
	}
	for (int n = 38; n <= 42; n++) {
		char *path = repeated("dot/", (size_t)n, "to_file");

		say("%d dots and a link", n);
		OK(access(path, F_OK));
		OK(readlink(path, target, sizeof(target)));
		OK(mkdir(path, 0755));
		OK(unlink(repeated("dot/", (size_t)n, "new")));
		path = repeated("dir/up/", (size_t)n, "new");
		OK(mkdir(path, 0755));
		OK(rmdir(path));
		path = repeated("../t/", (size_t)n, "file");
		OK(access(path, F_OK));
	}
	MUST(symlink("/proc/self/root", "rooted"));
	for (int n = 18; n <= 22; n++) /* each: the link, self and root */
		OK(access(repeated("rooted/t/", (size_t)n * 2 / 3, "file"), F_OK));
}

static void lengths(void)
{
	struct stat st;

	for (int n = 254; n <= 257; n++) {
		char *name = repeated("x", (size_t)n, "");

		say("component of %d", n);
		OK(mkdir(name, 0755));
		OK(stat(name, &st));
		OK(rmdir(name));
		OK(open(name, O_RDONLY));
		OK(open(name, O_RDWR | O_CREAT, 0644));
		OK(unlink(name));
		OK(symlink("x", name));
		OK(rename(name, "new"));
		OK(rename("new", name));
		OK(rename(name, "new"));
		OK(unlink("new"));
		OK(access(repeated("x", (size_t)n, "/x"), F_OK));
		OK(access(repeated("x", (size_t)n, "/.."), F_OK));
		OK(link("file", name));
		OK(unlink(name));
		OK(symlink(name, "new"));
		OK(stat("new", &st));
		OK(open("new", O_RDWR | O_CREAT, 0644));
		OK(unlink("new"));
		OK(unlink(name));
		OK(chdir(name));
		OK(access(repeated("x", (size_t)n, "/"), F_OK));
		OK(access(repeated("file/", 1, name), F_OK));
		OK(access(repeated("new/", 1, name), F_OK));
		OK(make_socket(repeated("x", 90, "")));
		OK(unlink(repeated("x", 90, "")));
	}
	for (int n = 4092; n <= 4098; n++) {
		char *slashes = repeated("/", (size_t)n - 6, "t/file"), *dots = repeated("./", (size_t)n / 2 - 2, "file");
		char *fresh = repeated("/", (size_t)n - 5, "t/new");

		say("path of %d, %d", n, (int)strlen(dots));
		OK(access(slashes, F_OK));
		OK(access(dots, F_OK));
		OK(stat(slashes, &st));
		OK(open(slashes, O_RDONLY));
		OK(openat(1000, slashes, O_RDONLY));
		OK(openat(1000, dots, O_RDONLY));
		OK(mkdir(fresh, 0755));
		OK(rename(fresh, fresh));
		OK(rmdir(fresh));
		OK(symlink(slashes, "new"));
		OK(stat("new", &st));
		OK(lstat("new", &st));
		OK(unlink("new"));
		OK(chdir(repeated("/", (size_t)n - 1, "t")));
		OK(execl(slashes, "x", NULL));
		OK(readlink(slashes, (char *)&st, 8));
	}
}

/* A directory deeper than PATH_MAX, made and walked by steps. */
static void deep(void)
{
	char *name = repeated("d", 200, ""), *buffer = malloc(16384);
	int top = (int)MUST(open(".", O_RDONLY | O_DIRECTORY)), fd;
	struct stat st;

	for (int i = 0; i < 30; i++) {
		MUST(mkdir(name, 0755));
		MUST(chdir(name));
		if (i > 17)
			SHOW(syscall(SYS_getcwd, buffer, 16384));
	}
	write_file("leaf", "leaf", 0644);
	OK(stat("leaf", &st));
	show_path("there", ".", reach_fd(open("leaf", O_RDONLY)));
	fd = (int)MUST(open(".", O_RDONLY | O_DIRECTORY));
	OK(fchdir(top));
	OK(fchdir(fd));
	OK(openat(fd, "leaf", O_RDONLY));
	OK(rename("leaf", "renamed"));
	OK(link("renamed", "leaf"));
	OK(unlink("renamed"));
	OK(mkdir("inner", 0755));
	OK(access("inner/../leaf", F_OK));
	OK(symlink("inner/../leaf", "link"));
	OK(access("link", F_OK));
	OK(make_socket("socket"));
	snprintf(buffer, 64, "/proc/self/fd/%d", fd);
	SHOW(readlink(buffer, buffer + 64, 8000));
	SHOW(readlink("/proc/self/cwd", buffer, 8000));
	CHILD(OK(access("link", F_OK)); OK(chdir("..")); OK(access(name, F_OK)););
	OK(execl("/prog", "x", "executed", NULL));
}

static void efault(void)
{
	static const char *const paths[] = { "file", "/t/dir/in", "to_dir/", "new", "", "/" };
	struct stat st;
	char *unended;

	for (size_t i = 0; i < COUNT(paths); i++) {
		char *path = tail_copy(paths[i], strlen(paths[i]) + 1);

		say("\"%s\"", paths[i]);
		OK(access(path, F_OK));
		unended = tail_copy(paths[i], strlen(paths[i]));
		OK(access(unended, F_OK));
		OK(stat(unended, &st));
		OK(syscall(SYS_open, unended, O_RDONLY));
		OK(rename("file", unended));
		OK(rename(unended, "file"));
		OK(symlink(unended, "new"));
		OK(mkdir(unended, 0755));
		OK(openat(1000, unended, O_RDONLY));
		OK(chdir(unended));
		OK(execve(unended, (char *[]){ (char[]){ "x" }, NULL }, (char *[]){ NULL }));
	}
	unended = tail(4096);
	memset(unended, '/', 4096);
	OK(access(unended, F_OK));
	OK(access(unended + 1, F_OK));
	OK(syscall(SYS_access, NULL, F_OK));
	OK(access((void *)-4096L, F_OK));
	OK(access((void *)(1UL << 63), F_OK));
	OK(syscall(SYS_stat, "file", bad_pointer()));
	OK(syscall(SYS_stat, "file", tail(sizeof(st) - 1)));
	OK(syscall(SYS_stat, "none", bad_pointer()));
	OK(syscall(SYS_readlink, "to_file", bad_pointer(), 10));
	OK(syscall(SYS_readlink, "to_file", tail(3), 10));
	OK(syscall(SYS_readlink, "to_file", tail(3), 3));
	OK(syscall(SYS_readlink, "to_file", tail(3), 0));
	OK(syscall(SYS_readlink, "to_file", tail(3), -1));
	OK(syscall(SYS_readlink, "file", bad_pointer(), 10));
	OK(syscall(SYS_statx, AT_FDCWD, "file", 0, 0xfff, bad_pointer()));
	OK(syscall(SYS_statfs, "file", bad_pointer()));
	OK(syscall(SYS_utimensat, AT_FDCWD, "file", bad_pointer(), 0));
	OK(syscall(SYS_getxattr, "file", bad_pointer(), NULL, 0));
	OK(syscall(SYS_setxattr, "file", "user.x", bad_pointer(), 8, 0));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		OK(access("link", F_OK));
		OK(access("/t/file", F_OK));
		MUST(chdir("/"));
		remove_all(AT_FDCWD, "/t");
		FACT(access("/t", F_OK) != 0);
		return 0;
	}
	tree_make();
	links();
	lengths();
	efault();
	deep();
	return 0;
}
