// SPDX-License-Identifier: Apache-2.0
/*
 * The log at every point where it can be interrupted: each call that changes a file is once the last one (the process is killed; the power fails) and once
 * fails (the disk is full). Whatever was acknowledged is there afterwards, in its place, the log verifies, and it can be written on.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_log.h"
#include "audit/audit_verify.h"
#include "audit_disk.h"
#include "host/tree.h"

/* Batches: their sizes make tiles full within one and between two of them. A 0 publishes, a -1 opens the log anew. */
static const int work[] = { 1, 2, 0, -1, 250, 0, 1, -1, 300, 0, -1, 5 };

static char dir[64];

/* Appends events that say which they are. `told`: how many were told to the log so far. 0 or negative errno. */
static int append(struct audit_log *log, int count, unsigned *told)
{
	struct audit_error error;

	for (int i = 0; i < count; i++) {
		int r = audit_log_append(log, json_pack("{s:s, s:i}", "type", "test", "number", (int)*told + i), &error);

		if (r < 0)
			return r;
	}
	*told += (unsigned)count;
	return audit_log_commit(log, &error);
}

/* Does the work until something fails. Returns how many events were acknowledged. */
static unsigned do_work(void)
{
	struct audit_error error;
	struct audit_log *log = NULL;
	unsigned told = 0, acknowledged = 0;
	int r = audit_log_open(disk_log(), &disk_io, &log, &error);

	for (size_t i = 0; i < ARRAY_SIZE(work) && r == 0; i++) {
		if (work[i] > 0) {
			r = append(log, work[i], &told);
			acknowledged = r == 0 ? told : acknowledged;
		} else if (work[i] == 0) {
			r = audit_log_publish(log, &error);
		} else {
			audit_log_close(log);
			log = NULL;
			r = audit_log_open(disk_log(), &disk_io, &log, &error);
		}
	}
	audit_log_close(log);
	return acknowledged;
}

struct numbers {
	unsigned next;
};

/* Events of ours come in their order, without a gap. */
static int check_number(void *data, u64 index, const u8 *text, size_t size)
{
	struct numbers *numbers = data;
	json_t *event = json_loadb((const char *)text, size, 0, NULL);

	assert_int_equal(json_integer_value(json_object_get(event, "seq")), index);
	if (strcmp(json_string_value(json_object_get(event, "type")), "test") == 0)
		assert_int_equal(json_integer_value(json_object_get(event, "number")), numbers->next++);
	json_decref(event);
	return 0;
}

/* How many events of ours a log has, which verifies. */
static unsigned verified(void)
{
	struct audit_view view;
	struct audit_found found;
	struct audit_error error;
	struct numbers numbers = { 0 };

	if (audit_view_open(disk_log(), NULL, true, &view, &error) < 0 || audit_verify(&view, &found, &error) < 0)
		fail_msg("call %u: %s", disk_calls(), error.text);
	assert_int_equal(audit_tree_each(view.tree, 0, check_number, &numbers, &error), 0);
	free(found.open);
	audit_view_close(&view);
	return numbers.next;
}

/* After the interruption: nothing acknowledged is lost, and the next writer goes on. */
static void check(unsigned acknowledged)
{
	struct audit_error error;
	struct audit_log *log;
	unsigned there, told;

	disk_repair();
	if (audit_log_open(disk_log(), &disk_io, &log, &error) < 0)
		fail_msg("call %u: %s", disk_calls(), error.text);
	audit_log_close(log);
	there = told = verified();
	if (there < acknowledged)
		fail_msg("call %u: %u events are there, %u were acknowledged", disk_calls(), there, acknowledged);
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), 0);
	assert_int_equal(append(log, 260, &told), 0);
	assert_int_equal(audit_log_publish(log, &error), 0);
	assert_int_equal(append(log, 1, &told), 0);
	audit_log_close(log);
	assert_int_equal(verified(), told);
}

static unsigned calls_of_work(void)
{
	disk_begin(dir, DISK_FINE, 0);
	(void)do_work();
	return disk_calls();
}

static void each_call(enum disk_fault fault, bool power)
{
	unsigned calls = calls_of_work();

	assert_true(calls > 100);
	for (unsigned at = 1; at <= calls; at++) {
		unsigned acknowledged;

		disk_begin(dir, fault, at);
		acknowledged = do_work();
		assert_true(disk_fault_came());
		if (power)
			disk_power_failure(at * 2654435761u);
		check(acknowledged);
	}
}

static void test_killed(void **state)
{
	(void)state;
	each_call(DISK_KILLED, false);
}

static void test_power_failure(void **state)
{
	(void)state;
	each_call(DISK_KILLED, true);
}

static void test_disk_full(void **state)
{
	(void)state;
	each_call(DISK_FULL, false);
}

/* A writer that got an error may go on with the same log, if the error was the disk's. */
static void test_goes_on_when_there_is_space_again(void **state)
{
	struct audit_error error;
	struct audit_log *log;
	unsigned opened;

	(void)state;
	disk_begin(dir, DISK_FINE, 0);
	assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), 0);
	opened = disk_calls();
	audit_log_close(log);
	for (unsigned batch = 0; batch < 3; batch++) {
		unsigned told = 0, refused = 0;

		disk_begin(dir, DISK_FULL, opened + 1 + 2 * batch); /* a batch is a write and a sync */
		assert_int_equal(audit_log_open(disk_log(), &disk_io, &log, &error), 0);
		for (unsigned i = 0; i < 9; i++) {
			unsigned before = told;

			if (append(log, 2, &told) == 0)
				continue;
			assert_int_equal(i, batch);
			told = before;
			refused++;
		}
		audit_log_close(log);
		assert_int_equal(refused, 1);
		assert_int_equal(verified(), told);
	}
}

/* Every length to which the journal's last record can be torn. */
static void test_torn_journal(void **state)
{
	struct audit_error error;
	struct audit_log *log;
	char journal[128];
	unsigned told = 0;
	long before, after;
	FILE *file;

	(void)state;
	disk_begin(dir, DISK_FINE, 0);
	(void)snprintf(journal, sizeof(journal), "%s/journal", disk_log());
	assert_int_equal(audit_log_open(disk_log(), NULL, &log, &error), 0);
	assert_int_equal(append(log, 2, &told), 0);
	file = fopen(journal, "r");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	before = ftell(file);
	assert_int_equal(append(log, 1, &told), 0);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	after = ftell(file);
	(void)fclose(file);
	audit_log_close(log);
	assert_true(after > before);
	for (long size = after - 1; size >= before; size--) {
		struct audit_view view;

		assert_int_equal(truncate(journal, size), 0);
		assert_int_equal(verified(), 2);
		assert_int_equal(audit_view_open(disk_log(), NULL, true, &view, &error), 0);
		assert_int_equal(view.tree->torn, size - before);
		audit_view_close(&view);
	}
	/* the next writer says so */
	assert_int_equal(truncate(journal, before), 0);
	file = fopen(journal, "a");
	assert_non_null(file);
	assert_true(fputs("lichenJ1 half", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(audit_log_open(disk_log(), NULL, &log, &error), 0);
	audit_log_close(log);
	{
		struct audit_view view;
		struct audit_found found;

		assert_int_equal(audit_view_open(disk_log(), NULL, true, &view, &error), 0);
		assert_int_equal(audit_verify(&view, &found, &error), 0);
		assert_int_equal(found.recovered, 1);
		assert_int_equal(view.tree->torn, 0);
		free(found.open);
		audit_view_close(&view);
	}
}

static struct {
	struct stat st;
	bool fails;
	unsigned syncs;
} parent;

static int sync_parent(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	if (st.st_ino != parent.st.st_ino || st.st_dev != parent.st.st_dev)
		return 0;
	if (parent.fails) {
		errno = EIO;
		return -1;
	}
	parent.syncs++;
	return 0;
}

/* The name of a new log: who could not make it durable leaves that to the next. */
static void test_name_is_durable(void **state)
{
	struct audit_io io = audit_io_system;
	struct audit_error error;
	struct audit_log *log;
	char path[128];
	unsigned told = 0;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/named", dir);
	assert_int_equal(stat(dir, &parent.st), 0);
	io.sync = sync_parent;
	parent.fails = true;
	assert_int_equal(audit_log_open(path, &io, &log, &error), -EIO);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(audit_log_open(path, &io, &log, &error), -EIO);
	parent.fails = false;
	assert_int_equal(audit_log_open(path, &io, &log, &error), 0);
	assert_int_equal(parent.syncs, 1);
	assert_int_equal(append(log, 1, &told), 0);
	audit_log_close(log);
	assert_int_equal(audit_log_open(path, &io, &log, &error), 0);
	audit_log_close(log);
	assert_int_equal(parent.syncs, 1);
}

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/audit-crash.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed),       cmocka_unit_test(test_power_failure),
		cmocka_unit_test(test_disk_full),    cmocka_unit_test(test_goes_on_when_there_is_space_again),
		cmocka_unit_test(test_torn_journal), cmocka_unit_test(test_name_is_durable),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
