// SPDX-License-Identifier: Apache-2.0
/* The store: blobs, references, pins, leases, garbage; looking images up; malformed manifests and configurations. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "image/image.h"
#include "image_build.h"
#include "unit.h"

static struct image_error why;
static struct image_store store;

static int enter(void **state)
{
	(void)state;
	char path[PATH_MAX];
	build_enter();
	CLEANUP_FD int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_non_null(getcwd(path, sizeof(path)));
	assert_int_equal(store_open_at(dir, path, &store, &why), 0);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	store_close(&store);
	build_leave();
	return 0;
}

/* Adds an image of one layer with one file. */
static struct digest add(const char *file, const char *name)
{
	char entry[100], full[IMAGE_NAME_MAX];
	struct image_config config = { 0 };
	struct image_add add = { 0 };
	struct digest blob;
	u64 size;
	snprintf(entry, sizeof(entry), "0 %s", file);
	const char *const entries[] = { entry, NULL };
	CLEANUP_FD int layer = build_tar(&(struct build_layer){ .entries = entries }, &size);
	CLEANUP_FREE char *bytes = malloc(size);
	assert_int_equal(read(layer, bytes, size), size);
	assert_int_equal(blob_put(&store, bytes, size, &blob), 0);
	assert_int_equal(image_name(name, full, &why), 0);
	assert_int_equal(image_add_layer(&store, &blob, &config, full, &add, &why), 0);
	image_config_done(&config);
	return add.id;
}

static struct store_garbage collect(void)
{
	struct store_garbage garbage;
	assert_int_equal(store_collect(&store, &garbage, &why), 0);
	return garbage;
}

static int finds(const char *text)
{
	struct digest manifest;
	return image_find(&store, text, &manifest, NULL, &why);
}

static void images_are_found_by_name_and_id(void **state)
{
	(void)state;
	char id[DIGEST_TEXT_SIZE], name[IMAGE_NAME_MAX];
	struct digest first = add("a", "debian"), manifest;
	add("b", "ghcr.io/x/y:1");
	digest_text(&first, id);
	assert_int_equal(finds("debian"), 0);
	assert_int_equal(finds("docker.io/library/debian:latest"), 0);
	assert_int_equal(finds("debian:12"), -ENOENT);
	assert_int_equal(finds("ghcr.io/x/y:1"), 0);
	assert_int_equal(finds("Upper"), -EINVAL);
	assert_int_equal(finds(id), 0);
	id[7 + 12] = '\0';
	assert_int_equal(image_find(&store, id + 7, &manifest, name, &why), 0);
	assert_string_equal(name, "");
	snprintf(name, sizeof(name), "debian@%s", digest_text(&manifest, id));
	assert_int_equal(finds(name), 0);
	name[strlen(name) - 1] = name[strlen(name) - 1] == '0' ? '1' : '0';
	assert_int_equal(finds(name), -ENOENT);
}

static void names_are_shown_as_they_are_typed(void **state)
{
	(void)state;
	static const char *const table[][3] = {
		{ "docker.io/library/debian:12", "debian", "12" },
		{ "docker.io/bitnami/redis:latest", "bitnami/redis", "latest" },
		{ "localhost:5000/x:1", "localhost:5000/x", "1" },
		{ "localhost:5000/x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "localhost:5000/x",
		  "<none>" },
		{ "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "<none>", "<none>" },
	};
	char repository[IMAGE_NAME_MAX], tag[IMAGE_NAME_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_string_equal(image_name_short(table[i][0], repository, tag), table[i][1]);
		assert_string_equal(tag, table[i][2]);
	}
}

static void garbage_is_what_nothing_leads_to(void **state)
{
	(void)state;
	struct digest digest;
	add("a", "a");
	add("b", "b");
	assert_int_equal(blob_put(&store, "junk", 4, &digest), 0);
	assert_int_equal(close(openat(store.dir, "tmp/junk", O_CREAT | O_WRONLY, 0600)), 0);
	struct store_garbage garbage = collect();
	assert_true(garbage.blobs == 1 && garbage.roots == 0 && !garbage.skipped);
	assert_int_equal(faccessat(store.dir, "tmp/junk", F_OK, 0), -1);
	assert_int_equal(store_ref_remove(&store, "docker.io/library/a:latest"), 0);
	garbage = collect();
	assert_true(garbage.blobs == 3 && garbage.roots == 1);
	assert_int_equal(finds("b"), 0);
	garbage = collect();
	assert_true(garbage.blobs == 0 && garbage.roots == 0);
}

static void a_pin_keeps_an_image_as_long_as_its_path_exists(void **state)
{
	(void)state;
	struct image image;
	char path[PATH_MAX];
	add("a", "a");
	assert_non_null(getcwd(path, sizeof(path) - 8));
	strcat(path, "/cell");
	assert_int_equal(mkdir("cell", 0700), 0);
	assert_int_equal(image_open(&store, "a", &image, &why), 0);
	assert_int_equal(image_pin(&store, &image, path, &why), 0);
	image_close(&image);
	assert_int_equal(store_ref_remove(&store, "docker.io/library/a:latest"), 0);
	assert_int_equal(collect().roots, 0);
	assert_int_equal(rmdir("cell"), 0);
	assert_int_equal(collect().roots, 1);
}

static void a_lease_keeps_a_root_while_a_process_has_it(void **state)
{
	(void)state;
	struct image image;
	char file[PATH_MAX + 8];
	add("a", "a");
	assert_int_equal(image_open(&store, "a", &image, &why), 0);
	assert_string_equal(image.config.cmd[0] ? image.config.cmd[0] : "", "");
	assert_string_equal(image.name, "docker.io/library/a:latest");
	snprintf(file, sizeof(file), "%s/a", image.root);
	assert_string_equal(build_look(file), "f a");
	assert_int_equal(store_ref_remove(&store, "docker.io/library/a:latest"), 0);
	int copy = fcntl(image.lease, F_DUPFD_CLOEXEC, 3);
	image_close(&image);
	assert_int_equal(collect().roots, 0);
	assert_string_equal(build_look(file), "f a");
	close(copy);
	assert_int_equal(collect().roots, 1);
	assert_string_equal(build_look(file), "-");
}

static void collection_waits_for_nobody_and_disturbs_nobody(void **state)
{
	(void)state;
	struct digest digest;
	CLEANUP_FD int other = openat(store.dir, "lock", O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_SH), 0); /* another lichen */
	assert_int_equal(blob_put(&store, "junk", 4, &digest), 0);
	assert_true(collect().skipped);
	assert_int_equal(flock(other, LOCK_UN), 0);
	assert_int_equal(collect().blobs, 1);
}

static void a_root_that_is_not_there_is_unpacked_again(void **state)
{
	(void)state;
	struct image image;
	char file[PATH_MAX + 8];
	add("a", "a");
	assert_int_equal(tree_remove(store.dir, "roots"), 0);
	assert_int_equal(mkdirat(store.dir, "roots", 0700), 0);
	assert_int_equal(image_open(&store, "a", &image, &why), 0);
	snprintf(file, sizeof(file), "%s/a", image.root);
	assert_string_equal(build_look(file), "f a");
	image_close(&image);
}

static void a_damaged_store_is_told_and_nothing_is_removed(void **state)
{
	(void)state;
	struct image image;
	struct digest manifest;
	struct store_garbage garbage;
	char hex[DIGEST_HEX + 1], path[128];
	add("a", "a");
	assert_int_equal(image_find(&store, "a", &manifest, NULL, &why), 0);
	snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(&manifest, hex));
	CLEANUP_FD int blob = openat(store.dir, path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(blob, "x", 1, 0), 1);
	assert_int_equal(image_open(&store, "a", &image, &why), -EBADMSG);
	assert_int_equal(store_collect(&store, &garbage, &why), -EBADMSG);
	assert_int_equal(faccessat(store.dir, path, F_OK, 0), 0);
}

/* Many processes add, remove and collect at once, and are killed; afterwards the store is whole. */
static void kill_at_any_point_leaves_the_store_whole(void **state)
{
	(void)state;
	static const char *const names[] = { "a", "b", "c" };
	for (int round = 0; round < 40; round++) {
		pid_t children[3];
		for (int i = 0; i < 3; i++) {
			children[i] = fork();
			if (children[i] != 0)
				continue;
			close(store.lock); /* a lock of its own */
			store.lock = openat(store.dir, "lock", O_RDWR | O_CLOEXEC);
			for (;;) {
				struct store_garbage garbage;
				if (flock(store.lock, LOCK_SH))
					_exit(1);
				add(names[i], names[i]);
				int error = store_ref_remove(&store, "docker.io/library/a:latest");
				if ((error && error != -ENOENT) || store_collect(&store, &garbage, &why))
					_exit(1);
			}
		}
		usleep(3000 + (useconds_t)round * 700);
		for (int i = 0; i < 3; i++) {
			kill(children[i], SIGKILL);
			int status;
			assert_int_equal(waitpid(children[i], &status, 0), children[i]);
			assert_true(WIFSIGNALED(status));
		}
	}
	struct store_refs refs;
	assert_int_equal(store_refs_list(&store, "refs", &refs), 0);
	for (size_t i = 0; i < refs.count; i++) {
		struct image image;
		assert_int_equal(image_open(&store, refs.rows[i].name, &image, &why), 0);
		image_close(&image);
	}
	store_refs_done(&refs);
	collect();
	struct tree_size size;
	CLEANUP_FD int tmp = openat(store.dir, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(tree_measure(tmp, &size), 0);
	assert_int_equal(size.files, 0);
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LAYERS "\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:" HEX "\",\"size\":1}]"
#define CONFIG "\"config\":{\"digest\":\"sha256:" HEX "\",\"size\":2}"
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX "\"]}"

static void malformed_manifests_are_refused_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		int result;
	} table[] = {
		{ "{\"schemaVersion\":2," CONFIG "," LAYERS "}", 0 },
		{ "{\"schemaVersion\":1," CONFIG "," LAYERS "}", -EBADMSG },
		{ "{\"schemaVersion\":2," LAYERS "}", -EBADMSG },
		{ "{\"schemaVersion\":2," CONFIG "}", -EBADMSG },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[]}", -EBADMSG },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[7]}", -EBADMSG },
		{ "{\"schemaVersion\":2,\"mediaType\":\"text/plain\"," CONFIG "," LAYERS "}", -EBADMSG },
		{ "{\"schemaVersion\":2," CONFIG "," CONFIG "," LAYERS "}", -EBADMSG },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"md5:00\",\"size\":2}," LAYERS "}", -EBADMSG },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:" HEX "\",\"size\":-2}," LAYERS "}", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "", -EBADMSG },
		{ "{", -EBADMSG },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct image_manifest manifest;
		why.text[0] = '\0';
		assert_int_equal(manifest_parse(table[i].json, strlen(table[i].json), &manifest, &why), table[i].result);
		if (!table[i].result)
			manifest_done(&manifest);
		else
			assert_true(why.text[0]);
	}
}

static void malformed_configurations_are_refused_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		int result;
	} table[] = {
		{ "{" ROOTFS "}", 0 },
		{ "{" ROOTFS ",\"config\":null}", 0 },
		{ "{" ROOTFS ",\"config\":{\"Env\":null,\"Cmd\":[\"a\"],\"Labels\":{\"b\":\"c\"},\"Volumes\":{\"/v\":{}}}}", 0 },
		{ "{}", -EBADMSG },
		{ "{\"rootfs\":{\"diff_ids\":[]}}", -EBADMSG },
		{ "{\"rootfs\":{\"diff_ids\":[\"sha256:00\"]}}", -EBADMSG },
		{ "{" ROOTFS ",\"config\":[]}", -EBADMSG },
		{ "{" ROOTFS ",\"config\":{\"Env\":\"A=b\"}}", -EBADMSG },
		{ "{" ROOTFS ",\"config\":{\"Env\":[\"=b\"]}}", -EBADMSG },
		{ "{" ROOTFS ",\"config\":{\"Cmd\":[7]}}", -EBADMSG },
		{ "{" ROOTFS ",\"config\":{\"User\":7}}", -EBADMSG },
		{ "{" ROOTFS ",\"config\":{\"WorkingDir\":\"relative\"}}", -EBADMSG },
		{ "{" ROOTFS ",\"config\":{\"Labels\":{\"a\":7}}}", -EBADMSG },
		{ "{" ROOTFS ",\"config\":{\"Volumes\":{\"v\":{}}}}", -EBADMSG },
		{ "{" ROOTFS ",\"config\":{\"User\":\"a\\u0000b\"}}", -EBADMSG },
		{ "{" ROOTFS ",\"config\":{\"User\":\"\xff\"}}", -EBADMSG },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct image_config config;
		why.text[0] = '\0';
		assert_int_equal(image_config_parse(table[i].json, strlen(table[i].json), &config, &why), table[i].result);
		if (!table[i].result)
			image_config_done(&config);
		else
			assert_true(why.text[0]);
	}
}

static void a_configuration_reads_as_it_was_written(void **state)
{
	(void)state;
	static const char json[] =
		"{\"created\":\"2026-01-02T03:04:05Z\",\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"User\":\"u\","
		"\"Env\":[\"A=b\",\"C=\"],\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\",\"\"],\"WorkingDir\":\"/w\",\"StopSignal\":\"SIGINT\","
		"\"Volumes\":{\"/v\":{}},\"Labels\":{\"k\":\"v\"}}," ROOTFS "}";
	struct image_config config;
	assert_int_equal(image_config_parse(json, sizeof(json) - 1, &config, &why), 0);
	CLEANUP_FREE char *again = image_config_write(&config);
	assert_string_equal(again, json);
	image_config_done(&config);
}

static void an_index_gives_this_machine_its_row(void **state)
{
	(void)state;
#define ROW(digit, platform)                                                  \
	"{\"mediaType\":\"" MANIFEST_TYPE_OCI "\",\"digest\":\"sha256:" digit \
	"123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","  \
	"\"size\":1" platform "}"
	static const char several[] =
		"{\"schemaVersion\":2,\"manifests\":[" ROW("1", ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}") "," ROW(
			"2", ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}") "]}";
	static const char one[] = "{\"schemaVersion\":2,\"manifests\":[" ROW("3", "") "]}";
	static const char other[] =
		"{\"schemaVersion\":2,\"manifests\":[" ROW("1", ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}") "]}";
	struct image_index index;
	assert_int_equal(index_parse(several, sizeof(several) - 1, &index, &why), 0);
	assert_int_equal(index_choose(&index)->digest.bytes[0], 0x21);
	index_done(&index);
	assert_int_equal(index_parse(one, sizeof(one) - 1, &index, &why), 0);
	assert_int_equal(index_choose(&index)->digest.bytes[0], 0x31);
	index_done(&index);
	assert_int_equal(index_parse(other, sizeof(other) - 1, &index, &why), 0);
	assert_null(index_choose(&index));
	index_done(&index);
}

static void chain_ids_are_those_of_the_specification(void **state)
{
	(void)state;
	struct digest ids[2], chain;
	char text[DIGEST_TEXT_SIZE];
	assert_int_equal(digest_parse("sha256:" HEX, &ids[0]), 0);
	ids[1] = ids[0];
	chain = digest_chain(ids, 1);
	assert_string_equal(digest_text(&chain, text), "sha256:" HEX);
	chain = digest_chain(ids, 2);
	struct digest wanted = digest_of("sha256:" HEX " sha256:" HEX, 2 * (sizeof("sha256:" HEX) - 1) + 1);
	assert_true(digest_equal(&chain, &wanted));
	wanted = digest_of("abc", 3); /* FIPS 180-4 */
	assert_string_equal(digest_text(&wanted, text), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(images_are_found_by_name_and_id),
		TEST(names_are_shown_as_they_are_typed),
		TEST(garbage_is_what_nothing_leads_to),
		TEST(a_pin_keeps_an_image_as_long_as_its_path_exists),
		TEST(a_lease_keeps_a_root_while_a_process_has_it),
		TEST(collection_waits_for_nobody_and_disturbs_nobody),
		TEST(a_root_that_is_not_there_is_unpacked_again),
		TEST(a_damaged_store_is_told_and_nothing_is_removed),
		TEST(kill_at_any_point_leaves_the_store_whole),
		cmocka_unit_test(malformed_manifests_are_refused_with_a_reason),
		cmocka_unit_test(malformed_configurations_are_refused_with_a_reason),
		cmocka_unit_test(a_configuration_reads_as_it_was_written),
		cmocka_unit_test(an_index_gives_this_machine_its_row),
		cmocka_unit_test(chain_ids_are_those_of_the_specification),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
