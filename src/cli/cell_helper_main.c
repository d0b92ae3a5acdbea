// SPDX-License-Identifier: Apache-2.0
/* What this program does as a guest of a cell (cell_helper.h): one end of a copy, on its standard input. Nothing of its environment is used. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cell_helper.h"
#include "image/copy.h"
#include "units/manager.h"

#define CELL_MACHINE ".machine"
#define FAILED 124 /* for errno values that are no exit status */

static int status_of(int error)
{
	return error == 0 ? 0 : -error < FAILED ? -error : FAILED;
}

static void ask_to_stop(int sig)
{
	(void)sig;
	const char byte = MANAGER_STOP;
	(void)!write(STDIN_FILENO, &byte, 1);
}

static bool is_among(const char *name, const char *names)
{
	size_t length = strlen(name);
	for (const char *at = names; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (strncmp(at, name, length) == 0 && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

/* What is seen of a name of the machine's directory: a link that leads to the same. */
static int show(int from, const char *name, int to)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(from, name, text, sizeof(text) - 1);
	if (n >= 0)
		text[n] = '\0';
	else
		snprintf(text, sizeof(text), CELL_MACHINE "/%s", name);
	return symlinkat(text, to, name) < 0 && errno != EEXIST ? -errno : 0;
}

/* The cell's own in the place of a directory of the machine's: a tmpfs that has links to what is there, but for some names. */
static int make_own(const char *path, const char *except)
{
	char old[32], machine[PATH_MAX];
	const struct dirent *entry;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	CLEANUP_FD int own = FD_NONE;
	if (fd < 0 || mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
		return -errno;
	snprintf(old, sizeof(old), "/proc/self/fd/%d", fd);
	snprintf(machine, sizeof(machine), "%s/" CELL_MACHINE, path);
	own = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own < 0 || mkdir(machine, 0755) < 0 || mount(old, machine, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	DIR *stream = fdopendir(fd);
	while (stream && r == 0 && (entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && !is_among(entry->d_name, except))
			r = show(fd, entry->d_name, own);
	if (stream)
		closedir(stream);
	return stream ? r : -ENOMEM;
}

/* The holder of a cell of units (units/manager.h): makes DIRECTORY EXCEPT … the cell's own, says so, and is there until the other end is closed; what
 * would end it asks the manager instead. */
static int hold(char **own)
{
	struct sigaction action = { .sa_handler = ask_to_stop };
	char byte = MANAGER_HELD;
	ssize_t n;
	for (; own[0] && own[1]; own += 2) {
		int r = make_own(own[0], own[1]);
		if (r < 0)
			return status_of(r);
	}
	(void)!write(STDIN_FILENO, &byte, 1);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	do
		n = read(STDIN_FILENO, &byte, 1);
	while (n > 0 || (n < 0 && errno == EINTR));
	return 0;
}

/* lichen-helper send|follow SOURCE SKIP… ; lichen-helper receive TARGET ; lichen-helper hold [DIRECTORY EXCEPT…]… */
int cell_helper_main(int argc, char **argv)
{
	struct image_error why;
	u64 lost;
	if (argc >= 2 && strcmp(argv[1], "hold") == 0)
		return hold(argv + 2);
	if (argc < 3)
		return FAILED;
	(void)umask(0);
	if (strcmp(argv[1], "receive") == 0) {
		const struct copy_target target = { .path = argv[2] };
		return status_of(copy_receive(STDIN_FILENO, &target, &lost, &why));
	}
	const struct copy_source source = { .path = argv[2],
					    .follow = strcmp(argv[1], "follow") == 0,
					    .skip = (const char *const *)argv + 3 };
	return status_of(copy_send(STDIN_FILENO, &source, &why));
}
