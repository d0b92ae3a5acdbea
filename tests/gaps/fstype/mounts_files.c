/* SPDX-License-Identifier: Apache-2.0 */
/* mounts says what mountinfo says, by every name that the two have. */
#include "mounts.h"
#include <mntent.h>

static void same_file(const char *name, const char *expected)
{
	char *text = slurp(name);

	/* the number of a thread is no fact */
	say("%.*s is the same: %s", (int)strcspn(name, "0123456789"), name, strcmp(text, expected) ? "no" : "yes");
	free(text);
}

static void same_relative(int dir, const char *name, const char *expected)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? strdup(errno_name(errno)) : slurp_fd(fd, NULL);

	say("openat %s is the same: %s", name, strcmp(text, expected) ? "no" : "yes");
	free(text);
	close(fd);
}

static void by_every_name(const char *file)
{
	char path[128], self[64];
	char *text;

	snprintf(self, sizeof(self), "/proc/self/%s", file);
	text = slurp(self);
	FACT(strlen(text) > 20 && strchr(text, '\n'));
	snprintf(path, sizeof(path), "/proc/thread-self/%s", file);
	same_file(path, text);
	snprintf(path, sizeof(path), "/proc/%d/%s", getpid(), file);
	same_file(path, text);
	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", getpid(), file);
	same_file(path, text);
	snprintf(path, sizeof(path), "/proc//./self/../self/%s", file);
	same_file(path, text);
	snprintf(path, sizeof(path), "self/%s", file);
	MUST(chdir("/proc"));
	same_relative(AT_FDCWD, path, text);
	MUST(chdir("self"));
	same_relative(AT_FDCWD, file, text);
	MUST(chdir("/"));
	int dir = (int)MUST(open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
	same_relative(dir, file, text);
	CHILD({ same_file(self, text); });
	if (!strcmp(file, "mounts")) {
		same_file("/proc/mounts", text);
		same_file("/etc/mtab", text);
	}
	free(text);
}

static bool option(const struct mntent *entry, const char *name)
{
	return hasmntopt(entry, name) != NULL;
}

static void row_by_row(void)
{
	struct table *table = read_mountinfo("/proc/self/mountinfo");
	FILE *file = setmntent("/proc/self/mounts", "re");
	int same = 0, rows = 0;
	struct mntent *entry;

	while ((entry = getmntent(file))) {
		struct row *row = &table->row[rows++];
		bool ro = !strncmp(row->super, "ro", 2) || !strncmp(row->options, "ro", 2);

		if (!strcmp(entry->mnt_dir, row->point) && !strcmp(entry->mnt_type, row->type) &&
		    !strcmp(entry->mnt_fsname, row->source) && option(entry, "ro") == ro && option(entry, "rw") == !ro &&
		    option(entry, "nosuid") == !!strstr(row->options, "nosuid") && entry->mnt_freq == 0 && entry->mnt_passno == 0)
			same++;
		else
			say("row %d: %s on %s type %s", rows, entry->mnt_fsname, entry->mnt_dir, entry->mnt_type);
	}
	endmntent(file);
	FACT(rows == table->count);
	FACT(same == rows);
}

int main(void)
{
	by_every_name("mountinfo");
	by_every_name("mounts");
	row_by_row();
	return 0;
}
