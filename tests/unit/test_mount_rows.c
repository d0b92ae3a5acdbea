// SPDX-License-Identifier: Apache-2.0
/* Gap fstype: what is made of the text of mountinfo. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gaps/fstype/mount_rows.h"
#include "unit.h"

static char told[1 << 16];

static struct field text_of(const char *text)
{
	return (struct field){ text, strlen(text) };
}

/* What is told of a text whose root stat(2) says has this number; 0:0 for the text's own. */
static const char *tell(const char *text, bool mounts, bool forced, u32 major, u32 minor)
{
	struct mount_view view = { .forced = forced };

	mounts_look(text_of(text), &view);
	if (major || minor) {
		view.told_major = major;
		view.told_minor = minor;
	}
	u64 size = mounts_tell(text_of(text), &view, mounts, told);
	assert_true(size < sizeof(told) && size <= MOUNTS_ROOM(strlen(text)));
	told[size] = '\0';
	assert_true(mounts || mounts_differ(text_of(text), &view, false) == (strcmp(told, text) != 0));
	return told;
}

#define INFO(text) tell((text), false, false, 0, 0)
#define MOUNTS(text) tell((text), true, false, 0, 0)

/* As measured in gVisor of 2024 with --overlay2=none. */
#define GVISOR_ROOT "16 15 0:17 / / rw - 9p none rw,trans=fd,rfdno=3,aname=/,dcache=1000,directfs\n"
#define GVISOR_PROC "21 16 0:21 / /proc rw - proc none rw,dentry_cache_limit=1000\n"
#define GVISOR_SHARE "24 16 0:24 / /srv/a\\040b rw - 9p none rw,trans=fd,rfdno=4\n"
#define GVISOR_BIND "25 20 0:17 /etc /tmp/e ro,noexec - 9p none rw,trans=fd,rfdno=3\n"

static void a_9p_root_is_told_as_a_disk(void **state)
{
	(void)state;
	assert_string_equal(INFO(GVISOR_ROOT GVISOR_PROC), "16 15 0:17 / / rw - ext4 /dev/root rw\n" GVISOR_PROC);
	assert_string_equal(MOUNTS(GVISOR_ROOT GVISOR_PROC),
			    "/dev/root / ext4 rw 0 0\nnone /proc proc rw,dentry_cache_limit=1000 0 0\n");
}

static void shares_have_sources_of_their_own_and_binds_that_of_their_file_system(void **state)
{
	(void)state;
	assert_string_equal(INFO(GVISOR_ROOT GVISOR_SHARE GVISOR_BIND),
			    "16 15 0:17 / / rw - ext4 /dev/root rw\n24 16 0:24 / /srv/a\\040b rw - ext4 /dev/9p-0-24 rw\n"
			    "25 20 0:17 /etc /tmp/e ro,noexec - ext4 /dev/root rw\n");
	assert_string_equal(MOUNTS(GVISOR_SHARE GVISOR_BIND),
			    "/dev/9p-0-24 /srv/a\\040b ext4 rw 0 0\n/dev/9p-0-17 /tmp/e ext4 ro,noexec 0 0\n");
}

static void fuse_and_erofs_count_as_the_root_only(void **state)
{
	static const char guest[] = "27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 0:40 / /m rw - fuse.sshfs h: rw,user_id=0\n"
				    "31 27 0:41 / /e ro - erofs /dev/loop0 ro\n32 27 0:42 / /r rw - ramfs x rw\n";
	(void)state;
	assert_string_equal(INFO(guest), guest);
	assert_string_equal(
		INFO("1 1 0:40 / / rw,relatime - fuse.portal p rw,lazytime,user_id=0\n2 1 0:41 / /m rw - fuse.sshfs h: rw\n"),
		"1 1 0:40 / / rw,relatime - ext4 /dev/root rw,lazytime\n2 1 0:41 / /m rw - fuse.sshfs h: rw\n");
	assert_string_equal(INFO("1 1 254:0 / / ro - erofs /dev/vda ro,user_xattr\n"), "1 1 254:0 / / ro - ext4 /dev/vda ro\n");
	assert_string_equal(INFO("1 1 0:2 / / rw - rootfs rootfs rw\n2 1 254:0 / / rw - ext4 /dev/vda rw\n"),
			    "1 1 0:2 / / rw - rootfs rootfs rw\n2 1 254:0 / / rw - ext4 /dev/vda rw\n");
}

static void what_is_right_is_left_byte_for_byte(void **state)
{
	static const char machine[] = "27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard\n"
				      "28 27 0:25 /x /m ro,nosuid - overlay overlay rw,lowerdir=/a\\040b:/c,upperdir=/d\n"
				      "29 27 0:4 net:[4026531840] /run/netns/x rw - nsfs nsfs rw\n";
	static const char gvisor[] = "10 10 0:10 / / rw  - overlay none rw\n";
	(void)state;
	assert_string_equal(INFO(machine), machine);
	assert_string_equal(INFO(gvisor), gvisor);
}

static void numbers_are_those_of_stat(void **state)
{
	(void)state;
	assert_string_equal(
		tell("1 1 0:40 / / rw - xfs /dev/a rw,x\n2 1 0:40 /b /b rw - xfs /dev/a rw\n3 1 0:41 / /c rw - xfs /dev/b rw\n",
		     false, false, 8, 300),
		"1 1 8:300 / / rw - xfs /dev/a rw,x\n2 1 8:300 /b /b rw - xfs /dev/a rw\n3 1 0:41 / /c rw - xfs /dev/b rw\n");
	assert_string_equal(tell("1 1 0:40 / / rw - btrfs /dev/a rw\n", false, false, 0, 41),
			    "1 1 0:40 / / rw - btrfs /dev/a rw\n");
}

static void rows_are_found_by_the_number_that_stat_tells(void **state)
{
	static const char text[] = "1 1 0:40 / / rw - 9p x rw\n2 1 0:9 / /proc rw - proc p rw\n3 1 0:9 /s /proc/s rw - proc p rw\n";
	struct mount_view view = { 0 };
	struct mount_row row;

	(void)state;
	mounts_look(text_of(text), &view);
	view.told_minor = 41;
	assert_true(mounts_by_device(text_of(text), &view, 0, 41, NULL, &row));
	assert_true(mount_row_told(&row, &view));
	assert_false(mounts_by_device(text_of(text), &view, 0, 40, NULL, &row));
	assert_true(mounts_by_device(text_of(text), &view, 0, 9, NULL, &row));
	assert_int_equal(row.point.size, 5);
	assert_false(mount_row_told(&row, &view));
	assert_true(mounts_by_device(text_of(text), &view, 0, 9, row.point.at, &row));
	assert_int_equal(row.point.size, 7);
	assert_false(mounts_by_device(text_of(text), &view, 0, 9, row.point.at, &row));
}

/* Pairs as Linux 6.18 shows them in the two files. */
static void mounts_is_what_the_kernel_would_say(void **state)
{
	(void)state;
	assert_string_equal(MOUNTS("27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard,resuid=65534\n"),
			    "/dev/vda / ext4 rw,relatime,discard,resuid=65534 0 0\n");
	assert_string_equal(MOUNTS("28 27 0:25 / /m ro,nosuid,nodev,relatime - tmpfs t rw,size=4k,mode=755\n"),
			    "t /m tmpfs ro,nosuid,nodev,relatime,size=4k,mode=755 0 0\n");
	assert_string_equal(MOUNTS("28 27 0:25 / /m rw,noatime - ext3 /dev/a ro,sync,seclabel,data=ordered\n"),
			    "/dev/a /m ext3 ro,sync,seclabel,noatime,data=ordered 0 0\n");
	assert_string_equal(MOUNTS("10 10 0:10 / / rw  - overlay none rw\n"), "none / overlay rw 0 0\n");
	assert_string_equal(MOUNTS("1 1 0:10 / /a\\011b rw - x  rw\n"), " /a\\011b x rw 0 0\n"); /* an empty source */
}

static void names_that_somebody_chose_stay_names(void **state)
{
	struct mount_view view = { 0 };

	(void)state;
	/* a mount point that looks like the rest of a row */
	static const char text[] = "5 1 0:9 / /a\\0402\\0400:17\\040-\\0409p\\012 rw - tmpfs -\\0409p rw\n";
	assert_string_equal(INFO(text), text);
	assert_string_equal(MOUNTS(text), "-\\0409p /a\\0402\\0400:17\\040-\\0409p\\012 tmpfs rw 0 0\n");
	mounts_look(text_of(text), &view);
	assert_true(mounts_differ(text_of(text), &view, true)); /* gVisor's own has no escapes */
	/* a source of '-' behind optional fields is no separator */
	assert_string_equal(INFO("5 1 0:9 / / rw a:1 - 9p - rw\n"), "5 1 0:9 / / rw a:1 - ext4 /dev/root rw\n");
}

static void lines_that_are_no_rows_pass(void **state)
{
	static const char *const lines[] = { "",
					     "x",
					     "1 1 0:17 / /",
					     "1 1 017 / / rw - 9p x rw",
					     "- ",
					     "1 1 0:17 / / rw 9p x rw",
					     "1 1 99999999999:1 / / rw - 9p x rw",
					     "1 1 0:17 / / rw - 9p",
					     " ",
					     "1 1 :1 / / rw - 9p x rw",
					     "a b 0:1 / / rw - 9p x rw" };
	struct mount_view view;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char text[128];
		snprintf(text, sizeof(text), "%s\n" GVISOR_PROC, lines[i]);
		assert_string_equal(INFO(text), text);
		view = (struct mount_view){ 0 };
		mounts_look(text_of(text), &view);
		assert_false(mounts_differ(text_of(text), &view, true)); /* nothing is made of it: the kernel's own */
	}
	assert_string_equal(INFO("1 1 0:17 / / rw - 9p x rw"), "1 1 0:17 / / rw - ext4 /dev/root rw\n");
	assert_string_equal(INFO(""), "");
}

static void refusing_makes_any_root_foreign(void **state)
{
	static const char disk[] = "27 1 254:0 / / rw shared:1 - ext4 /dev/vda rw,discard\n";
	(void)state;
	assert_string_equal(
		tell("1 1 0:41 / / ro - overlay overlay rw,lowerdir=/\n2 1 0:42 / /t rw - overlay overlay rw\n", false, true, 0, 0),
		"1 1 0:41 / / ro - ext4 /dev/root rw\n2 1 0:42 / /t rw - overlay overlay rw\n");
	struct mount_view view = { .forced = true };
	mounts_look(text_of(disk), &view);
	told[mounts_tell(text_of(disk), &view, false, told)] = '\0';
	assert_string_equal(told, disk); /* a disk by any other way is the same disk */
}

static void paths_come_out_of_their_escapes(void **state)
{
	char path[16];

	(void)state;
	assert_int_equal(mount_field_path(text_of("/a\\040b\\134c"), path, sizeof(path)), 6);
	assert_string_equal(path, "/a b\\c");
	assert_int_equal(mount_field_path(text_of("/\\04"), path, sizeof(path)), 4);
	assert_int_equal(mount_field_path(text_of("/\\777"), path, sizeof(path)), 5);
	assert_int_equal(mount_field_path(text_of("/23456789012345"), path, sizeof(path)), 15);
	assert_int_equal(mount_field_path(text_of("/234567890123456"), path, sizeof(path)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_9p_root_is_told_as_a_disk),
		cmocka_unit_test(shares_have_sources_of_their_own_and_binds_that_of_their_file_system),
		cmocka_unit_test(fuse_and_erofs_count_as_the_root_only),
		cmocka_unit_test(what_is_right_is_left_byte_for_byte),
		cmocka_unit_test(numbers_are_those_of_stat),
		cmocka_unit_test(rows_are_found_by_the_number_that_stat_tells),
		cmocka_unit_test(mounts_is_what_the_kernel_would_say),
		cmocka_unit_test(names_that_somebody_chose_stay_names),
		cmocka_unit_test(lines_that_are_no_rows_pass),
		cmocka_unit_test(refusing_makes_any_root_foreign),
		cmocka_unit_test(paths_come_out_of_their_escapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
