// SPDX-License-Identifier: Apache-2.0
/* What may be written to files of a group, and what they say then. */
#include "cgroup_test.h"

static void values(const char *path, const char *const *tried, size_t count)
{
	show(path);
	for (size_t i = 0; i < count; i++) {
		try_put(path, tried[i]);
		show(path);
	}
}

static void limits(void)
{
	static const char *const tried[] = {
		"0", "1", "max", "3\n", " 7 ", "-1", "x", "", "1x", "0x10", "010", "2147483648", "MAX"
	};

	values("cgroup.max.depth", tried, COUNT(tried));
	values("cgroup.max.descendants", tried, COUNT(tried));
	try_put("cgroup.max.depth", "1");
	try_put("cgroup.max.descendants", "max");
	OK(mkdir("a", 0755));
	OK(mkdir("a/b", 0755));
	try_put("cgroup.max.depth", "0");
	OK(mkdir("b", 0755));
	try_put("cgroup.max.depth", "max");
	try_put("cgroup.max.descendants", "2");
	OK(mkdir("a/b", 0755));
	OK(mkdir("c", 0755));
	OK(mkdir("a/b/c", 0755));
	FACT(has_line("cgroup.stat", "nr_descendants 2"));
	FACT(has_line("a/cgroup.stat", "nr_descendants 1"));
	OK(rmdir("a/b"));
	OK(rmdir("a"));
	try_put("cgroup.max.descendants", "max");
}

static void switches(void)
{
	static const char *const tried[] = { "1", "0", "2", "-1", "x", "", " 1\n", "0" };

	values("cgroup.freeze", tried, COUNT(tried));
}

static void controllers(void)
{
	static const char *const tried[] = { "hugetlb",
					     "+none",
					     "+",
					     "",
					     "+hugetlb +hugetlb",
					     "+hugetlb -hugetlb",
					     "-hugetlb",
					     " +hugetlb\n",
					     "-hugetlb +hugetlb",
					     "*hugetlb",
					     "+cpuacct",
					     "+devices" };

	for (size_t i = 0; i < COUNT(tried); i++) {
		try_put("cgroup.subtree_control", tried[i]);
		show("cgroup.subtree_control");
	}
	try_put("cgroup.subtree_control", "-hugetlb");
	OK(mkdir("a", 0755));
	try_put("a/cgroup.subtree_control", "+hugetlb");
	OK(access("a/hugetlb.2MB.max", F_OK));
	try_put("cgroup.subtree_control", "+hugetlb");
	OK(access("a/hugetlb.2MB.max", F_OK));
	show("a/cgroup.controllers");
	OK(rmdir("a"));
}

static void bytes(void)
{
	static const char *const tried[] = { "0", "max", "2097152", "2M", "4m\n", "x", "", "-1", "1x", "3145728" };

	show("hugetlb.2MB.current");
	show("hugetlb.2MB.events");
	try_put("hugetlb.2MB.max", "max");
	values("hugetlb.2MB.max", tried, COUNT(tried));
}

/* Files that are not for writing, or not for reading. */
static void wrong_way(void)
{
	try_put("cgroup.controllers", "x");
	try_put("cgroup.events", "populated 1");
	try_put("cpu.stat", "0");
	try_put("cgroup.type", "domain");
	try_put("cgroup.type", "x");
	show("cgroup.kill");
	show(".");
}

/* One descriptor, written twice; for both. */
static void descriptors(void)
{
	char text[32];
	int fd = MUST(open("cgroup.max.depth", O_WRONLY));

	say("write: %zd", write(fd, "5\n", 2));
	show("cgroup.max.depth");
	say("write: %zd", write(fd, "6\n", 2));
	show("cgroup.max.depth");
	close(fd);
	fd = MUST(open("cgroup.max.depth", O_RDWR));
	ssize_t n = read(fd, text, sizeof(text));
	say("read: %zd", n);
	say("write: %zd", write(fd, "7\n", 2));
	close(fd);
	show("cgroup.max.depth");
	fd = MUST(open("cgroup.max.depth", O_WRONLY | O_TRUNC));
	say("write: %zd", write(fd, "max", 3));
	close(fd);
	show("cgroup.max.depth");
	FILE *file = fopen("cgroup.max.depth", "w");
	fprintf(file, "9\n");
	say("fclose: %d", fclose(file));
	show("cgroup.max.depth");
}

int main(void)
{
	enter_group();
	limits();
	switches();
	controllers();
	bytes();
	wrong_way();
	descriptors();
	return 0;
}
