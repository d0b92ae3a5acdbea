/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of control groups share. Each mounts the unified hierarchy in a mount namespace of its own and works in a fresh group of it, which it
 * removes at its end; names in the transcript are relative to that group.
 *
 * Natively that is the machine's hierarchy, of which v1 may have all controllers but hugetlb: tests of v2 use none but that.
 */
#ifndef CGROUP_TEST_H
#define CGROUP_TEST_H

#include "difftest.h"

#include <dirent.h>
#include <ftw.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#define PLACE "/mnt/g"

static char group_name[64]; /* "lichen-test-PID" */
static char group_top[128]; /* its directory */
static pid_t group_owner;

/* --- files ---------------------------------------------------------------------------------------------------------------------- */

/* Writes a string to a file with one write(2): 0 or errno. */
MAYBE_UNUSED static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		error = errno;
	close(fd);
	return error;
}

MAYBE_UNUSED static void try_put(const char *path, const char *text)
{
	char shown[128];
	size_t n = 0;

	for (const char *c = text; *c && n + 3 < sizeof(shown); c++) {
		if (*c == '\n')
			shown[n++] = '\\', shown[n++] = 'n';
		else
			shown[n++] = *c;
	}
	shown[n] = '\0';
	int error = put(path, text);
	say("write \"%s\" to %s: %s", shown, path, error ? errno_name(error) : "ok");
}

/* Reads a file into text: bytes, or -errno. */
MAYBE_UNUSED static int get(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n;

	text[0] = '\0';
	if (fd < 0)
		return -errno;
	while ((n = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	if (n < 0)
		used = 0;
	int error = errno;
	close(fd);
	text[used] = '\0';
	return n < 0 ? -error : (int)used;
}

/* Prints what a file says, lines separated by a bar. */
MAYBE_UNUSED static void show(const char *path)
{
	char text[4096];
	int n = get(path, text, sizeof(text));

	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = '|';
	say("%s: %s", path, n < 0 ? errno_name(-n) : text);
}

/* Whether a file has a line. */
MAYBE_UNUSED static bool has_line(const char *path, const char *line)
{
	char text[65536], *rest = text, *word;

	if (get(path, text, sizeof(text)) < 0)
		return false;
	while ((word = strsep(&rest, "\n")))
		if (!strcmp(word, line))
			return true;
	return false;
}

MAYBE_UNUSED static bool has_pid(const char *path, pid_t pid)
{
	char line[16];

	snprintf(line, sizeof(line), "%d", (int)pid);
	return has_line(path, line);
}

/* Where a process is, relative to the test's group: "/" for that, "outside". */
MAYBE_UNUSED static const char *place_of(pid_t pid)
{
	static char text[65536];
	char path[64], *rest = text, *word;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (get(path, text, sizeof(text)) < 0)
		return "unknown";
	while ((word = strsep(&rest, "\n"))) {
		char *at = strncmp(word, "0::/", 4) ? NULL : strstr(word, group_name);

		if (at)
			return at[strlen(group_name)] ? at + strlen(group_name) : "/";
	}
	return "outside";
}

/* --- the test's group ------------------------------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st, (void)walk;
	if (type == FTW_DP)
		rmdir(path);
	return 0;
}

static void remove_groups(void)
{
	char file[192];

	if (getpid() != group_owner)
		return;
	put(PLACE "/cgroup.procs", "0");
	snprintf(file, sizeof(file), "%s/cgroup.kill", group_top);
	put(file, "1");
	for (int i = 0; i < 500 && access(group_top, F_OK) == 0; i++) {
		if (chdir(PLACE) == 0)
			nftw(group_top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		usleep(2000);
	}
}

/* The working directory is then a fresh group, whose controllers are those that the root has and gives: hugetlb. */
MAYBE_UNUSED static void enter_group(void)
{
	umask(022);
	MUST(unshare(CLONE_NEWNS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mount("test", "/mnt", "tmpfs", 0, "mode=755"));
	MUST(mkdir(PLACE, 0755));
	MUST(mount("groups", PLACE, "cgroup2", 0, NULL));
	put(PLACE "/cgroup.subtree_control", "+hugetlb");
	group_owner = getpid();
	snprintf(group_name, sizeof(group_name), "lichen-test-%d", (int)getpid());
	snprintf(group_top, sizeof(group_top), PLACE "/%s", group_name);
	MUST(mkdir(group_top, 0755));
	atexit(remove_groups);
	MUST(chdir(group_top));
}

/* A child that waits to be killed: its pid. */
MAYBE_UNUSED static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

MAYBE_UNUSED static void end_sleeper(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

MAYBE_UNUSED static int put_pid(const char *path, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	return put(path, text);
}

#endif
