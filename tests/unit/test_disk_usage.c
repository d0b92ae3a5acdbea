// SPDX-License-Identifier: Apache-2.0
/* What limits.disk counts: blocks of what lies below roots, and of files without a name; whatever lies there in whatever way. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/disk_usage.h"
#include "unit.h"

#define MIB ((u64)1 << 20)

static char work[64];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(work, sizeof(work), "/tmp/disk-usage.XXXXXX");
	return mkdtemp(work) && chdir(work) == 0 && mkdir("root", 0755) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return chdir("/") == 0 ? nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS) : -1;
}

/* Below WORK/root, without WORK/root/masked; WORK/root/inner is in it twice. */
static int count(struct disk_total *ret, bool ours)
{
	char root[80], inner[80], mask[80];
	const char *const roots[] = { inner, root, inner };
	const char *const masks[] = { mask };
	struct disk_usage usage;
	int r;

	(void)snprintf(root, sizeof(root), "%s/root", work);
	(void)snprintf(inner, sizeof(inner), "%s/root/inner", work);
	(void)snprintf(mask, sizeof(mask), "%s/root/masked", work);
	r = disk_usage_open(&usage, roots, ARRAY_SIZE(roots), masks, ARRAY_SIZE(masks));
	if (r == 0)
		r = disk_usage_walk(&usage, 0, ret);
	if (r == 0 && ours)
		r = disk_usage_add_open(&usage, getpid(), ret);
	if (r == 0 && ours)
		r = disk_usage_add_mapped(&usage, getpid(), ret);
	disk_usage_close(&usage);
	return r;
}

static u64 counted(void)
{
	struct disk_total total;
	assert_int_equal(count(&total, true), 0);
	return total.bytes;
}

/* Has so many bytes: it is opened, and stays so. */
static int make(const char *path, u64 size)
{
	static char block[65536];
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	memset(block, 1, sizeof(block));
	for (u64 done = 0; fd >= 0 && done < size; done += sizeof(block))
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	assert_true(fd >= 0);
	assert_int_equal(fsync(fd), 0);
	return fd;
}

#define assert_grown(before, least)                                  \
	do {                                                         \
		u64 grown_ = counted() - (before);                   \
		assert_in_range(grown_, (least), (least) + MIB / 4); \
	} while (0)

static void what_is_written_counts_once(void **state)
{
	(void)state;
	u64 before = counted();
	close(make("root/a", 2 * MIB));
	assert_grown(before, 2 * MIB);
	assert_int_equal(mkdir("root/inner", 0755), 0);
	close(make("root/inner/b", MIB));
	assert_grown(before, 3 * MIB);
	assert_int_equal(link("root/a", "root/inner/a"), 0);
	assert_int_equal(link("root/a", "outside"), 0);
	assert_grown(before, 3 * MIB);
	assert_int_equal(unlink("root/a") | unlink("root/inner/b"), 0);
	assert_grown(before, 2 * MIB);
}

static void holes_and_what_lies_elsewhere_count_nothing(void **state)
{
	(void)state;
	assert_int_equal(mkdir("root/masked", 0755), 0);
	u64 before = counted();
	CLEANUP_FD int fd = make("root/sparse", 0);
	assert_int_equal(ftruncate(fd, (off_t)(64 * MIB)), 0);
	close(make("outside", MIB));
	assert_int_equal(mkdir("elsewhere", 0755), 0);
	close(make("elsewhere/file", MIB));
	assert_int_equal(symlink("../outside", "root/link"), 0);
	assert_int_equal(symlink("../elsewhere", "root/directory"), 0);
	close(make("root/masked/file", MIB));
	assert_grown(before, 0);
	struct disk_total total;
	assert_int_equal(count(&total, false), 0);
	assert_int_equal(total.largest, 64 * MIB);
}

static void files_without_a_name_count_while_they_are_held(void **state)
{
	(void)state;
	u64 before = counted();
	CLEANUP_FD int fd = make("root/open", MIB);
	CLEANUP_FD int again = dup(fd);
	CLEANUP_FD int outside = make("outside", MIB);
	CLEANUP_FD int memory = memfd_create("root", MFD_CLOEXEC);
	assert_true(outside >= 0);
	assert_int_equal(unlink("root/open") | unlink("outside"), 0);
	assert_int_equal(ftruncate(memory, (off_t)MIB), 0);
	assert_grown(before, MIB);
	void *map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	assert_grown(before, MIB);
	close(take_fd(&fd));
	close(take_fd(&again));
	assert_grown(before, MIB);
	assert_int_equal(munmap(map, MIB), 0);
	assert_grown(before, 0);
}

static void a_tree_too_deep_is_an_error(void **state)
{
	(void)state;
	struct disk_total total;
	assert_int_equal(chdir("root"), 0);
	for (u32 i = 0; i < DISK_DEPTH; i++)
		assert_int_equal(mkdir("d", 0755) | chdir("d"), 0);
	int r = count(&total, false);
	for (u32 i = 0; i < DISK_DEPTH; i++)
		assert_int_equal(chdir("..") | rmdir("d"), 0);
	assert_int_equal(r, -ELOOP);
	assert_non_null(total.why);
	assert_int_equal(count(&total, false), 0);
}

static void what_cannot_be_read_is_an_error(void **state)
{
	(void)state;
	struct disk_total total;
	if (geteuid() == 0)
		skip();
	assert_int_equal(mkdir("root/closed", 0), 0);
	assert_int_equal(count(&total, false), -EACCES);
	assert_int_equal(chmod("root/closed", 0400), 0);
	assert_int_equal(count(&total, false), 0);
	assert_int_equal(chmod("root/closed", 0700), 0);
	close(make("root/closed/file", 0));
	assert_int_equal(chmod("root/closed", 0400), 0);
	assert_int_equal(count(&total, false), -EACCES);
	assert_int_equal(chmod("root/closed", 0700), 0);
}

static void a_walk_ends_when_it_is_told_to(void **state)
{
	(void)state;
	const bool stop = true;
	char root[80];
	const char *const roots[] = { root };
	struct disk_usage usage;
	struct disk_total total;
	(void)snprintf(root, sizeof(root), "%s/root", work);
	assert_int_equal(disk_usage_open(&usage, roots, 1, NULL, 0), 0);
	for (int i = 0; i < 600; i++) {
		char path[32];
		(void)snprintf(path, sizeof(path), "root/%d", i);
		close(make(path, 0));
	}
	assert_int_equal(disk_usage_walk(&usage, 1, &total), -ETIME);
	usage.stop = &stop;
	assert_int_equal(disk_usage_walk(&usage, 0, &total), -EINTR);
	disk_usage_close(&usage);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_counts_once),
		TEST(holes_and_what_lies_elsewhere_count_nothing),
		TEST(files_without_a_name_count_while_they_are_held),
		TEST(a_tree_too_deep_is_an_error),
		TEST(what_cannot_be_read_is_an_error),
		TEST(a_walk_ends_when_it_is_told_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
