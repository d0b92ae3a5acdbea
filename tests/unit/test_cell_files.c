// SPDX-License-Identifier: Apache-2.0
/* The files of a cell: any bytes as JSON and back, a state that is torn or lies on a full disk, a log that turns over while it is read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/cell_config.h"
#include "host/cell_log_read.h"
#include "host/cell_members.h"
#include "host/cell_name.h"
#include "host/cell_state.h"
#include "unit.h"

static char place[] = "/tmp/test_cell_files.XXXXXX";
static int dir;

static int make_place(void **state)
{
	(void)state;
	dir = mkdtemp(place) ? open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return dir < 0;
}

static int remove_place(void **state)
{
	static const char *const names[] = { "state", "log", "log.1", "agent" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlinkat(dir, names[i], 0);
	(void)close(dir);
	return rmdir(place);
}

static void test_any_bytes_survive_json(void **state)
{
	static const char *const texts[] = { "",
					     "plain",
					     "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
					     "\xff\xfe",
					     "a\x80z",
					     "\xc3",
					     "\xe2\x82",
					     "\xee\xbe\x80",
					     "\xee\xbf\xbf\xee",
					     "\xed\xa0\x80",
					     "\xc0\xaf",
					     "\xf4\x90\x80\x80",
					     "\x01\x7f" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_t *string = cell_text_json(texts[i]);
		char *back;

		assert_non_null(string);
		back = cell_text_bytes(string);
		assert_string_equal(back, texts[i]);
		free(back);
		json_decref(string);
	}
	for (int first = 1; first < 256; first++) /* each byte, before each kind of byte */
		for (int second = 1; second < 256; second += 9) {
			char text[] = { (char)first, (char)second, 'x', '\0' };
			json_t *string = cell_text_json(text);
			char *back = cell_text_bytes(string);

			assert_string_equal(back, text);
			free(back);
			json_decref(string);
		}
}

/* Overwrites a byte of a slot. */
static void tear(u64 slot)
{
	int fd = openat(dir, "state", O_RDWR | O_CLOEXEC);
	char byte;
	off_t at = (off_t)(slot * CELL_SLOT + 40);

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = (char)~byte;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	(void)close(fd);
}

static void test_torn_state_is_the_one_before(void **state)
{
	struct cell_state now = { .status = CELL_CREATED }, read;
	int fd;

	(void)state;
	assert_int_equal(cell_state_create(dir, &now), 0);
	assert_int_equal(cell_state_create(dir, &now), -EEXIST);
	fd = openat(dir, "state", O_RDWR | O_CLOEXEC);
	now.sequence = 2;
	for (int i = 1; i <= 5; i++) {
		now.status = CELL_RUNNING;
		now.pid = i;
		assert_int_equal(cell_state_write(fd, &now), 0);
		assert_int_equal(cell_state_read(dir, &read), 0);
		assert_int_equal(read.pid, i);
	}
	assert_int_equal(lseek(fd, 0, SEEK_END), 2 * CELL_SLOT);
	tear(now.sequence % 2);
	assert_int_equal(cell_state_read(dir, &read), 0);
	assert_int_equal(read.pid, 4);
	tear(1 - now.sequence % 2);
	assert_int_equal(cell_state_read(dir, &read), -EBADMSG);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(cell_state_read(dir, &read), -EBADMSG);
	(void)close(fd);
}

static void add(struct cell_log *log, enum cell_stream stream, const char *text)
{
	cell_log_add(log, stream, text, strlen(text));
}

/* The next entry's text; NULL: there is none. */
static const char *next(struct cell_log_reader *reader, struct cell_log_entry *entry)
{
	static char text[CELL_LOG_LINE + 1];

	if (cell_log_reader_next(reader, entry) != 1)
		return NULL;
	memcpy(text, entry->text, entry->size);
	text[entry->size] = '\0';
	return text;
}

static void test_log_keeps_lines_and_streams(void **state)
{
	struct cell_log *log = malloc(sizeof(*log));
	struct cell_log_reader *reader = malloc(sizeof(*reader));
	struct cell_log_entry entry;

	(void)state;
	assert_true(log && reader);
	assert_int_equal(cell_log_reader_open(reader, dir), -ENOENT);
	cell_log_open(log, dir, CELL_LOG_SIZE_MIN);
	assert_int_equal(cell_log_reader_open(reader, dir), 0);
	assert_null(next(reader, &entry));
	add(log, CELL_STDOUT, "one\ntw");
	add(log, CELL_STDERR, "error\n");
	assert_string_equal(next(reader, &entry), "one");
	assert_int_equal(entry.stream, CELL_STDOUT);
	assert_string_equal(next(reader, &entry), "error");
	assert_int_equal(entry.stream, CELL_STDERR);
	assert_true(entry.time > INT64_C(1700000000000000000));
	assert_null(next(reader, &entry));
	add(log, CELL_STDOUT, "o\n\nend");
	assert_string_equal(next(reader, &entry), "two");
	assert_string_equal(next(reader, &entry), "");
	cell_log_close(log);
	assert_string_equal(next(reader, &entry), "end");
	assert_true(entry.partial);
	assert_null(next(reader, &entry));
	cell_log_reader_close(reader);
	free(reader);
	free(log);
}

static void test_log_turns_over_under_a_reader(void **state)
{
	struct cell_log *log = malloc(sizeof(*log));
	struct cell_log_reader *reader = malloc(sizeof(*reader));
	struct cell_log_entry entry;
	char wanted[32];
	struct stat st;

	(void)state;
	assert_true(log && reader);
	cell_log_open(log, dir, CELL_LOG_SIZE_MIN);
	assert_int_equal(cell_log_reader_open(reader, dir), 0);
	while (next(reader, &entry))
		; /* of the test before */
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(wanted, sizeof(wanted), "line %d\n", i);
		add(log, i % 2, wanted);
		if (i % 300 != 299)
			continue;
		for (int j = i - 299; j <= i; j++) { /* within one turn of the reader's file */
			(void)snprintf(wanted, sizeof(wanted), "line %d", j);
			assert_string_equal(next(reader, &entry), wanted);
			assert_int_equal(entry.stream, j % 2);
		}
	}
	assert_int_equal(log->lost, 0);
	assert_int_equal(fstatat(dir, "log.1", &st, 0), 0);
	assert_true((u64)st.st_size <= CELL_LOG_SIZE_MIN / 2);
	cell_log_close(log);
	cell_log_reader_close(reader);
	free(reader);
	free(log);
}

static void test_damaged_lines_are_left_out(void **state)
{
	static const char *const bad[] = { "",
					   "x",
					   "2026-11-22T23:16:37.123456789Z",
					   "2026-11-22T23:16:37.123456789Z stdout X text",
					   "2026-11-22T23:16:37.123456789Z stdour F text",
					   "2026-1x-22T23:16:37.123456789Z stdout F text",
					   "2026-11-22T23:16:37.123456789+ stdout F text" };
	static const char good[] = "2026-11-22T23:16:37.123456789Z stderr P text";
	struct cell_log_entry entry;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(cell_log_parse(bad[i], strlen(bad[i]), &entry));
	assert_true(cell_log_parse(good, strlen(good), &entry));
	assert_true(entry.partial && entry.stream == CELL_STDERR && entry.size == 4);
	assert_int_equal(entry.time, INT64_C(1795389397123456789));
}

static void test_names(void **state)
{
	char name[CELL_NAME_MAX + 1];

	(void)state;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(cell_name_generate(name, i % 2), 0);
		assert_true(cell_name_valid(name));
	}
	assert_true(cell_name_valid("a") && cell_name_valid("0.x_y-z"));
	assert_false(cell_name_valid("") || cell_name_valid("-a") || cell_name_valid("a/b") || cell_name_valid("\xc3\xa4"));
}

/* A process that executes `program`, and has begun to: it says so. */
static pid_t execute(int program)
{
	char name[] = "sleep", time[] = "1000", *const argv[] = { name, time, NULL }, *const env[] = { NULL }, byte;
	int pair[2];
	pid_t pid;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)fexecve(program, argv, env);
		_exit(127);
	}
	(void)close(pair[1]);
	assert_int_equal(read(pair[0], &byte, 1), 0); /* closed by execve */
	(void)close(pair[0]);
	return pid;
}

static void change_note(const char *from, const char *to)
{
	char text[256] = "", *at;
	int fd = openat(dir, "agent", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	at = strstr(text, from);
	assert_non_null(at);
	memcpy(at, to, strlen(to));
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
	(void)close(fd);
}

/* What has the number that a noted agent had, and is another file, or was noted before another boot, is spared. */
static void test_noted_agent_is_that_very_file(void **state)
{
	int sleep = open("/bin/sleep", O_RDONLY | O_CLOEXEC), agent = memfd_create("agent", MFD_CLOEXEC);
	char time[64];
	struct stat st;
	pid_t pid;

	(void)state;
	assert_true(sleep >= 0 && agent >= 0);
	while (sendfile(agent, sleep, NULL, 1 << 20) > 0)
		;
	(void)close(sleep);
	pid = execute(agent);
	assert_int_equal(cell_members_kill_noted(dir), 0); /* nothing was noted */

	assert_int_equal(cell_members_note(dir, agent), 0);
	assert_int_equal(fstat(agent, &st), 0);
	(void)snprintf(time, sizeof(time), ".%09ld", st.st_mtim.tv_nsec);
	change_note(time, st.st_mtim.tv_nsec == 123456789 ? ".987654321" : ".123456789");
	assert_int_equal(cell_members_kill_noted(dir), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);

	assert_int_equal(cell_members_note(dir, agent), 0);
	change_note("-", "x");
	assert_int_equal(cell_members_kill_noted(dir), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);

	assert_int_equal(cell_members_note(dir, agent), 0);
	assert_int_equal(cell_members_kill_noted(dir), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	cell_members_forget(dir);
	assert_int_equal(faccessat(dir, "agent", F_OK, 0), -1);
	(void)close(agent);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_bytes_survive_json),        cmocka_unit_test(test_torn_state_is_the_one_before),
		cmocka_unit_test(test_log_keeps_lines_and_streams),   cmocka_unit_test(test_log_turns_over_under_a_reader),
		cmocka_unit_test(test_damaged_lines_are_left_out),    cmocka_unit_test(test_names),
		cmocka_unit_test(test_noted_agent_is_that_very_file),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
