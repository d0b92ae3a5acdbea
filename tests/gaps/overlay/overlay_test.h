/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of overlays share. They run in a root that is one: natively the kernel's, under lichen its own; its lower layer (difftest.py,
 * overlay_lower()) holds the program and /a. Called with the word "dump" a program prints the whole tree instead: afterwards, in a
 * new mount of what the run has left in the upper layer.
 */
#ifndef OVERLAY_TEST_H
#define OVERLAY_TEST_H

#include "difftest.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/xattr.h>

MAYBE_UNUSED static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Prints the names of a directory, sorted. */
MAYBE_UNUSED static void say_names(const char *path)
{
	struct dirent **list;
	char text[900] = "";
	int count = scandir(path, &list, NULL, by_name);

	if (count < 0) {
		say("names of %s: %s", path, errno_name(errno));
		return;
	}
	for (int i = 0; i < count; i++)
		if (strlen(text) < sizeof(text) - 300)
			strcat(strcat(text, " "), list[i]->d_name);
	say("names of %s:%s", path, text);
}

/* Prints what is at a path, and what it holds. */
MAYBE_UNUSED static void say_file(const char *path)
{
	char text[128] = "", note[64] = "";
	struct stat st;
	ssize_t n;

	if (lstat(path, &st) < 0) {
		say("%s: %s", path, errno_name(errno));
		return;
	}
	if (S_ISREG(st.st_mode))
		read_file(path, text, sizeof(text));
	else if (S_ISLNK(st.st_mode) && (n = readlink(path, text, sizeof(text) - 1)) >= 0)
		text[n] = 0;
	n = S_ISREG(st.st_mode) ? getxattr(path, "user.note", note, sizeof(note) - 1) : -1;
	say("%s: mode %o owner %d:%d size %lld \"%.40s\"%s%s", path, st.st_mode, (int)st.st_uid, (int)st.st_gid,
	    S_ISREG(st.st_mode) ? (long long)st.st_size : 0LL, text, n >= 0 ? " note " : "", n >= 0 ? note : "");
}

MAYBE_UNUSED static void dump(const char *path)
{
	struct dirent **list;
	int count = scandir(path, &list, NULL, by_name);

	say("%s: %d entries", path, count);
	for (int i = 0; i < count; i++) {
		char name[4096];
		struct stat st;

		if (list[i]->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, list[i]->d_name);
		say_file(name);
		if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode))
			dump(name);
	}
}

/* At the start of main(): in the second run prints the tree and ends. */
#define DUMP_IF_ASKED()                                     \
	do {                                                \
		if (argc > 1 && !strcmp(argv[1], "dump")) { \
			dump("/a");                         \
			return 0;                           \
		}                                           \
	} while (0)

MAYBE_UNUSED static void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		say("append to %s: %s", path, errno_name(errno));
	if (fd >= 0)
		close(fd);
}

#endif
