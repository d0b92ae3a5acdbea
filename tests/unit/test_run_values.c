// SPDX-License-Identifier: Apache-2.0
/* What docker's words for mounts and users mean; looking files up in a tree of layers that somebody set traps in. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/mount_spec.h"
#include "host/tree.h"
#include "host/tree_copy.h"
#include "host/tree_look.h"
#include "host/users.h"
#include "host/volumes.h"
#include "unit.h"

static char why[512];

static int volume(struct mount_spec *ret, const char *text)
{
	static struct mount_specs specs;
	int r;

	mount_specs_done(&specs);
	r = mount_spec_volume(&specs, text, why);
	*ret = specs.mounts[0]; /* until the next one */
	return r;
}

static int mount(struct mount_spec *ret, const char *text)
{
	static struct mount_specs specs;
	int r;

	mount_specs_done(&specs);
	r = mount_spec_mount(&specs, text, why);
	*ret = specs.mounts[0];
	return r;
}

static void test_volume(void **state)
{
	static const char *const bad[] = { "",          ":",      "/a:",   ":/b",  "/a:b",     "/a:/b:", "/a:/b:x",
					   "/a:/b:ro,", "a b:/c", "-a:/c", "/a:/", "relative", "/a:/.." };
	struct mount_spec spec;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		why[0] = 0;
		if (volume(&spec, bad[i]) != -EINVAL || !why[0])
			fail_msg("'%s' is taken", bad[i]);
	}
	assert_int_equal(volume(&spec, "/a:/b//c/./d/../e/:ro"), 0);
	assert_int_equal(spec.kind, MOUNT_BIND);
	assert_string_equal(spec.target, "/b/c/e");
	assert_true(spec.read_only && spec.make_source);
	assert_int_equal(volume(&spec, "data:/var/lib/data:nocopy,z"), 0);
	assert_int_equal(spec.kind, MOUNT_VOLUME);
	assert_string_equal(spec.source, "data");
	assert_true(spec.no_copy && !spec.read_only);
	assert_int_equal(volume(&spec, "./here:/there"), 0);
	assert_int_equal(spec.kind, MOUNT_BIND);
	assert_int_equal(volume(&spec, "/anonymous"), 0);
	assert_int_equal(spec.kind, MOUNT_VOLUME);
	assert_null(spec.source);
}

static void test_mount(void **state)
{
	static const char *const bad[] = { "type=bind",
					   "type=bind,src=/a",
					   "type=nfs,dst=/a",
					   "dst=a",
					   "type=tmpfs,src=x,dst=/a",
					   "dst=/a,tmpfs-size=1m",
					   "type=tmpfs,dst=/a,tmpfs-size=1x",
					   "type=tmpfs,dst=/a,tmpfs-mode=8",
					   "type=bind,src=a,dst=/a",
					   "type=bind,src=/a,dst=/a,foo=1",
					   "dst=/a,readonly=maybe",
					   "type=bind,src=/a,dst=/b,volume-nocopy",
					   "type,dst=/a",
					   "",
					   "dst=" };
	struct mount_spec spec;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		why[0] = 0;
		if (mount(&spec, bad[i]) != -EINVAL || !why[0])
			fail_msg("'%s' is taken", bad[i]);
	}
	assert_int_equal(mount(&spec, "type=bind,source=/a,target=/b,readonly"), 0);
	assert_true(spec.kind == MOUNT_BIND && spec.read_only && !spec.make_source);
	assert_int_equal(mount(&spec, "src=v,dst=/b,ro=false"), 0);
	assert_true(spec.kind == MOUNT_VOLUME && !spec.read_only);
	assert_int_equal(mount(&spec, "type=tmpfs,destination=/t,tmpfs-size=64m,tmpfs-mode=0700"), 0);
	assert_true(spec.kind == MOUNT_TMPFS && spec.size == 64 << 20 && spec.mode == 0700);
}

static void test_tmpfs_and_duplicates(void **state)
{
	struct mount_specs specs = { 0 };

	(void)state;
	assert_int_equal(mount_spec_tmpfs(&specs, "/t:size=1g,mode=755,noexec", why), 0);
	assert_true(specs.mounts[0].size == 1 << 30 && specs.mounts[0].mode == 0755);
	assert_int_equal(mount_spec_tmpfs(&specs, "t", why), -EINVAL);
	assert_int_equal(mount_spec_tmpfs(&specs, "/x:size=", why), -EINVAL);
	assert_int_equal(mount_spec_tmpfs(&specs, "/x:bogus", why), -EINVAL);
	assert_int_equal(mount_spec_volume(&specs, "/a:/b/../t", why), -EINVAL); /* there is something already */
	assert_int_equal(specs.count, 1);
	for (u32 i = 1; i < ROOT_BINDS_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "/x%u", i);
		assert_int_equal(mount_spec_tmpfs(&specs, text, why), 0);
	}
	assert_int_equal(mount_spec_tmpfs(&specs, "/last", why), -EINVAL);
	mount_specs_done(&specs);
}

static void test_sizes(void **state)
{
	static const char *const bad[] = { "", "x", "-1", "1x", "1mm", "1bb", "9999999999t", "0x10", "1 m" };
	u64 size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (mount_size(bad[i], &size))
			fail_msg("'%s' is taken", bad[i]);
	assert_true(mount_size("10", &size) && size == 10);
	assert_true(mount_size("64M", &size) && size == 64 << 20);
	assert_true(mount_size("2gb", &size) && size == UINT64_C(2) << 30);
	assert_true(mount_size("7b", &size) && size == 7);
}

/* --- trees ------------------------------------------------------------------------------------------------------------------------------ */

static char top[64], upper[PATH_MAX], lower[PATH_MAX];
static const char *layers[] = { upper, lower };

static void put(const char *layer, const char *path, const char *text)
{
	char full[2 * PATH_MAX];
	FILE *file;

	(void)snprintf(full, sizeof(full), "%s%s", layer, path);
	for (char *slash = strchr(full + strlen(layer) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	(void)fclose(file);
}

static void link_to(const char *layer, const char *path, const char *target)
{
	char full[2 * PATH_MAX];

	(void)snprintf(full, sizeof(full), "%s%s", layer, path);
	assert_int_equal(symlink(target, full), 0);
}

static int make_trees(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/run_values-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(upper, sizeof(upper), "%s/upper", top);
	(void)snprintf(lower, sizeof(lower), "%s/lower", top);
	return mkdir(upper, 0755) || mkdir(lower, 0755);
}

static int remove_trees(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, top);
}

static void first_line(const char *path, const char *expected)
{
	char text[64] = "";
	int fd = tree_look_open(layers, 2, path);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	(void)close(fd);
	assert_string_equal(text, expected);
}

static void test_looking(void **state)
{
	(void)state;
	put(lower, "/etc/a", "lower");
	put(upper, "/etc/a", "upper");
	put(lower, "/etc/b", "lower");
	put(lower, "/real/file", "real");
	link_to(lower, "/etc/link", "../real/file");
	link_to(lower, "/etc/absolute", "/real/./../etc/b");
	link_to(lower, "/etc/out", "../../../../../../etc/b"); /* stays in the tree */
	link_to(lower, "/etc/loop", "loop");
	link_to(upper, "/dir", "real");
	link_to(lower, "/etc/nowhere", "/etc/shadow-of-nobody");
	first_line("/etc/a", "upper");
	first_line("/etc/b", "lower");
	first_line("/etc/link", "real");
	first_line("/etc/absolute", "lower");
	first_line("/etc/out", "lower");
	first_line("/dir/file", "real");
	first_line("etc//./b", "lower");
	assert_int_equal(tree_look_open(layers, 2, "/etc/loop"), -ELOOP);
	assert_int_equal(tree_look_open(layers, 2, "/etc/nowhere"), -ENOENT);
	assert_int_equal(tree_look_open(layers, 2, "/etc/b/c"), -ENOTDIR);
	assert_int_equal(tree_look_open(layers, 2, "/etc"), -EISDIR);
	assert_int_equal(mkfifo(strcat(strcpy((char[PATH_MAX]){ 0 }, lower), "/etc/fifo"), 0600), 0);
	assert_int_equal(tree_look_open(layers, 2, "/etc/fifo"), -EINVAL);
}

static void test_users(void **state)
{
	static const char *const more[] = { "audio", "77", NULL };
	struct user_found found;

	(void)state;
	put(lower, "/etc/passwd",
	    "root:x:0:0:root:/root:/bin/sh\nbroken\nbad:x:y:1::/:\ndaemon:x:1:1:daemon:/usr/sbin:\n\nweb:x:33:33::/var/www\nhuge:x:4294967295:0::/:\n");
	put(lower, "/etc/group", "root:x:0:\nwww:x:33:\naudio:x:29:x,web,y\nvideo:x:44:web\nother:x:45:webb,we\nweird:x::\n");
	assert_int_equal(users_find(layers, 2, NULL, NULL, &found), 0);
	assert_true(found.identity.uid == 0 && found.identity.gid == 0 && !found.identity.group_count);
	assert_string_equal(found.home, "/root");
	assert_int_equal(users_find(layers, 2, "web", NULL, &found), 0);
	assert_true(found.identity.uid == 33 && found.identity.gid == 33 && found.identity.group_count == 2);
	assert_true(found.identity.groups[0] == 29 && found.identity.groups[1] == 44);
	assert_string_equal(found.home, "/var/www");
	assert_int_equal(users_find(layers, 2, "33:audio", more, &found), 0);
	assert_true(found.identity.gid == 29 && found.identity.group_count == 2 && found.identity.groups[1] == 77);
	assert_int_equal(users_find(layers, 2, "1234", NULL, &found), 0);
	assert_true(found.identity.uid == 1234 && found.identity.gid == 0);
	assert_string_equal(found.home, "/");
	assert_int_equal(users_find(layers, 2, "1234:5678", NULL, &found), 0);
	assert_int_equal(found.identity.gid, 5678);
	assert_int_equal(users_find(layers, 2, "nobody", NULL, &found), -ENOENT);
	assert_non_null(strstr(found.why, "nobody"));
	assert_int_equal(users_find(layers, 2, "web:nogroup", NULL, &found), -ENOENT);
	assert_int_equal(users_find(layers, 2, "huge", NULL, &found), -ENOENT);
	assert_int_equal(users_find(layers, 2, "4294967295", NULL, &found), -EINVAL);
	assert_int_equal(users_find(layers, 2, "99999999999999999999", NULL, &found), -EINVAL);
}

static void test_users_of_nothing(void **state)
{
	struct user_found found;

	(void)state;
	assert_int_equal(unlink(strcat(strcpy((char[PATH_MAX]){ 0 }, lower), "/etc/passwd")), 0);
	assert_int_equal(users_find(layers, 2, "", NULL, &found), 0);
	assert_int_equal(found.identity.uid, 0);
	assert_string_equal(found.home, "/");
	assert_int_equal(users_find(layers, 2, "root", NULL, &found), -ENOENT);
}

static void test_copy(void **state)
{
	char from_path[PATH_MAX + 8], to_path[PATH_MAX + 8], text[PATH_MAX];
	struct stat st;
	int from, to;

	(void)state;
	put(lower, "/from/deep/file", "content");
	link_to(lower, "/from/link", "/etc/passwd");
	(void)snprintf(from_path, sizeof(from_path), "%s/from", lower);
	(void)snprintf(to_path, sizeof(to_path), "%s/to", top);
	assert_int_equal(mkdir(to_path, 0755), 0);
	from = open(from_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to = open(to_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fchmodat(from, "deep/file", 0640, 0), 0);
	assert_int_equal(tree_copy(from, to), 0);
	assert_int_equal(tree_copy(from, to), 0); /* again: what is there stays */
	assert_int_equal(fstatat(to, "deep/file", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(st.st_size == 7 && (st.st_mode & 07777) == 0640);
	assert_int_equal(readlinkat(to, "link", text, sizeof(text)), 11);
	(void)close(from);
	(void)close(to);
}

static void test_volume_names(void **state)
{
	(void)state;
	assert_true(volumes_name_valid("a") && volumes_name_valid("A.b_c-9"));
	assert_false(volumes_name_valid("") || volumes_name_valid(".a") || volumes_name_valid("a/b") || volumes_name_valid("-a") ||
		     volumes_name_valid("a b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_volume),
		cmocka_unit_test(test_mount),
		cmocka_unit_test(test_tmpfs_and_duplicates),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_looking),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_users_of_nothing),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_volume_names),
	};

	return cmocka_run_group_tests(tests, make_trees, remove_trees);
}
