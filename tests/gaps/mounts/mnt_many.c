// SPDX-License-Identifier: Apache-2.0
/* As many mounts as dockerd makes for a hundred and twenty containers, with names as long as its own: all are there, are told, are found, and go again. */
#include "mounts.h"

#define CONTAINERS 120

static void name(char *to, size_t size, int container, const char *what)
{
	snprintf(to, size, "/m/g/docker/overlay2/%064d/%s", container, what);
}

static void make_directory(int container, const char *what)
{
	char path[256];

	name(path, sizeof(path), container, what);
	MUST(mkdir(path, 0755));
}

/* What docker mounts for one: its root of three layers, /dev/shm, and the file that keeps its network namespace. Returns how many it were. */
static int mount_one(int container)
{
	char options[1024], lower[256], upper[256], work[256], merged[256], shm[256], net[256];

	make_directory(container, "");
	for (const char *const *what = (const char *const[]){ "diff", "lower", "work", "merged", "shm", NULL }; *what; what++)
		make_directory(container, *what);
	name(lower, sizeof(lower), container, "lower");
	name(upper, sizeof(upper), container, "diff");
	name(work, sizeof(work), container, "work");
	name(merged, sizeof(merged), container, "merged");
	name(shm, sizeof(shm), container, "shm");
	name(net, sizeof(net), container, "net");
	write_file(net, "", 0644);
	snprintf(options, sizeof(options), "lowerdir=%s:/m/a:/m/b,upperdir=%s,workdir=%s", lower, upper, work);
	return (mount("overlay", merged, "overlay", 0, options) == 0) + (mount("shm", shm, "tmpfs", 0, "size=64m") == 0) +
	       (mount("/m/file", net, NULL, MS_BIND, NULL) == 0);
}

/* Whether the root of one is as it should be, and no other's. */
static bool is_whole(int container)
{
	char path[256], text[64] = "", wanted[64];
	int fd;

	snprintf(wanted, sizeof(wanted), "of %d", container);
	name(path, sizeof(path), container, "merged/mine");
	write_file(path, wanted, 0644);
	name(path, sizeof(path), container, "diff/mine");
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 || strcmp(text, wanted) != 0)
		return false;
	close(fd);
	name(path, sizeof(path), container, "merged/in_b");
	return access(path, R_OK) == 0;
}

static int told(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[8192];
	int count = 0;

	while (file && fgets(line, sizeof(line), file))
		count += strstr(line, " /m/g/docker/overlay2/") != NULL;
	if (file)
		fclose(file);
	return count;
}

static int unmount_one(int container)
{
	static const char *const what[] = { "merged", "shm", "net" };
	char path[256];
	int count = 0;

	for (int i = 0; i < 3; i++) {
		name(path, sizeof(path), container, what[i]);
		count += umount2(path, MNT_DETACH) == 0;
	}
	return count;
}

int main(void)
{
	int mounted = 0, whole = 0, gone = 0;

	make_places();
	MUST(mount("t", "/m/g", "tmpfs", 0, NULL));
	MUST(mkdir("/m/g/docker", 0755));
	MUST(mkdir("/m/g/docker/overlay2", 0755));
	for (int i = 0; i < CONTAINERS; i++)
		mounted += mount_one(i);
	say("mounted %d", mounted);
	for (int i = 0; i < CONTAINERS; i++)
		whole += is_whole(i);
	say("whole %d", whole);
	say("told %d", told());
	OK(unshare(CLONE_NEWNS));
	say("told in a copy %d", told());
	for (int i = 0; i < CONTAINERS; i += 2)
		gone += unmount_one(i);
	say("gone %d, told %d", gone, told());
	for (int i = 1; i < CONTAINERS; i += 2)
		gone += unmount_one(i);
	say("gone %d, told %d", gone, told());
	OK(umount2("/m/g", MNT_DETACH));
	return 0;
}
