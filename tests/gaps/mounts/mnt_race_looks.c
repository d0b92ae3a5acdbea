// SPDX-License-Identifier: Apache-2.0
/* Directories of overlays are listed, what is open is changed, sockets are bound and files of /proc are read while others mount: as if they did not. */
#include "mounts.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define ROUNDS 300
#define FILES 20

/* Mounts and unmounts, for ever. */
static void change(void)
{
	for (;;) {
		mount("none", "/m/e", "tmpfs", 0, NULL);
		umount2("/m/e", MNT_DETACH);
	}
}

/* Names that a directory lists, but for dots; negative: an error. */
static int count(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int names = 0;

	if (!dir)
		return -errno;
	errno = 0;
	while ((entry = readdir(dir)))
		names += entry->d_name[0] != '.';
	names = errno ? -errno : names;
	closedir(dir);
	return names;
}

static bool lists(const char *path, int wanted)
{
	int names = count(path);

	if (names != wanted)
		say("%s lists %d: %s", path, names, names < 0 ? errno_name(-names) : "");
	return names == wanted;
}

/* Whether the file tells of the overlay. */
static bool tells(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, used = 0;

	while (fd >= 0 && (n = read(fd, text + used, sizeof(text) - 1 - (size_t)used)) > 0)
		used += n;
	close(fd);
	text[used] = '\0';
	return strstr(text, " /m/h ");
}

/* By a descriptor of what is in a lower layer yet. */
static bool changes(int number)
{
	struct stat st = { 0 };
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "/m/h/many/n%d", number);
	fd = (int)MUST(open(name, O_RDONLY | O_CLOEXEC));
	if (fchmod(fd, 0600) < 0)
		say("fchmod: %s", errno_name(errno));
	close(fd);
	return stat(name, &st) == 0 && (st.st_mode & 0777) == 0600;
}

static bool binds(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/m/h/sub/socket" };
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	bool bound = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	if (!bound)
		say("bind: %s", errno_name(errno));
	close(fd);
	return bound && unlink("/m/h/sub/socket") == 0;
}

int main(void)
{
	int wrong = 0;
	pid_t pids[2];

	make_places();
	MUST(mkdir("/m/a/many", 0755));
	for (int i = 0; i < FILES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "/m/a/many/n%d", i);
		write_file(name, "many", 0644);
	}
	MUST(mount("t", "/m/g", "tmpfs", 0, NULL));
	MUST(mkdir("/m/g/upper", 0755));
	MUST(mkdir("/m/g/work", 0755));
	MUST(mount("overlay", "/m/h", "overlay", 0, "lowerdir=/m/a,upperdir=/m/g/upper,workdir=/m/g/work"));
	MUST(unshare(CLONE_NEWNS));
	MUST(mount("/m/h/sub", "/m/f", NULL, MS_BIND, NULL));
	MUST(unlink("/m/h/sub/file"));
	for (size_t i = 0; i < COUNT(pids); i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0)
			change();
	}
	for (int i = 0, rounds = scaled(ROUNDS); i < rounds && wrong < 10; i++) {
		wrong += !lists("/m/h/many", FILES);
		wrong += !lists("/m/f", 1);
		wrong += i < FILES && !changes(i);
		wrong += rmdir("/m/h/many") == 0 || errno != ENOTEMPTY;
		wrong += !tells("/proc/self/mountinfo");
		wrong += !binds();
	}
	for (size_t i = 0; i < COUNT(pids); i++) {
		kill(pids[i], SIGKILL);
		MUST(waitpid(pids[i], NULL, 0));
	}
	say("wrong: %d", wrong);
	list("/m/a/sub");
	return 0;
}
