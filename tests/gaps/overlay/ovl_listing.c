/* SPDX-License-Identifier: Apache-2.0 */
/* Listing directories of several layers: each name once, while names come and go; positions that hold. */
#include "overlay_test.h"

#define NAMES 700

static char seen[2 * NAMES];

/* Notes the name n of "nNNNN", and whether it came twice. */
static int note(const char *name)
{
	int n = name[0] == 'n' ? atoi(name + 1) : -1;

	if (n < 0 || n >= 2 * NAMES)
		return 0;
	return seen[n]++;
}

static int count_seen(void)
{
	int count = 0;

	for (int i = 0; i < 2 * NAMES; i++)
		count += seen[i] != 0;
	return count;
}

static int list(DIR *dir)
{
	const struct dirent *entry;
	int twice = 0;

	memset(seen, 0, sizeof(seen));
	while ((entry = readdir(dir)))
		twice += note(entry->d_name);
	say("listed %d, twice %d", count_seen(), twice);
	return count_seen();
}

static void make(int n)
{
	char path[64];

	snprintf(path, sizeof(path), "/a/many/n%d", n);
	close((int)MUST(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
}

static void drop(int n)
{
	char path[64];

	snprintf(path, sizeof(path), "/a/many/n%d", n);
	MUST(unlink(path));
}

/* Removes each name when it is listed, as rm -r does. */
static void remove_all(void)
{
	DIR *dir = opendir("/a/many");
	const struct dirent *entry;
	int count = 0;

	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && unlinkat(dirfd(dir), entry->d_name, 0) == 0)
			count++;
	closedir(dir);
	say("removed %d", count);
	say_names("/a/many");
	SHOW(rmdir("/a/many"));
	say_file("/a/many");
}

static void positions(DIR *dir)
{
	char names[32][256];
	long at[32];
	int same = 0;

	rewinddir(dir);
	for (int i = 0; i < 32; i++) {
		at[i] = telldir(dir);
		snprintf(names[i], sizeof(names[i]), "%s", readdir(dir)->d_name);
	}
	for (int i = 31; i >= 0; i--) {
		const struct dirent *entry;

		seekdir(dir, at[i]);
		entry = readdir(dir);
		same += entry && !strcmp(entry->d_name, names[i]);
	}
	SHOW(same);
}

int main(int argc, char **argv)
{
	DIR *dir;

	DUMP_IF_ASKED();
	dir = opendir("/a/many");
	MUST(dir ? 0 : -1);
	list(dir);
	for (int i = NAMES; i < NAMES + 50; i++)
		make(i);
	for (int i = 0; i < 50; i++)
		drop(i * 2);
	closedir(dir);
	dir = opendir("/a/many");
	list(dir);
	positions(dir);
	rewinddir(dir);
	list(dir);
	/* names that stay are listed though others go */
	rewinddir(dir);
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 100; i++)
		note(readdir(dir)->d_name);
	for (int i = 101; i < 201; i++)
		drop(i);
	for (const struct dirent *entry; (entry = readdir(dir));)
		note(entry->d_name);
	say("those that stayed: %d", ({
		    int all = 0;
		    for (int i = 201; i < NAMES; i++)
			    all += seen[i] == 1;
		    all;
	    }));
	closedir(dir);
	remove_all();
	say_names("/a/dir");
	write_file("/a/dir/upper", "x", 0600);
	say_names("/a/dir");
	return 0;
}
