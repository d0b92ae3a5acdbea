// SPDX-License-Identifier: Apache-2.0
/* Policies that are learnt from records of calls that worked. */
#include "unit.h"

#include <elf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/learn.h"
#include "cage/policy.h"

static struct cage_learner *learner;

static void put(struct trace_record *record, u8 arg, u8 flags, const void *bytes, size_t size)
{
	const struct trace_string head = { arg, flags, (u16)size };
	memcpy(record->payload + record->size, &head, sizeof(head));
	memcpy(record->payload + record->size + sizeof(head), bytes, size);
	record->size = (u16)(record->size + sizeof(head) + ALIGN_UP(size, 2));
	assert_true(record->size <= TRACE_PAYLOAD);
}

static void used(long nr, u64 flags, const char *path)
{
	struct trace_record record = { .kind = TRACE_USED, .pid = 77, .nr = (s32)nr, .args = { 0, flags } };
	put(&record, 0, 0, path, strlen(path));
	cage_learner_take(learner, &record);
}

static void connected(const void *address, size_t size)
{
	struct trace_record record = { .kind = TRACE_USED, .pid = 77, .nr = SYS_connect };
	put(&record, 1, TRACE_STRING_SOCKADDR, address, size);
	cage_learner_take(learner, &record);
}

static void ran(const char *path)
{
	struct trace_record record = { .kind = TRACE_EXEC, .pid = 77, .nr = SYS_execve };
	put(&record, 0, 0, path, strlen(path));
	cage_learner_take(learner, &record);
}

static void begin(void)
{
	assert_int_equal(cage_learner_new("/nonexistent/work", "/nonexistent/home/me", "/nonexistent/tmp", true, &learner), 0);
}

/* The policy without its first comment; it must be one that lichen takes. */
static void expect(const char *expected)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_POLICY struct cage_policy *parsed = NULL;
	struct cage_policy_error error;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	assert_non_null(to);
	assert_int_equal(cage_learner_write(learner, 0, to), 0);
	assert_int_equal(fclose(to), 0);
	cage_learner_free(learner);
	assert_int_equal(cage_policy_parse(text, size, "/", "/root", &parsed, &error), 0);
	assert_string_equal(strchr(text, '\n') + 1, expected);
}

static void what_everybody_may_needs_no_rule(void **state)
{
	(void)state;
	begin();
	used(SYS_open, O_RDONLY, "/etc/ld.so.cache");
	used(SYS_open, O_RDWR, "/dev/null");
	used(SYS_open, O_RDONLY, "/proc/77/status");
	used(SYS_open, O_PATH, "/srv/looked/at");
	expect("version: 1\n");
}

static void entries_of_system_directories_become_the_directory(void **state)
{
	(void)state;
	begin();
	used(SYS_open, O_RDONLY, "/usr/lichen-test/lib/a");
	used(SYS_open, O_RDONLY, "/usr/lichen-test/lib/b");
	used(SYS_open, O_RDONLY, "/usr/lichen-test/lib/c/d");
	used(SYS_open, O_RDONLY, "/usr/lichen-test/share/a");
	used(SYS_open, O_RDONLY, "/usr/lichen-test/share/b");
	expect("version: 1\nfiles:\n  read:\n    - /usr/lichen-test/lib/a\n    - /usr/lichen-test/lib/b\n    - /usr/lichen-test/lib/c/d\n"
	       "    - /usr/lichen-test/share/a\n    - /usr/lichen-test/share/b\n");
	begin();
	used(SYS_open, O_RDONLY, "/usr/lichen-test/lib/a");
	used(SYS_open, O_RDONLY, "/usr/lichen-test/lib/b");
	used(SYS_open, O_RDONLY, "/usr/lichen-test/lib/c");
	used(SYS_open, O_RDONLY, "/usr/lichen-test/lib/c/d");
	used(SYS_open, O_RDONLY, "/srv/lichen-test/a");
	used(SYS_open, O_RDONLY, "/srv/lichen-test/b");
	used(SYS_open, O_RDONLY, "/srv/lichen-test/c d");
	expect("version: 1\nfiles:\n  read:\n    - /srv/lichen-test/a\n    - /srv/lichen-test/b\n    - \"/srv/lichen-test/c d\"\n"
	       "    - /usr/lichen-test/lib\n");
}

static void neither_the_root_nor_the_home_directory_is_given_away(void **state)
{
	(void)state;
	begin();
	used(SYS_open, O_RDONLY, "/");
	used(SYS_open, O_RDONLY, "/nonexistent/home");
	used(SYS_open, O_RDONLY, "/nonexistent/home/me");
	used(SYS_open, O_RDONLY, "/nonexistent/home/me/.a");
	used(SYS_open, O_RDONLY, "/nonexistent/home/me/.b");
	used(SYS_open, O_RDONLY, "/nonexistent/home/me/.c");
	used(SYS_mkdir, 0700, "/lichen-test-directory");
	expect("version: 1\nfiles:\n  read:\n    - /nonexistent/home/me/.a\n    - /nonexistent/home/me/.b\n    - /nonexistent/home/me/.c\n"
	       "# Used, but a rule for it would give away / or the whole home directory:\n"
	       "#   /\n#   /lichen-test-directory\n#   /nonexistent/home\n#   /nonexistent/home/me\n");
}

static void what_was_made_opens_the_directory_that_was_there(void **state)
{
	(void)state;
	begin();
	used(SYS_mkdir, 0700, "/tmp/lichen-test-made");
	used(SYS_creat, 0600, "/tmp/lichen-test-made/a");
	used(SYS_open, O_RDONLY, "/tmp/lichen-test-made/a");
	used(SYS_rename, 0, "/tmp/lichen-test-made/a");
	expect("version: 1\nfiles:\n  write:\n    - /tmp\n");
}

/* As Chromium does: it starts itself again, and opens what its child is to the killer with O_CREAT; the child is gone when that is looked at. */
static void processes_make_no_rules_for_others_or_by_numbers(void **state)
{
	(void)state;
	begin();
	ran("/proc/self/exe");
	used(SYS_open, O_WRONLY | O_CREAT | O_TRUNC, "/proc/4000001/oom_score_adj");
	used(SYS_open, O_WRONLY | O_CREAT | O_TRUNC, "/proc/77/clear_refs");
	expect("version: 1\nfiles:\n  read:\n    - /proc\n  write:\n    - /proc/self/clear_refs\n");
}

/* Where a cage has a /dev/shm of its own what is in the machine's is not needed, but what the run did not make. */
static void memory_with_names_is_the_runs_own(void **state)
{
	(void)state;
	begin();
	used(SYS_creat, 0600, "/dev/shm/lichen-test-made");
	used(SYS_open, O_RDWR, "/dev/shm/lichen-test-made");
	expect("version: 1\nfiles:\n  tmp: true\n");
	begin();
	used(SYS_creat, 0600, "/dev/shm/lichen-test-made");
	used(SYS_open, O_RDWR, "/dev/shm/lichen-test-others");
	expect("version: 1\nfiles:\n"
	       "  # /dev/shm is shared with others: 'tmp: true' instead is one of the run's own where mounts can be made\n"
	       "  write:\n    - /dev/shm\n");
	assert_int_equal(cage_learner_new("/nonexistent/work", NULL, NULL, false, &learner), 0);
	used(SYS_creat, 0600, "/dev/shm/lichen-test-made");
	expect("version: 1\nfiles:\n"
	       "  # /dev/shm is shared with others: 'tmp: true' instead is one of the run's own where mounts can be made\n"
	       "  write:\n    - /dev/shm\n");
}

/* A rule for the program itself would be none for the one that the next run makes. */
static void a_program_that_was_made_opens_its_directory(void **state)
{
	char own[] = "/tmp/lichen-test-XXXXXX", program[64], link[64], expected[512];
	(void)state;
	assert_non_null(mkdtemp(own));
	begin();
	(void)snprintf(program, sizeof(program), "%s/made", own);
	(void)snprintf(link, sizeof(link), "%s/link", own);
	used(SYS_creat, 0700, program);
	ran(program);
	assert_int_equal(symlink("/nonexistent/shell", link), 0);
	used(SYS_mkdir, 0700, link);
	ran(link);
	(void)snprintf(
		expected, sizeof(expected),
		"version: 1\nfiles:\n  execute:\n    - /nonexistent/shell\n    - %s\n  # What it writes there it may execute: %s\n"
		"  write:\n    - %s\n",
		own, own, own);
	expect(expected);
	begin();
	used(SYS_mkdir, 0700, link); /* made, whatever it is */
	ran(link);
	(void)snprintf(expected, sizeof(expected), "version: 1\nfiles:\n  execute:\n    - /nonexistent/shell\n  write:\n    - %s\n",
		       own);
	expect(expected);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(own), 0);
}

static void object_files_are_not_executed(void **state)
{
	char path[] = "/tmp/lichen-test-XXXXXX", expected[256];
	Elf64_Ehdr head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3 }, .e_type = ET_REL };
	CLEANUP_FD int fd = mkstemp(path);
	(void)state;
	for (int i = 0; i < 2; i++, head.e_type = ET_DYN) {
		assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
		begin();
		used(SYS_open, O_RDONLY, path);
		(void)snprintf(expected, sizeof(expected), "version: 1\nfiles:\n  %s:\n    - %s\n", i ? "execute" : "read", path);
		expect(expected);
	}
	assert_int_equal(unlink(path), 0);
}

static void a_terminal_of_its_own_has_two_ends(void **state)
{
	(void)state;
	begin();
	used(SYS_open, O_RDWR, "/dev/ptmx");
	used(SYS_open, O_RDWR, "/dev/pts/1234567");
	expect("version: 1\nfiles:\n  write:\n    - /dev/ptmx\n    - /dev/pts\n");
}

static void programs_come_with_their_interpreters(void **state)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	(void)state;
	begin();
	ran("/proc/self/exe"); /* names none: below /proc */
	ran("/bin/sh");
	assert_non_null(to);
	assert_int_equal(cage_learner_write(learner, 0, to), 0);
	assert_int_equal(fclose(to), 0);
	cage_learner_free(learner);
	assert_non_null(strstr(text, "  execute:\n    - /bin/sh\n"));
	assert_non_null(strstr(text, "/ld-linux"));
}

static void networks_sockets_and_calls_are_learnt(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443), .sin_addr.s_addr = htonl(0x01020304) };
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "/run/lichen test.sock" },
			   abstract = { .sun_family = AF_UNIX };
	struct trace_record record = { .kind = TRACE_USED, .pid = 77, .nr = SYS_socket, .args = { AF_INET } };
	(void)state;
	memcpy(abstract.sun_path, "\0bus", 4);
	begin();
	cage_learner_take(learner, &record);
	connected(&in, sizeof(in));
	connected(&name, offsetof(struct sockaddr_un, sun_path) + 22);
	connected(&abstract, offsetof(struct sockaddr_un, sun_path) + 4);
	record = (struct trace_record){ .kind = TRACE_USED, .pid = 77, .nr = SYS_mount };
	cage_learner_take(learner, &record);
	expect("version: 1\n"
	       "# Addresses that were connected to or bound; 'mode: proxy' with 'allow: [\"HOST:PORT\"]' is narrower than 'host':\n"
	       "#   1.2.3.4:443\n"
	       "network:\n  mode: host\n  unix:\n    - \"/run/lichen test.sock\"\n  abstract: true\n"
	       "processes:\n  allow: [mount]\n");
}

static void what_cannot_be_written_is_counted(void **state)
{
	(void)state;
	begin();
	used(SYS_open, O_RDONLY, "/srv/line\nbreak");
	used(SYS_open, O_RDONLY, "/srv/quo\"te");
	expect("version: 1\nfiles:\n  read:\n    - \"/srv/quo\\\"te\"\n"
	       "# Left out, because there was too much or because it cannot be written here: 1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_everybody_may_needs_no_rule),
		cmocka_unit_test(entries_of_system_directories_become_the_directory),
		cmocka_unit_test(neither_the_root_nor_the_home_directory_is_given_away),
		cmocka_unit_test(what_was_made_opens_the_directory_that_was_there),
		cmocka_unit_test(memory_with_names_is_the_runs_own),
		cmocka_unit_test(processes_make_no_rules_for_others_or_by_numbers),
		cmocka_unit_test(a_program_that_was_made_opens_its_directory),
		cmocka_unit_test(object_files_are_not_executed),
		cmocka_unit_test(a_terminal_of_its_own_has_two_ends),
		cmocka_unit_test(programs_come_with_their_interpreters),
		cmocka_unit_test(networks_sockets_and_calls_are_learnt),
		cmocka_unit_test(what_cannot_be_written_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
