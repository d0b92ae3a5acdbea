// SPDX-License-Identifier: Apache-2.0
/* Layers: what they bring, what whiteouts take away, and that nothing of theirs leaves the root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "image/override_stat.h"
#include "image_build.h"
#include "unit.h"

static struct image_error why;

#define LAYER(...)                               \
	&(struct build_layer)                    \
	{                                        \
		.entries = (const char *const[]) \
		{                                \
			__VA_ARGS__, NULL        \
		}                                \
	}
#define UNPACK(root, ...) build_unpack(root, LAYER(__VA_ARGS__), NULL, &why)

static int enter(void **state)
{
	(void)state;
	build_enter();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	build_leave();
	return 0;
}

static void every_kind_of_file_arrives(void **state)
{
	(void)state;
	struct stat st;
	struct stat other;
	assert_int_equal(UNPACK("r", "5 ./", "5 a/", "0 a/file", "2 a/link /etc/passwd", "1 a/hard a/file", "6 fifo", "0 /abs",
				"0 no/parent/x"),
			 0);
	assert_string_equal(build_look("r/a/file"), "f a/file");
	assert_string_equal(build_look("r/a/link"), "l /etc/passwd");
	assert_string_equal(build_look("r/fifo"), "p");
	assert_string_equal(build_look("r/abs"), "f /abs");
	assert_string_equal(build_look("r/no/parent/x"), "f no/parent/x");
	assert_int_equal(stat("r/a/file", &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(lstat("r/a/hard", &other), 0);
	assert_int_equal(st.st_ino, other.st_ino);
	assert_int_equal(stat("r/a", &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000); /* though files were made in it afterwards */
}

static void later_layers_replace(void **state)
{
	(void)state;
	assert_int_equal(UNPACK("r", "5 d/", "0 d/x", "0 f", "2 l d", "0 g"), 0);
	assert_int_equal(UNPACK("r", "0 d", "5 f/", "0 f/y", "0 l", "2 g nowhere"), 0);
	assert_string_equal(build_look("r/d"), "f d");
	assert_string_equal(build_look("r/f/y"), "f f/y");
	assert_string_equal(build_look("r/l"), "f l");
	assert_string_equal(build_look("r/g"), "l nowhere");
	/* as overlayfs shows it: a directory above a link hides the link */
	assert_int_equal(UNPACK("r", "0 g/under"), 0);
	assert_string_equal(build_look("r/g/under"), "f g/under");
}

static void whiteouts_take_away_what_lower_layers_have(void **state)
{
	(void)state;
	assert_int_equal(UNPACK("r", "0 a", "5 d/", "0 d/x", "5 d/e/", "0 d/e/y", "0 d/z", "0 keep"), 0);
	assert_int_equal(UNPACK("r", "0 .wh.a", "0 d/e/.wh.y", "0 .wh.nothing", "0 .wh..wh.plnk"), 0);
	assert_string_equal(build_look("r/a"), "-");
	assert_string_equal(build_look("r/d/e/y"), "-");
	assert_string_equal(build_look("r/d/e"), "d");
	assert_string_equal(build_look("r/keep"), "f keep");
	assert_string_equal(build_look("r/.wh..wh.plnk"), "-");
	assert_int_equal(UNPACK("r", "0 .wh.d"), 0);
	assert_string_equal(build_look("r/d"), "-");
}

static void whiteouts_spare_their_own_layer_in_any_order(void **state)
{
	(void)state;
	assert_int_equal(UNPACK("r", "5 d/", "0 d/old", "5 d/e/", "0 d/e/old", "0 d/both"), 0);
	assert_int_equal(UNPACK("r", "0 d/new", "0 d/e/new", "0 d/both", "0 d/.wh.both", "0 d/.wh..wh..opq", "0 d/late"), 0);
	assert_string_equal(build_look("r/d/old"), "-");
	assert_string_equal(build_look("r/d/e/old"), "-");
	assert_string_equal(build_look("r/d/new"), "f d/new");
	assert_string_equal(build_look("r/d/e/new"), "f d/e/new");
	assert_string_equal(build_look("r/d/both"), "f d/both");
	assert_string_equal(build_look("r/d/late"), "f d/late");
	assert_int_equal(UNPACK("r", "0 .wh..wh..opq"), 0);
	assert_string_equal(build_look("r/d"), "-");
}

/* Each of these would write outside the root, or remove something there, if it could. */
static void nothing_leaves_the_root(void **state)
{
	(void)state;
	char outside[PATH_MAX], link[PATH_MAX + 16], whiteout[PATH_MAX + 16];
	assert_int_equal(mkdir("outside", 0755), 0);
	CLEANUP_FD int victim = open("outside/victim", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(victim >= 0);
	assert_non_null(getcwd(outside, sizeof(outside) - 16));
	strcat(outside, "/outside");
	snprintf(link, sizeof(link), "2 l %s", outside);
	snprintf(whiteout, sizeof(whiteout), "2 d/l2 %s", outside);
	assert_int_equal(UNPACK("1", "0 ../outside/x"), -EBADMSG);
	assert_int_equal(UNPACK("2", "0 a/../../outside/x"), -EBADMSG);
	assert_int_equal(UNPACK("3", link, "0 l/x"), -EBADMSG);
	assert_int_equal(UNPACK("4", link, "1 x l/victim"), -EBADMSG);
	assert_int_equal(UNPACK("5", "1 x ../outside/victim"), -EBADMSG);
	assert_int_equal(UNPACK("6", link, "0 l/.wh.victim"), -EBADMSG);
	assert_int_equal(UNPACK("7", link, "0 l/.wh..wh..opq"), -EBADMSG);
	assert_int_equal(UNPACK("8", "0 .wh..."), -EBADMSG);
	assert_int_equal(UNPACK("9", "0 .wh.."), -EBADMSG);
	assert_int_equal(UNPACK("10", "0 .wh."), -EBADMSG);
	assert_int_equal(UNPACK("11", "2 ./ /etc"), -EBADMSG);
	assert_int_equal(UNPACK("12", link, "5 l/", "0 l/x"), 0); /* a directory replaces the link */
	assert_int_equal(UNPACK("13", link), 0);
	assert_int_equal(UNPACK("13", "0 l/x", "0 .wh..wh..opq"), 0); /* a lower layer's link is replaced as well */
	assert_int_equal(UNPACK("14", "5 d/", whiteout), 0);
	assert_int_equal(UNPACK("14", "0 d/.wh..wh..opq", "0 .wh.d"), 0); /* links are removed, not followed */
	assert_string_equal(build_look("outside/victim"), "f ");
	assert_int_equal(rmdir("outside"), -1);
	assert_int_equal(unlink("outside/victim"), 0);
	assert_int_equal(rmdir("outside"), 0); /* nothing else is in it */
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	char deep[1400] = "0 ", longest[600] = "0 ";
	for (int i = 0; i < 300; i++)
		strcat(deep, "d/");
	memset(longest + 2, 'n', 300);
	assert_int_equal(UNPACK("1", "1 x missing"), -EBADMSG);
	assert_int_equal(UNPACK("2", "5 d/", "1 x d"), -EBADMSG);
	assert_int_equal(UNPACK("3", "0 f", "0 f/x"), -EBADMSG);
	assert_int_equal(UNPACK("4", deep), -EBADMSG);
	assert_int_equal(UNPACK("5", longest), -EBADMSG);
	assert_int_equal(UNPACK("7", "0 ./"), -EBADMSG);
}

/* The archive as bytes, changed, then unpacked. Returns what unpack_layer() returns. */
static int unpack_bytes(const char *root, const u8 *bytes, size_t size)
{
	struct unpack_report report = { 0 };
	struct digest digest;
	assert_int_equal(mkdir(root, 0755), 0);
	CLEANUP_FD int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int file = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (file < 0) { /* no O_TMPFILE: gVisor, overlay */
		file = open("bytes", O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
		(void)unlink("bytes");
	}
	assert_int_equal(write(file, bytes, size), size);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	return unpack_layer(file, size, dir, NULL, &report, &digest, &why);
}

static void damage_is_seen(void **state)
{
	(void)state;
	static u8 bytes[8192];
	u64 size;
	CLEANUP_FD int file = build_tar(LAYER("0 a", "0 b"), &size);
	assert_int_equal(read(file, bytes, sizeof(bytes)), size);
	assert_int_equal(unpack_bytes("1", bytes, (size_t)size), 0);
	assert_int_equal(unpack_bytes("2", bytes, 512 + 1), -EBADMSG); /* ends in a file */
	bytes[124] = '7';                                              /* the size, without its checksum */
	assert_int_equal(unpack_bytes("3", bytes, (size_t)size), -EBADMSG);
	assert_int_equal(unpack_bytes("4", (const u8 *)"no archive at all", 17), -EBADMSG);
	assert_int_equal(unpack_bytes("5", bytes, 0), 0);                                                     /* an empty layer */
	assert_int_equal(unpack_bytes("6", (const u8 *)"\x1f\x8b\x08\0\0\0\0\0\0\x03garbage", 17), -EBADMSG); /* gzip */
	assert_int_equal(unpack_bytes("7", (const u8 *)"\x28\xb5\x2f\xfdgarbage", 11), -EBADMSG);             /* zstd */
}

static void absurd_sizes_are_refused_before_they_are_written(void **state)
{
	(void)state;
	static u8 bytes[8192];
	u64 size;
	CLEANUP_FD int file = build_tar(LAYER("0 a"), &size);
	assert_int_equal(read(file, bytes, sizeof(bytes)), size);
	memcpy(bytes + 124, "77777777777", 12); /* 8 GiB */
	unsigned sum = 0;
	memset(bytes + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += bytes[i];
	snprintf((char *)bytes + 148, 8, "%06o", sum);
	int error = unpack_bytes("r", bytes, (size_t)size);
	assert_true(error == -EBADMSG || error == -ENOSPC); /* truncated, or it would not fit */
	const u8 base256[12] = { 0xff, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	memcpy(bytes + 124, base256, 12);
	memset(bytes + 148, ' ', 8);
	sum = 0;
	for (size_t i = 0; i < 512; i++)
		sum += bytes[i];
	snprintf((char *)bytes + 148, 8, "%06o", sum);
	error = unpack_bytes("s", bytes, (size_t)size);
	assert_true(error == -EBADMSG || error == -ENOSPC);
}

static const struct tar_xattr xattrs[] = { { "user.mine", "value", 5 },
					   { "user.containers.override_stat", "0:0:07777", 9 },
					   { "trusted.overlay.opaque", "y", 1 },
					   { "user.overlay.opaque", "y", 1 } };
static const struct tar_entry owned[] = {
	{ .name = "setuid", .type = '0', .mode = 04755, .uid = 0, .gid = 0, .mtime = 1 },
	{ .name = "other", .type = '0', .mode = 0640, .uid = 1234, .gid = 43, .mtime = 1 },
	{ .name = "none", .type = '0', .mode = 0, .mtime = 1, .xattrs = xattrs, .xattr_count = ARRAY_SIZE(xattrs) },
	{ .name = "closed/", .type = '5', .mode = 0, .uid = 7, .gid = 8, .mtime = 1 },
	{ .name = "closed/in", .type = '0', .mode = 0400, .mtime = 1 },
	{ .name = "link", .link = "x", .type = '2', .mode = 0777, .uid = 5, .gid = 5, .mtime = 1 },
	{ .name = "null", .type = '3', .mode = 0666, .major = 1, .minor = 3, .mtime = 1 },
	{ 0 },
};

/* What the attribute says, "" when there is none. */
static const char *override_of(const char *path)
{
	static char text[OVERRIDE_STAT_MAX];
	ssize_t n = lgetxattr(path, OVERRIDE_STAT, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static bool have_user_xattrs(void)
{
	return setxattr(".", "user.lichen-test", "", 0, 0) == 0;
}

static void root_gets_what_the_image_says(void **state)
{
	(void)state;
	struct stat st;
	struct unpack_report report = { 0 };
	char value[16];
	if (geteuid() != 0)
		skip(); /* chown is root's */
	assert_int_equal(build_unpack("r", &(struct build_layer){ .more = owned }, &report, &why), 0);
	assert_int_equal(stat("r/setuid", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	assert_int_equal(stat("r/other", &st), 0);
	assert_true(st.st_uid == 1234 && st.st_gid == 43 && st.st_mode == (S_IFREG | 0640));
	assert_int_equal(stat("r/closed", &st), 0);
	assert_true(st.st_uid == 7 && st.st_gid == 8 && st.st_mode == S_IFDIR);
	assert_int_equal(lstat("r/link", &st), 0);
	assert_int_equal(st.st_uid, 5);
	assert_string_equal(override_of("r/setuid"), "");
	assert_string_equal(override_of("r/none"), ""); /* images do not bring lichen's own attributes along */
	assert_true(lgetxattr("r/none", "trusted.overlay.opaque", value, sizeof(value)) < 0);
	assert_true(lgetxattr("r/none", "user.overlay.opaque", value, sizeof(value)) < 0);
	if (have_user_xattrs())
		assert_int_equal(lgetxattr("r/none", "user.mine", value, sizeof(value)), 5);
	assert_int_equal(report.lost_owners, 0);
	assert_int_equal(report.lost_modes, 0);
}

static void unpack_as_nobody(void)
{
	struct stat st;
	struct unpack_report report = { 0 };
	assert_int_equal(build_unpack("r", &(struct build_layer){ .more = owned }, &report, &why), 0);
	assert_int_equal(stat("r/setuid", &st), 0);
	assert_string_equal(build_look("r/closed/in"), "f "); /* a directory and files that their owner can use */
	if (!have_user_xattrs()) {
		assert_int_equal(report.lost_owners >= 1, 1);
		assert_int_equal(report.lost_devices, 1);
		assert_string_equal(build_look("r/null"), "-");
		return;
	}
	assert_int_equal(st.st_mode, S_IFREG | 0755); /* no program of somebody's is set-user-id to us */
	assert_string_equal(override_of("r/setuid"), "0:0:04755");
	assert_string_equal(override_of("r/other"), "1234:43:0640");
	assert_string_equal(override_of("r/none"), "0:0:00");
	assert_string_equal(override_of("r/closed"), "7:8:00");
	if (strcmp(build_look("r/null"), "c") != 0) { /* gVisor lets everybody make devices */
		assert_string_equal(override_of("r/null"), "0:0:0666:char-1-3");
		assert_string_equal(build_look("r/null"), "f ");
	}
	assert_int_equal(stat("r/closed", &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	struct override_stat link;
	CLEANUP_FD int root = open("r", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(override_owner_read(root, "link", &link), 0);
	assert_int_equal(link.uid, 5);
	assert_int_equal(report.lost_owners, 0);
	assert_int_equal(report.lost_devices, 0);
	assert_int_equal(report.lost_modes, 0);
}

static void others_get_the_truth_beside_the_file(void **state)
{
	(void)state;
	build_as_nobody(unpack_as_nobody);
}

static int to_fd(void *arg, const void *data, size_t size)
{
	return write(*(int *)arg, data, size) == (ssize_t)size ? 0 : -EIO;
}

static void tar_and_back_as_nobody(void)
{
	struct unpack_report report = { 0 };
	struct digest digest;
	char where[PATH_MAX];
	int file = open("archive", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	const struct tar_sink sink = { to_fd, &file };
	if (!have_user_xattrs())
		return;
	assert_int_equal(build_unpack("r", &(struct build_layer){ .more = owned }, &report, &why), 0);
	CLEANUP_FD int from = open("r", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(tar_directory(&sink, from, -1, where), 0);
	off_t size = lseek(file, 0, SEEK_CUR);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	assert_int_equal(mkdir("again", 0755), 0);
	CLEANUP_FD int to = open("again", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(unpack_layer(file, (u64)size, to, NULL, &report, &digest, &why), 0);
	for (const struct tar_entry *entry = owned; entry->name; entry++) {
		char a[64], b[64], first[OVERRIDE_STAT_MAX];
		snprintf(a, sizeof(a), "r/%s", entry->name);
		snprintf(b, sizeof(b), "again/%s", entry->name);
		memcpy(first, override_of(a), sizeof(first));
		assert_string_equal(override_of(b), first);
	}
	close(file);
}

static void what_a_directory_stands_for_survives_an_archive(void **state)
{
	(void)state;
	build_as_nobody(tar_and_back_as_nobody);
}

static void long_names_and_links_survive(void **state)
{
	(void)state;
	char name[300] = "0 ", file[300] = "", link[300] = "2 l ";
	for (int i = 0; i < 120; i++)
		strcat(file, i % 40 == 39 ? "/" : "n");
	strcat(file, "\xc3\xa4");
	strcat(name, file);
	strcat(link, file);
	assert_int_equal(UNPACK("r", name, link), 0);
	char path[400];
	snprintf(path, sizeof(path), "r/%s", file);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "l %s", file);
	assert_string_equal(build_look("r/l"), path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(every_kind_of_file_arrives),
		TEST(later_layers_replace),
		TEST(whiteouts_take_away_what_lower_layers_have),
		TEST(whiteouts_spare_their_own_layer_in_any_order),
		TEST(nothing_leaves_the_root),
		TEST(what_makes_no_sense_is_refused),
		TEST(damage_is_seen),
		TEST(absurd_sizes_are_refused_before_they_are_written),
		TEST(root_gets_what_the_image_says),
		TEST(others_get_the_truth_beside_the_file),
		TEST(what_a_directory_stands_for_survives_an_archive),
		TEST(long_names_and_links_survive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
