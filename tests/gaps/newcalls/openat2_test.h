/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of openat2 share: a tree to walk in, and a line for each open. Files hold their own path. */
#ifndef OPENAT2_TEST_H
#define OPENAT2_TEST_H

#include "difftest.h"

#include <linux/openat2.h>

MAYBE_UNUSED static void make_file(const char *path)
{
	write_file(path, path, 0644);
}

/*
 * file  folder/inner  folder/deep/leaf  outside/secret  root/…: what is below is meant to stay below
 * Links: link → file, dangling → nowhere, loop → loop, up → .., absolute → /, root/{escape → ../outside, climb → ../../.., back → sub/../in,
 * abs → /in, absdir → /sub, chain → back}
 */
MAYBE_UNUSED static void make_tree(void)
{
	static const char *const folders[] = { "folder", "folder/deep", "outside", "root", "root/sub", "root/sub/low" };
	static const char *const files[] = { "file",           "folder/inner", "folder/deep/leaf",
					     "outside/secret", "root/in",      "root/sub/leaf" };
	static const char *const links[][2] = {
		{ "file", "link" },
		{ "nowhere", "dangling" },
		{ "loop", "loop" },
		{ "folder", "dirlink" },
		{ "folder/", "dirlink_slash" },
		{ "..", "up" },
		{ "../outside", "root/escape" },
		{ "../../..", "root/climb" },
		{ "sub/../in", "root/back" },
		{ "/in", "root/abs" },
		{ "/sub", "root/absdir" },
		{ "back", "root/chain" },
		{ "/", "root/slash" },
		{ "sub", "root/sublink" },
		{ "nowhere", "root/dangling" },
		{ "../in", "root/sub/parent" },
		{ "../../in", "root/sub/too_far" },
	};

	for (unsigned i = 0; i < COUNT(folders); i++)
		MUST(mkdir(folders[i], 0755));
	for (unsigned i = 0; i < COUNT(files); i++)
		make_file(files[i]);
	for (unsigned i = 0; i < COUNT(links); i++)
		MUST(symlink(links[i][0], links[i][1]));
}

/* Prints what is behind a descriptor: a file's contents or a folder's name, from /proc. */
MAYBE_UNUSED static void say_what(const char *what, int fd)
{
	char text[64] = "", path[64], target[PATH_MAX] = "";
	struct stat st;
	ssize_t n;

	fstat(fd, &st);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	if (S_ISREG(st.st_mode)) {
		n = read(fd, text, sizeof(text) - 1);
		say("%s = file '%s'", what, n > 0 ? text : n == 0 ? "(empty)" : errno_name(errno));
	} else {
		char *last = strrchr(target, '/');

		say("%s = %s %s, close-on-exec %d", what,
		    S_ISDIR(st.st_mode)   ? "folder"
		    : S_ISLNK(st.st_mode) ? "link"
					  : "other",
		    last && strncmp(last, "/tmp", 4) ? last : "(the test's)", fcntl(fd, F_GETFD));
	}
}

/* EAGAIN: something was renamed or mounted meanwhile, anywhere; the caller is to ask again (openat2(2)). */
MAYBE_UNUSED static long openat2_again(int dirfd, const char *path, const struct open_how *how)
{
	long fd = -1;

	for (int tries = 0; tries == 0 || (tries < 1000 && fd < 0 && errno == EAGAIN && !(how->resolve & 0x20)); tries++)
		fd = syscall(SYS_openat2, dirfd, path, how, sizeof(*how));
	return fd;
}

MAYBE_UNUSED static long open_in(int dirfd, const char *what, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };
	long fd = openat2_again(dirfd, path, &how);

	if (fd < 0)
		say("%s %s flags %#llo mode %#llo resolve %#llx = %s", what, path, (unsigned long long)flags,
		    (unsigned long long)mode, (unsigned long long)resolve, errno_name(errno));
	else
		say_what(what, (int)fd);
	if (fd >= 0)
		close((int)fd);
	return fd;
}

MAYBE_UNUSED static long open_as(const char *what, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	return open_in(AT_FDCWD, what, path, flags, mode, resolve);
}

#endif
