/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of mounting share: a few directories and files in /m, and /proc/self/mountinfo as far as it is about them, with numbers and
 * names that differ from run to run replaced by the order in which they appear.
 *
 * The programs run as root in a root directory of their own (fs/fs_test.h), where nothing is mounted at or below /m at first.
 */
#ifndef MOUNTS_H
#define MOUNTS_H

#include "difftest.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

MAYBE_UNUSED static void make_places(void)
{
	umask(022);
	MUST(mkdir("/m", 0755));
	for (const char *at = "abcdefgh"; *at; at++) {
		char path[32];

		snprintf(path, sizeof(path), "/m/%c", *at);
		MUST(mkdir(path, 0755));
		snprintf(path, sizeof(path), "/m/%c/in_%c", *at, *at);
		write_file(path, path, 0644);
	}
	MUST(mkdir("/m/a/sub", 0755));
	MUST(mkdir("/m/a/sub/deep", 0755));
	write_file("/m/a/sub/file", "file in sub", 0644);
	write_file("/m/file", "file", 0644);
	write_file("/m/file2", "file2", 0644);
	MUST(symlink("a", "/m/to_a"));
	MUST(symlink("none", "/m/dangling"));
}

/* --- mountinfo ----------------------------------------------------------------------------------------------------------------- */

struct names { /* words, by the order in which they came */
	int count;
	char word[64][64];
};

static int number_of(struct names *names, const char *word)
{
	for (int i = 0; i < names->count; i++)
		if (strcmp(names->word[i], word) == 0)
			return i;
	if (names->count == 64)
		return 99;
	snprintf(names->word[names->count], sizeof(names->word[0]), "%s", word);
	return names->count++;
}

struct mount_line {
	char id[32], parent[32], device[32], root[512], point[512], options[256], fields[256], type[64], source[256], super[512];
};

/* Takes one line apart; the optional fields come without the hyphen behind them. */
static bool parse_line(char *text, struct mount_line *line)
{
	char *word, *rest = text;
	int n = 0;

	memset(line, 0, sizeof(*line));
	while ((word = strsep(&rest, " "))) {
		char *to[] = { line->id, line->parent, line->device, line->root, line->point, line->options };
		size_t size[] = { 32, 32, 32, 512, 512, 256 };

		if (n < 6) {
			snprintf(to[n], size[n], "%s", word);
		} else if (n == 6 && strcmp(word, "-") != 0) {
			snprintf(line->fields + strlen(line->fields), sizeof(line->fields) - strlen(line->fields), " %s", word);
			continue;
		} else if (n == 7) {
			snprintf(line->type, sizeof(line->type), "%s", word);
		} else if (n == 8) {
			snprintf(line->source, sizeof(line->source), "%s", word);
		} else if (n == 9) {
			snprintf(line->super, sizeof(line->super), "%s", word);
		}
		n++;
	}
	return n == 10;
}

/* "shared:17 master:3": peer groups by the order in which they appear. */
static void number_peers(struct names *peers, char *fields, size_t size)
{
	char copy[256], *word, *rest = copy;

	snprintf(copy, sizeof(copy), "%s", fields);
	fields[0] = '\0';
	while ((word = strsep(&rest, " "))) {
		char *colon = strchr(word, ':');
		size_t used = strlen(fields);

		if (!*word)
			continue;
		if (colon)
			snprintf(fields + used, size - used, " %.*s:%d", (int)(colon - word), word, number_of(peers, colon + 1));
		else
			snprintf(fields + used, size - used, " %s", word);
	}
}

/* Prints the mounts at and below `top`, in the order of their mount points; what is mounted at one point in the order of the file. */
static void show_table(const char *what, const char *path, const char *top)
{
	static char text[65536];
	static struct names peers;
	static struct mount_line lines[64];
	char root_system[512] = "", system[512], root_root[512] = "", *rest = text, *word;
	int count = 0;

	peers.count = 0;
	read_file(path, text, sizeof(text));
	while ((word = strsep(&rest, "\n")) && count < 64) {
		struct mount_line *line = &lines[count];

		if (!*word || !parse_line(word, line))
			continue;
		if (strcmp(line->point, "/") == 0) {
			snprintf(root_system, sizeof(root_system), "%s %.60s %.60s", line->device, line->type, line->source);
			snprintf(root_root, sizeof(root_root), "%s", line->root[1] ? line->root : "");
		}
		if (strncmp(line->point, top, strlen(top)) != 0)
			continue;
		int at = count++;
		while (at > 0 && strcmp(lines[at - 1].point, line->point) > 0)
			at--;
		struct mount_line keep = *line;
		memmove(&lines[at + 1], &lines[at], (size_t)(count - 1 - at) * sizeof(keep));
		lines[at] = keep;
	}
	say("%s: %d mounts", what, count);
	for (int i = 0; i < count; i++) {
		struct mount_line *line = &lines[i];
		int parent = -1;
		char *root = line->root;
		bool on_root;

		snprintf(system, sizeof(system), "%s %.60s %.60s", line->device, line->type, line->source);
		on_root = strcmp(system, root_system) == 0;

		for (int k = 0; k < count; k++)
			if (strcmp(lines[k].id, line->parent) == 0)
				parent = k;
		number_peers(&peers, line->fields, sizeof(line->fields));
		if (on_root && strncmp(root, root_root, strlen(root_root)) == 0)
			root += strlen(root_root);
		say("  %d on %d %s%s %s %s%s%s%s %s %s", i, parent, on_root ? "root:" : "", *root ? root : "/", line->point,
		    line->options, line->fields, on_root ? "" : " - ", on_root ? "" : line->type, on_root ? "" : line->source,
		    on_root ? "" : line->super);
	}
}

MAYBE_UNUSED static void show_mounts(const char *what)
{
	show_table(what, "/proc/self/mountinfo", "/m");
}

/* --- what is seen ------------------------------------------------------------------------------------------------------------------ */

/* Lists a directory, sorted, on one line. */
MAYBE_UNUSED static void list(const char *path)
{
	char text[512] = "";
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);

	if (n < 0) {
		say("%s: %s", path, errno_name(errno));
		return;
	}
	for (int i = 0; i < n; i++) {
		size_t used = strlen(text);

		if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
			snprintf(text + used, sizeof(text) - used, " %s", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	say("%s:%s", path, text);
}

MAYBE_UNUSED static void show_file(const char *path)
{
	char text[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		say("%s: %s", path, errno_name(errno));
		return;
	}
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	say("%s: \"%s\"", path, text);
}

/* Creates and removes a file. */
MAYBE_UNUSED static void try_create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	say("create %s: %s", path, fd < 0 ? errno_name(errno) : "ok");
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
}

MAYBE_UNUSED static const char *mount_flags(unsigned long flags)
{
	static const struct {
		unsigned long flag;
		const char *name;
	} names[] = {
		{ ST_RDONLY, "ro" },       { ST_NOSUID, "nosuid" },         { ST_NODEV, "nodev" },       { ST_NOEXEC, "noexec" },
		{ ST_NOATIME, "noatime" }, { ST_NODIRATIME, "nodiratime" }, { ST_RELATIME, "relatime" }, { 0x2000, "nosymfollow" },
	};
	static char text[128];

	text[0] = '\0';
	for (size_t i = 0; i < COUNT(names); i++)
		if (flags & names[i].flag) {
			strcat(text, " ");
			strcat(text, names[i].name);
		}
	return text;
}

MAYBE_UNUSED static void show_flags(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs) != 0)
		say("statvfs %s: %s", path, errno_name(errno));
	else
		say("statvfs %s:%s", path, mount_flags(fs.f_flag));
}

#endif
