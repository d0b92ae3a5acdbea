// SPDX-License-Identifier: Apache-2.0
/* Directories read: the root and its .., a recursive walk as fts does it, removal while reading, seekdir, watching by inotify. */
#include "fs_test.h"

#include <fts.h>
#include <ftw.h>
#include <sys/inotify.h>

static void listing(const char *path)
{
	char names[64][32];
	int count = 0;
	struct dirent *entry;
	struct stat here, above;
	DIR *dir = opendir(path);

	if (!dir) {
		say("%s: %s", path, errno_name(errno));
		return;
	}
	MUST(fstat(dirfd(dir), &here));
	MUST(fstatat(dirfd(dir), "..", &above, 0));
	while ((entry = readdir(dir)) && count < 64) {
		const char *inode = "";

		if (strcmp(entry->d_name, ".") == 0)
			inode = entry->d_ino == here.st_ino ? " right" : " wrong";
		if (strcmp(entry->d_name, "..") == 0 && strcmp(path, "/") != 0)
			inode = entry->d_ino == above.st_ino ? " right" : " wrong";
		if (strncmp(path, "/proc", 5) != 0 || !inode[0])
			snprintf(names[count++], 32, "%.20s %d%s", entry->d_name, entry->d_type, inode);
	}
	closedir(dir);
	qsort(names, (size_t)count, sizeof(names[0]), (int (*)(const void *, const void *))strcmp);
	say("%s:", path);
	for (int i = 0; i < count; i++)
		if (strcmp(path, "/") != 0 || !strchr("dps", names[i][0]) || strncmp(names[i], "prog", 4) == 0)
			say("  %s", names[i]);
	FACT(strcmp(path, "/") != 0 || (here.st_ino == above.st_ino && here.st_dev == above.st_dev));
}

static int fts_order(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void fts_walk(int options)
{
	FTS *fts = fts_open((char *[]){ (char[]){ "/t" }, NULL }, options, fts_order);
	FTSENT *entry;

	say("fts %#x", options);
	while ((entry = fts_read(fts)))
		say("  %d %s level %d errno %d", entry->fts_info, entry->fts_path, entry->fts_level, entry->fts_errno);
	fts_close(fts);
}

static int visited;

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	visited++;
	return remove(path);
}

static void removals(void)
{
	char name[64];

	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "/t/new%d", i);
		MUST(mkdir(name, 0755));
		MUST(chdir(name));
		for (int k = 0; k < 40; k++) {
			snprintf(name, sizeof(name), "entry-with-a-name-%d", k);
			if (k % 3 == 0)
				MUST(mkdir(name, 0755));
			else if (k % 3 == 1)
				MUST(symlink(k % 2 ? "/" : "..", name));
			else
				write_file(name, "", 0644);
		}
	}
	MUST(chdir("/t"));
	OK(rmdir("new1"));
	OK(nftw("new0", visit, 20, FTW_DEPTH | FTW_PHYS));
	SHOW(visited);
	OK(nftw("/t/new1", visit, 3, FTW_DEPTH | FTW_PHYS | FTW_CHDIR));
	SHOW(visited);
	int dir = (int)MUST(open("new2", O_RDONLY | O_DIRECTORY));
	MUST(rename("new2", "dir/new2"));
	remove_all(dir, ".");
	OK(rmdir("dir/new2"));
	SHOW(syscall(SYS_getdents64, dir, name, sizeof(name)));
	close(dir);
	remove_all(AT_FDCWD, "new3");
	remove_all(AT_FDCWD, "/t/dot/to_dir/../new4");
	FACT(!tree_changed());
}

static void positions(void)
{
	DIR *dir;
	struct dirent *entry;
	long at[64];
	char names[64][24];
	int count = 0, same = 0;

	dir = opendir("/t");
	while (count < 64) {
		at[count] = telldir(dir);
		entry = readdir(dir);
		if (!entry)
			break;
		snprintf(names[count++], 24, "%.20s", entry->d_name);
	}
	for (int i = count - 1; i >= 0; i--) {
		seekdir(dir, at[i]);
		entry = readdir(dir);
		same += entry && strcmp(entry->d_name, names[i]) == 0;
	}
	SHOW(count);
	FACT(same == count);
	rewinddir(dir);
	entry = readdir(dir);
	FACT(entry && strcmp(entry->d_name, names[0]) == 0);
	closedir(dir);
}

static void events(int fd, const int *watches, const char *const *names, int count)
{
	union {
		char bytes[4096];
		struct inotify_event event;
	} room;
	ssize_t n = read(fd, &room, sizeof(room));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(room.bytes + at);
		const char *whose = "?";

		for (int i = 0; i < count; i++)
			if (watches[i] == event->wd)
				whose = names[i];
		say("  %s: %#x %s", whose, event->mask, event->len ? event->name : "");
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	if (n < 0)
		say("  %s", errno_name(errno));
}

static void watching(void)
{
	static const char *const names[] = { "/t", "/t/to_dir/sub", "/t/to_file", "/", "/t/root/t/abs_dir" };
	int watches[COUNT(names)], fd = (int)MUST(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));

	for (size_t i = 0; i < COUNT(names); i++) {
		watches[i] = inotify_add_watch(fd, names[i], i < 3 ? IN_CREATE | IN_DELETE | IN_MOVE | IN_ATTRIB : IN_CREATE);
		say("watch %s: %s", names[i], watches[i] > 0 ? "ok" : errno_name(errno));
	}
	OK(inotify_add_watch(fd, "loop", IN_CREATE));
	OK(inotify_add_watch(fd, "file", IN_ONLYDIR));
	OK(inotify_add_watch(fd, "to_file", IN_CREATE | IN_DONT_FOLLOW) > 0);
	OK(inotify_add_watch(fd, bad_pointer(), IN_CREATE));
	OK(mkdir("new", 0755));
	OK(rename("new", "to_dir/sub/new"));
	OK(rmdir("/t/dir/sub/new"));
	OK(mkdir("/new", 0755));
	OK(rmdir("/new"));
	OK(chmod("abs_file", 0600));
	OK(open("dir/new", O_RDWR | O_CREAT, 0644));
	OK(unlink("dir/new"));
	events(fd, watches, names, COUNT(names));
	close(fd);
}

int main(void)
{
	tree_make();
	listing("/");
	listing("/t");
	listing("/t/to_dir/");
	listing("/t/root/t/dir/sub/..");
	listing("/t/file");
	listing("/t/loop");
	MUST(chdir("/"));
	listing("..");
	listing("../..");
	MUST(chdir("/t"));
	fts_walk(FTS_PHYSICAL);
	fts_walk(FTS_PHYSICAL | FTS_NOCHDIR | FTS_SEEDOT);
	remove_all(AT_FDCWD, "/t/root");
	remove_all(AT_FDCWD, "/t/dotdot");
	fts_walk(FTS_LOGICAL);
	fts_walk(FTS_LOGICAL | FTS_NOCHDIR);
	fts_walk(FTS_COMFOLLOW | FTS_PHYSICAL | FTS_XDEV);
	tree_make();
	removals();
	positions();
	watching();
	return 0;
}
