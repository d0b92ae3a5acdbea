// SPDX-License-Identifier: Apache-2.0
/*
 * Which files the groups of each controller of v1 have, with what modes; what those of networks take. The scheduler of block devices (bfq) is the machine's
 * affair, as is what no kernel but its own has (shown_ram); hugetlb is left to the unified hierarchy, where others test with it.
 */
#include "cgroup_test.h"

static const char *const hierarchies[] = { "cpu",   "cpuacct", "cpuset",  "memory",   "devices",   "freezer",
					   "blkio", "pids",    "net_cls", "net_prio", "perf_event" };

static int is_shown(const struct dirent *entry)
{
	return entry->d_type == DT_REG && !strstr(entry->d_name, ".bfq.") && !strstr(entry->d_name, ".shown_ram");
}

static void list(const char *what, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_shown, alphasort);
	char file[512];
	struct stat st;

	say("%s: %d files", what, count);
	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (stat(file, &st) == 0)
			say("  %o %s", st.st_mode, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void networks(const char *hierarchy)
{
	if (!strcmp(hierarchy, "net_cls")) {
		show("net_cls.classid");
		try_put("net_cls.classid", "0x100001");
		show("net_cls.classid");
		try_put("net_cls.classid", "x");
		try_put("net_cls.classid", "-1");
		show("net_cls.classid");
		MUST(mkdir("below", 0755));
		show("below/net_cls.classid"); /* inherited */
		MUST(rmdir("below"));
	} else if (!strcmp(hierarchy, "net_prio")) {
		FACT(has_line("net_prio.ifpriomap", "lo 0"));
		try_put("net_prio.ifpriomap", "lo 5");
		FACT(has_line("net_prio.ifpriomap", "lo 5"));
		try_put("net_prio.ifpriomap", "nosuch 5");
		try_put("net_prio.ifpriomap", "lo");
		try_put("net_prio.ifpriomap", "lo x");
		FACT(has_line("net_prio.ifpriomap", "lo 5"));
		try_put("net_prio.prioidx", "5");
		MUST(mkdir("below", 0755));
		FACT(has_line("below/net_prio.ifpriomap", "lo 5")); /* inherited */
		MUST(rmdir("below"));
	}
}

int main(void)
{
	umask(022);
	MUST(unshare(CLONE_NEWNS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mount("test", "/mnt", "tmpfs", 0, "mode=755"));
	MUST(mkdir(PLACE, 0755));
	snprintf(group_top, sizeof(group_top), PLACE "/lichen-files-%d", (int)getpid());
	for (size_t i = 0; i < COUNT(hierarchies); i++) {
		say("--- %s", hierarchies[i]);
		MUST(mount("groups", PLACE, "cgroup", 0, hierarchies[i]));
		list("root", PLACE);
		MUST(mkdir(group_top, 0755));
		list("group", group_top);
		MUST(chdir(group_top));
		networks(hierarchies[i]);
		MUST(chdir("/"));
		OK(rmdir(group_top));
		OK(umount(PLACE));
	}
	return 0;
}
