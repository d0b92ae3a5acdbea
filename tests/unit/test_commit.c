// SPDX-License-Identifier: Apache-2.0
/* What an upper directory changes, instructions of Dockerfiles, the configuration of a committed image, and archives that are no layers. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/commit.h"
#include "image/copy.h"
#include "image/instruction.h"
#include "image_build.h"
#include "unit.h"

static struct image_error why;

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

/* --- changes ---------------------------------------------------------------------------------------------------------------------------- */

static void make_file(const char *path)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
}

static int note(void *arg, const struct change *change)
{
	char *text = arg;
	size_t used = strlen(text);
	assert_true(used + strlen(change->path) + 4 < 1024);
	(void)snprintf(text + used, 1024 - used, "%c %s;", change->kind, change->path);
	return 0;
}

/* What changes `upper` makes in `lower`, both directories here. */
static const char *changes_of(void)
{
	static char text[1024];
	static const char *const skip[] = { "skipped", NULL };
	char where[PATH_MAX];
	CLEANUP_FD int upper = open("upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int lower = open("lower", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct changes changes = { .upper = upper, .lower = lower, .skip = skip, .each = note, .arg = text };
	text[0] = '\0';
	int error = changes_walk(&changes, where);
	return error ? strerrorname_np(-error) : text;
}

static void what_is_added_changed_and_deleted(void **state)
{
	(void)state;
	assert_int_equal(mkdir("lower", 0755) | mkdir("lower/d", 0755) | mkdir("lower/same", 0755) | mkdir("lower/gone", 0755), 0);
	assert_int_equal(mkdir("upper", 0755) | mkdir("upper/d", 0755) | mkdir("upper/same", 0755), 0);
	assert_int_equal(mkdir("upper/skipped", 0755) | mkdir("upper/new", 0755), 0);
	make_file("lower/d/x");
	make_file("lower/d/y");
	make_file("upper/d/y");
	make_file("upper/d/z");
	make_file("upper/skipped/file");
	make_file("upper/gone"); /* where there was a directory */
	make_file("upper/new/file");
	assert_string_equal(changes_of(), "C d;C d/y;A d/z;C gone;A new;A new/file;");
	assert_int_equal(chmod("upper/same", 0700), 0);
	assert_string_equal(changes_of(), "C d;C d/y;A d/z;C gone;A new;A new/file;C same;");
}

static void marks_of_overlays(void **state)
{
	(void)state;
	assert_int_equal(mkdir("lower", 0755) | mkdir("lower/d", 0755) | mkdir("lower/d/sub", 0755) | mkdir("upper", 0755) |
				 mkdir("upper/d", 0755) | mkdir("upper/d/sub", 0755),
			 0);
	make_file("lower/a");
	make_file("lower/d/x");
	make_file("lower/d/sub/y");
	make_file("upper/a");
	make_file("upper/b");
	if (setxattr("upper/a", "user.overlay.whiteout", "y", 1, 0)) /* no attributes here */
		return;
	assert_int_equal(setxattr("upper/b", "user.overlay.whiteout", "", 0, 0), 0);
	assert_string_equal(changes_of(), "D a;");
	assert_int_equal(setxattr("upper/d", "user.overlay.opaque", "x", 1, 0), 0); /* whiteouts are in it, no more */
	assert_string_equal(changes_of(), "D a;");
	assert_int_equal(setxattr("upper/d", "user.overlay.opaque", "y", 1, 0), 0);
	assert_string_equal(changes_of(), "D a;C d;C d/sub;D d/sub/y;D d/x;");
	assert_int_equal(setxattr("upper/d/sub", "user.overlay.redirect", "/x", 2, 0), 0);
	assert_string_equal(changes_of(), "EXDEV");
}

/* --- instructions ----------------------------------------------------------------------------------------------------------------------- */

/* The configuration after these, as text; or the errno's name. */
static const char *after(const char *config, const char *first, const char *second)
{
	static char text[1024];
	json_t *object = json_loads(config, 0, NULL);
	bool cmd_set = false;
	int error = instruction_apply(object, first, &cmd_set, &why);
	if (!error && second)
		error = instruction_apply(object, second, &cmd_set, &why);
	char *dump = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	(void)snprintf(text, sizeof(text), "%s", error ? strerrorname_np(-error) : dump);
	free(dump);
	json_decref(object);
	return text;
}

static void instructions(void **state)
{
	(void)state;
	assert_string_equal(after("{}", "CMD [\"a\", \"b c\"]", NULL), "{\"Cmd\":[\"a\",\"b c\"]}");
	assert_string_equal(after("{}", " cmd  a  b ", NULL), "{\"Cmd\":[\"/bin/sh\",\"-c\",\"a  b\"]}");
	assert_string_equal(after("{\"Cmd\":[\"x\"]}", "ENTRYPOINT [\"e\"]", NULL), "{\"Entrypoint\":[\"e\"]}");
	assert_string_equal(after("{}", "CMD [\"c\"]", "ENTRYPOINT [\"e\"]"), "{\"Cmd\":[\"c\"],\"Entrypoint\":[\"e\"]}");
	assert_string_equal(after("{\"Env\":[\"A=1\",\"B=2\"]}", "ENV B=3 C=\"x y\" D=a\\ b E='q\"'", NULL),
			    "{\"Env\":[\"A=1\",\"B=3\",\"C=x y\",\"D=a b\",\"E=q\\\"\"]}");
	assert_string_equal(after("{}", "ENV A b c=d", NULL), "{\"Env\":[\"A=b c=d\"]}");
	assert_string_equal(after("{}", "LABEL a=b \"c d\"=e", NULL), "{\"Labels\":{\"a\":\"b\",\"c d\":\"e\"}}");
	assert_string_equal(after("{}", "EXPOSE 80 443/tcp 5-6/udp", NULL),
			    "{\"ExposedPorts\":{\"443/tcp\":{},\"5/udp\":{},\"6/udp\":{},\"80/tcp\":{}}}");
	assert_string_equal(after("{\"WorkingDir\":\"/a\"}", "WORKDIR b", "USER u:g"),
			    "{\"User\":\"u:g\",\"WorkingDir\":\"/a/b\"}");
	assert_string_equal(after("{}", "VOLUME /a /b", "VOLUME [\"/c d\"]"), "{\"Volumes\":{\"/a\":{},\"/b\":{},\"/c d\":{}}}");
	assert_string_equal(after("{}", "ONBUILD RUN x", "STOPSIGNAL 9"), "{\"OnBuild\":[\"RUN x\"],\"StopSignal\":\"9\"}");
	static const char *const bad[] = { "",
					   "CMD",
					   "FROM x",
					   "EXPOSE 0",
					   "EXPOSE 65536",
					   "EXPOSE 5-4",
					   "EXPOSE 1/x",
					   "EXPOSE 99999999999999999999",
					   "ENV a",
					   "ENV =b",
					   "ENV a=\"b",
					   "VOLUME rel",
					   "USER a b",
					   "CMD \xff" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_string_equal(after("{}", bad[i], NULL), "EINVAL");
}

/* --- the configuration ------------------------------------------------------------------------------------------------------------------ */

static void the_old_configuration_goes_on(void **state)
{
	(void)state;
	static const char parent[] =
		"{\"os\":\"linux\",\"unknown\":[1],\"container\":\"x\",\"config\":{\"Env\":[\"PATH=/bin\",\"HOME=/h\"],\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"],"
		"\"Healthcheck\":{}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000\"]},\"history\":[{\"empty_layer\":true}]}";
	struct image_commit commit = { .command = json_pack("[s, s]", "e", "new"),
				       .env = json_pack("[s, s, s]", "PATH=/x", "HOME=/root", "TERM=xterm"),
				       .labels = json_pack("{s:s}", "l", "v"),
				       .author = "me" };
	struct digest layer = digest_of("x", 1);
	char *text = NULL;
	assert_int_equal(commit_config(parent, strlen(parent), &commit, &layer, "2026-01-01T00:00:00Z", &text, &why), 0);
	json_t *root = json_loads(text, 0, NULL), *config = json_object_get(root, "config"),
	       *history = json_object_get(root, "history");
	json_t *want = json_pack("[s, s]", "PATH=/x", "HOME=/root");
	assert_true(json_equal(json_object_get(config, "Env"), want)); /* HOME, since the image names it */
	json_decref(want);
	want = json_pack("[s]", "new");
	assert_true(json_equal(json_object_get(config, "Cmd"), want));
	json_decref(want);
	assert_int_equal(json_array_size(json_object_get(config, "Entrypoint")), 1);
	assert_non_null(json_object_get(config, "Healthcheck"));
	assert_non_null(json_object_get(root, "unknown"));
	assert_null(json_object_get(root, "container"));
	assert_int_equal(json_array_size(json_object_get(json_object_get(root, "rootfs"), "diff_ids")), 2);
	assert_int_equal(json_array_size(history), 3); /* the empty one, one for the layer that had none, ours */
	assert_string_equal(json_string_value(json_object_get(json_array_get(history, 2), "created_by")), "e new");
	assert_string_equal(json_string_value(json_object_get(json_array_get(history, 2), "author")), "me");
	json_decref(root);
	free(text);
	assert_int_equal(commit_config("{}", 2, &commit, &layer, "", &text, &why), -EBADMSG);
	json_decref(commit.command);
	json_decref(commit.env);
	json_decref(commit.labels);
}

/* --- archives --------------------------------------------------------------------------------------------------------------------------- */

static int unpack_plain(u32 flags, const char *only, const char *const *entries)
{
	const struct build_layer layer = { .entries = entries };
	struct unpack_report report = { 0 };
	u64 size;
	CLEANUP_FD int tar = build_tar(&layer, &size);
	CLEANUP_FD int root = open("r", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return unpack_archive(tar, root, flags, only, &report, &why);
}

#define PLAIN(only, ...) unpack_plain(UNPACK_PLAIN | UNPACK_HOST | UNPACK_OURS, only, (const char *const[]){ __VA_ARGS__, NULL })

static void an_archive_is_no_layer(void **state)
{
	(void)state;
	struct stat st;
	assert_int_equal(mkdir("r", 0711) | mkdir("r/d", 0755) | mkdir("outside", 0755) | symlink("../outside", "r/l"), 0);
	make_file("r/f");
	assert_int_equal(PLAIN(NULL, "5 ./", "0 .wh.f", "0 d/.wh..wh..opq", "0 d/x", "3 null"), 0);
	assert_string_equal(build_look("r/.wh.f"), "f .wh.f");
	assert_string_equal(build_look("r/f"), "f ");
	assert_string_equal(build_look("r/null"), "-"); /* no devices here */
	assert_int_equal(stat("r", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(PLAIN(NULL, "0 d"), -EISDIR);
	assert_int_equal(PLAIN(NULL, "2 d x"), -EISDIR);
	assert_int_equal(PLAIN(NULL, "5 f/"), -ENOTDIR);
	assert_int_equal(PLAIN(NULL, "0 l/x"), -ENOTDIR);
	assert_int_equal(PLAIN(NULL, "5 l/"), -ENOTDIR);
	assert_string_equal(build_look("outside/x"), "-");
	assert_int_equal(PLAIN(NULL, "0 l"), 0); /* a file takes the place of a link, not of what it leads to */
	assert_string_equal(build_look("r/l"), "f l");
	assert_int_equal(PLAIN("n", "5 n/", "0 n/x", "1 n/y n/x"), 0);
	assert_int_equal(PLAIN("n", "0 other"), -EBADMSG);
	assert_int_equal(PLAIN("n", "0 nn"), -EBADMSG);
	assert_int_equal(PLAIN("n", "1 n/z f"), -EBADMSG);
	assert_int_equal(PLAIN("n", "0 ../x"), -EBADMSG);
}

/* --- the two ends of a copy --------------------------------------------------------------------------------------------------------------- */

/* Sends these lines to a receiver, which copies into r. */
static int receive_lines(const char *lines)
{
	const struct copy_target target = { .path = "r", .name = "n", .flags = UNPACK_HOST | UNPACK_OURS };
	int pair[2];
	u64 lost;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[0], lines, strlen(lines)), strlen(lines));
	(void)shutdown(pair[0], SHUT_WR);
	int error = copy_receive(pair[1], &target, &lost, &why);
	close(pair[0]);
	close(pair[1]);
	return error;
}

static void a_peer_that_speaks_otherwise(void **state)
{
	(void)state;
	assert_int_equal(mkdir("r", 0755), 0);
	assert_int_equal(receive_lines(""), -EPIPE);
	assert_int_equal(receive_lines("E it is not there\n"), -EREMOTEIO);
	assert_string_equal(why.text, "it is not there");
	assert_int_equal(receive_lines("X\n"), -EBADMSG);
	assert_int_equal(receive_lines("K d ..\n"), -EBADMSG);
	assert_int_equal(receive_lines("K d a/b\n"), -EBADMSG);
	assert_int_equal(receive_lines("K d \n"), -EBADMSG);
	assert_int_equal(receive_lines("K d name\nno archive at all"), -EBADMSG);
	char name[256];
	static const char *const names[][2] = { { "/a/b", "b" }, { "b/", "b" },  { "/", "." },     { "", "." },
						{ "a/..", "." }, { "a/.", "." }, { "../x//", "x" } };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		copy_name_of(names[i][0], name);
		assert_string_equal(name, names[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_added_changed_and_deleted, enter, leave),
		cmocka_unit_test_setup_teardown(marks_of_overlays, enter, leave),
		cmocka_unit_test(instructions),
		cmocka_unit_test(the_old_configuration_goes_on),
		cmocka_unit_test_setup_teardown(an_archive_is_no_layer, enter, leave),
		cmocka_unit_test_setup_teardown(a_peer_that_speaks_otherwise, enter, leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
