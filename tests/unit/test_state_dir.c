// SPDX-License-Identifier: Apache-2.0
/* The state directory: which variable counts, what is made, what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/state_dir.h"
#include "unit.h"

static char base[] = "/tmp/state-dir-XXXXXX";

static void the_variable_names_it_and_it_is_made(void **state)
{
	(void)state;
	char wanted[PATH_MAX], path[PATH_MAX];
	struct stat st;
	snprintf(wanted, sizeof(wanted), "%s/a/b", base);
	setenv("LICHEN_STATE", wanted, 1);
	for (int round = 0; round < 2; round++) { /* made, then found */
		int dir = state_dir_open(path);
		assert_true(dir >= 0);
		assert_string_equal(path, wanted);
		assert_int_equal(fstat(dir, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		assert_int_equal(fcntl(dir, F_GETFD), FD_CLOEXEC);
		close(dir);
	}
}

static void the_path_has_no_symlink_and_is_absolute(void **state)
{
	(void)state;
	char link[PATH_MAX], path[PATH_MAX], wanted[PATH_MAX];
	snprintf(link, sizeof(link), "%s/link", base);
	snprintf(wanted, sizeof(wanted), "%s/a", base);
	assert_int_equal(symlink("a", link), 0);
	setenv("LICHEN_STATE", link, 1);
	int dir = state_dir_open(path);
	assert_true(dir >= 0);
	assert_string_equal(path, wanted);
	close(dir);
	assert_int_equal(chdir(base), 0);
	setenv("LICHEN_STATE", "./link/../a", 1);
	dir = state_dir_open(path);
	assert_true(dir >= 0);
	assert_string_equal(path, wanted);
	close(dir);
}

static void what_is_no_directory_is_refused(void **state)
{
	(void)state;
	char file[PATH_MAX], path[PATH_MAX];
	snprintf(file, sizeof(file), "%s/file", base);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	setenv("LICHEN_STATE", file, 1);
	assert_int_equal(state_dir_open(path), -ENOTDIR);
	assert_string_equal(path, file);
	setenv("LICHEN_STATE", "/proc/nothing/here", 1);
	assert_int_equal(state_dir_open(path), -ENOENT);
	assert_string_equal(path, "/proc/nothing/here");
}

static int make_base(void **state)
{
	(void)state;
	return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state)
{
	(void)state;
	char command[64];
	snprintf(command, sizeof(command), "rm -rf %s", base);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_variable_names_it_and_it_is_made),
		cmocka_unit_test(the_path_has_no_symlink_and_is_absolute),
		cmocka_unit_test(what_is_no_directory_is_refused),
	};
	return cmocka_run_group_tests(tests, make_base, remove_base);
}
