// SPDX-License-Identifier: Apache-2.0
/* The rule of docs/why.md: what mattered, what did not, what comes first, and the report about it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/why_report.h"
#include "cli/words.h"
#include "trace_build.h"
#include "unit.h"

static struct trace_build build;
static struct model model;
static struct verdict verdict;
static struct circumstances circumstances = { .command_line = "x" };

static void judge(int status)
{
	build_end(&build, status);
	build_load(&build, &model);
	assert_int_equal(verdict_make(&model, &circumstances, &verdict), 0);
}

static void done(void)
{
	verdict_done(&verdict);
	model_done(&model);
}

static void begin(const char *path)
{
	build_begin(&build, path);
	build_exec(&build, 10, 1, path, path);
}

static void opens(const char *path, int error)
{
	build_call(&build, 10, "openat", (const u64[6]){ (u64)-100, 1, O_RDONLY }, error, 1, path);
}

static void says(const char *text)
{
	build_text(&build, 10, 2, "/dev/pts/0", text);
}

static void searches_of_a_healthy_run_are_nothing(void **state)
{
	(void)state;
	begin("/bin/ls");
	build_call(&build, 10, "access", (const u64[6]){ 1, 4 }, ENOENT, 0, "/etc/ld.so.preload");
	opens("/lib/x86_64/libc.so.6", ENOENT);
	opens("/usr/lib/locale/locale-archive", ENOENT);
	build_call(&build, 10, "ioctl", (const u64[6]){ 1, 0x5401 }, ENOTTY, 0, NULL);
	build_call(&build, 10, "openat2", NO_ARGS, ENOSYS, 1, "/x");
	build_call(&build, 10, "clone3", NO_ARGS, ENOSYS, 0, NULL);
	build_call(&build, 10, "mkdir", (const u64[6]){ 1, 0755 }, EEXIST, 0, "/tmp");
	build_call(&build, 10, "shmget", NO_ARGS, ENOSYS, 0, NULL); /* known, but nobody minds */
	says("all is well\n");
	build_exit(&build, 10, 0);
	judge(0);
	assert_int_equal(verdict.count, 0);
	assert_int_equal(verdict.refused, 8);
	assert_true(verdict.healthy);
	done();
}

static void a_line_is_about_the_call_that_it_names(void **state)
{
	(void)state;
	begin("/bin/cat");
	opens("/etc/one", ENOENT);
	opens("/etc/two", ENOENT);
	opens("/etc/three", ENOENT);
	says("cat: /etc/two: No such file or directory\n");
	build_exit(&build, 10, 1);
	judge(1);
	assert_int_equal(verdict.count, 1);
	assert_string_equal(verdict.findings[0].refusal->path, "/etc/two");
	assert_int_equal(verdict.findings[0].weight, FINDING_ENDED);
	done();
}

static void errnos_are_known_however_they_are_written(void **state)
{
	(void)state;
	const char *const texts[] = {
		"PermissionError: [Errno 13] Permission denied: '/srv/x'\n",
		"Error: EACCES: permission denied, open '/srv/x'\n",
		"Error: Os { code: 13 } (os error 13) /srv/x\n",
		"open /srv/x: permission denied\n",
		"cannot use x: Permission denied\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		begin("/bin/x");
		opens("/srv/x", EACCES);
		opens("/srv/y", ENOENT);
		says(texts[i]);
		judge(1);
		assert_int_equal(verdict.count, 1);
		assert_int_equal(verdict.findings[0].refusal->error, EACCES);
		assert_int_equal(verdict.findings[0].cause, CAUSE_file_denied);
		done();
	}
}

static void an_errno_alone_is_about_the_latest_of_the_process(void **state)
{
	(void)state;
	begin("/bin/x");
	build_call(&build, 10, "unshare", (const u64[6]){ 0x20000 }, EPERM, 0, NULL);
	build_call(&build, 11, "mount", NO_ARGS, EPERM, 1, "/mnt");
	says("something: Operation not permitted\n");
	judge(1);
	assert_int_equal(verdict.count, 1);
	assert_string_equal(verdict.findings[0].call, "unshare(CLONE_NEWNS)");
	assert_int_equal(verdict.findings[0].gap, GAP_namespaces);
	done();
	begin("/bin/x");
	build_call(&build, 10, "unshare", (const u64[6]){ 0x20000 }, EPERM, 0, NULL);
	build_sleep(&build, 60); /* too long ago */
	says("something: Operation not permitted\n");
	judge(0);
	assert_int_equal(verdict.count, 0);
	done();
}

static void the_run_went_well_but_something_was_said(void **state)
{
	(void)state;
	begin("/bin/x");
	opens("/etc/x.conf", EACCES);
	says("warning: /etc/x.conf: Permission denied, using defaults\n");
	opens("/etc/y.conf", EACCES);
	judge(0);
	assert_int_equal(verdict.count, 1);
	assert_int_equal(verdict.findings[0].weight, FINDING_NOTED);
	assert_string_equal(verdict.findings[0].refusal->path, "/etc/x.conf");
	done();
}

static void known_messages_need_no_call(void **state)
{
	(void)state;
	begin("/usr/sbin/dockerd");
	opens("/proc/sys/net/bridge", ENOENT);
	says("failed to start daemon: Devices cgroup isn't mounted\n");
	build_exit(&build, 10, 1);
	judge(1);
	assert_int_equal(verdict.count, 1);
	assert_int_equal(verdict.findings[0].gap, GAP_cgroup);
	assert_null(verdict.findings[0].refusal);
	assert_non_null(verdict.findings[0].advice);
	done();
}

static void a_parent_that_quotes_its_child_is_the_same_finding(void **state)
{
	(void)state;
	begin("/usr/sbin/dockerd");
	build_fork(&build, 10, 11);
	build_exec(&build, 11, 10, "/usr/sbin/iptables", "iptables");
	build_call(&build, 11, "socket", (const u64[6]){ AF_NETLINK, SOCK_RAW, 12 }, EPROTONOSUPPORT, 0, NULL);
	build_text(&build, 11, 2, "pipe:[1]", "iptables: Failed to initialize nft: Protocol not supported\n");
	build_exit(&build, 11, 1);
	build_child(&build, 10, 11, 1 << 8);
	says("failed to start daemon: iptables failed: iptables: Failed to initialize nft: Protocol not supported (exit status 1)\n");
	build_exit(&build, 10, 1);
	judge(1);
	assert_int_equal(verdict.count, 1);
	assert_int_equal(verdict.findings[0].gap, GAP_netfilter);
	assert_int_equal(verdict.findings[0].line_count, 2);
	assert_int_equal(verdict.findings[0].severity, SEVERITY_FATAL);
	assert_int_equal(model.processes[verdict.findings[0].process].pid, 11);
	done();
}

static void what_ended_the_run_comes_first(void **state)
{
	(void)state;
	begin("/bin/server");
	opens("/etc/a", EACCES);
	says("error: /etc/a: Permission denied\n");
	opens("/etc/b", ENOENT);
	says("warning: /etc/b: No such file or directory\n");
	opens("/etc/c", EROFS);
	says("fatal: /etc/c: Read-only file system\n");
	opens("/etc/d", ENOENT);
	says("warning: /etc/d: No such file or directory\n");
	build_exit(&build, 10, 1);
	judge(1);
	const char *const want[] = { "/etc/c", "/etc/a", "/etc/b", "/etc/d" };
	assert_int_equal(verdict.count, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(verdict.findings[i].refusal->path, want[i]);
	assert_int_equal(verdict.findings[0].weight, FINDING_ENDED);
	assert_int_equal(verdict.findings[1].weight, FINDING_REPORTED);
	done();
}

static void repeats_are_counted(void **state)
{
	(void)state;
	begin("/bin/x");
	for (int i = 0; i < 5; i++)
		opens("/dev/kmsg", EACCES);
	says("x: /dev/kmsg: Permission denied\nx: /dev/kmsg: Permission denied\n");
	judge(1);
	assert_int_equal(verdict.count, 1);
	assert_int_equal(verdict.findings[0].times, 5);
	assert_int_equal(verdict.findings[0].line_count, 1);
	done();
}

static void a_silent_death_is_guessed_at_only_if_nobody_spoke(void **state)
{
	(void)state;
	begin("/bin/x");
	opens("/etc/x.conf", EACCES);
	opens("/usr/lib/locale/C", ENOENT);
	build_call(&build, 10, "ioctl", (const u64[6]){ 1, 0x5401 }, ENOTTY, 0, NULL);
	build_exit(&build, 10, 3);
	judge(3);
	assert_int_equal(verdict.count, 1);
	assert_string_equal(verdict.findings[0].refusal->path, "/etc/x.conf");
	done();
	begin("/bin/x");
	opens("/etc/x.conf", EACCES);
	build_sleep(&build, 10); /* it did other things */
	build_exit(&build, 10, 3);
	judge(3);
	assert_int_equal(verdict.count, 0);
	done();
}

static void a_signal_is_a_death(void **state)
{
	(void)state;
	begin("/bin/sh");
	build_fork(&build, 10, 11);
	build_exec(&build, 11, 10, "/usr/bin/python3", "python3");
	build_child(&build, 10, 11, SIGKILL);
	build_exit(&build, 10, 137);
	judge(137);
	assert_int_equal(verdict.count, 1);
	assert_int_equal(verdict.findings[0].signal, SIGKILL);
	assert_int_equal(verdict.findings[0].cause, CAUSE_killed_memory);
	assert_string_equal(verdict.findings[0].program, "/usr/bin/python3");
	done();
	/* A child killed in a run that goes well: somebody meant to. */
	begin("/bin/sh");
	build_fork(&build, 10, 11);
	build_child(&build, 10, 11, SIGKILL);
	build_exit(&build, 10, 0);
	judge(0);
	assert_int_equal(verdict.count, 0);
	done();
}

static void who_is_told_to_end_was_not_ended_by_a_refusal(void **state)
{
	(void)state;
	begin("/usr/sbin/daemon");
	opens("/etc/daemon.conf", ENOENT);
	says("daemon: cannot open /etc/daemon.conf: No such file or directory\n");
	judge(128 + SIGTERM);
	assert_int_equal(verdict.count, 1);
	assert_int_equal(verdict.findings[0].weight, FINDING_REPORTED);
	done();
}

static void names_are_taken_from_messages(void **state)
{
	(void)state;
	const struct {
		const char *text, *name, *command;
		enum cause_id cause;
	} table[] = {
		{ "sh: 1: psql: not found\n", "psql", "apt-get install postgresql-client-15", CAUSE_program_missing },
		{ "bash: line 1: frobnicate: command not found\n", "frobnicate", "apt-file search /frobnicate",
		  CAUSE_program_missing },
		{ "./x: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory\n",
		  "libpq.so.5", "apt-get install libpq5", CAUSE_library_missing },
		{ "curl: (6) Could not resolve host: example.com\n", "example.com", NULL, CAUSE_no_dns },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		begin("/bin/x");
		says(table[i].text);
		build_exit(&build, 10, 127);
		judge(127);
		assert_int_equal(verdict.count, 1);
		assert_int_equal(verdict.findings[0].cause, table[i].cause);
		assert_string_equal(verdict.findings[0].name, table[i].name);
		if (table[i].command)
			assert_string_equal(verdict.findings[0].command, table[i].command);
		else
			assert_null(verdict.findings[0].command);
		done();
	}
}

static void a_command_that_did_not_start_is_explained(void **state)
{
	(void)state;
	assert_int_equal(model_empty(&model), 0);
	assert_int_equal(verdict_not_started(&model, &circumstances, "psql", ENOENT, &verdict), 0);
	assert_int_equal(verdict.count, 1);
	assert_int_equal(verdict.findings[0].cause, CAUSE_program_missing);
	assert_string_equal(verdict.findings[0].command, "apt-get install postgresql-client-15");
	done();
}

/* The report of PostgreSQL without System V IPC, to the letter. */
static void the_text_is_for_80_columns(void **state)
{
	(void)state;
	static const char want[] = "lichen why: initdb ended with status 1; of 2 refused calls and 2 messages, 1\n"
				   "thing mattered.\n"
				   "\n"
				   "1. postgres (pid 11): this ended the run\n"
				   "   call    shmget(0x1a, 56, IPC_CREAT|IPC_EXCL|0600)\n"
				   "   answer  ENOSYS: Function not implemented (2 times)\n"
				   "   said    \"FATAL:  could not create shared memory segment: Function not\n"
				   "           implemented\"\n"
				   "   cause   gap 'sysvipc': this kernel is built without CONFIG_SYSVIPC; no\n"
				   "           setting of PostgreSQL avoids shmget.\n"
				   "   lichen  'sysvipc' is missing (ENOSYS) here, and lichen fills it.\n"
				   "   run     lichen run -- initdb -D data\n";
	static struct plan plan;
	static struct gap_finding findings[GAP_COUNT];
	findings[GAP_sysvipc] = (struct gap_finding){ .presence = GAP_MISSING, .error = ENOSYS };
	plan_make(&(struct plan_request){ 0 }, gaps_built(), GAPS_ALL, findings, &plan);
	const struct circumstances known = { .plan = &plan, .command_line = "initdb -D data" };
	begin("/usr/bin/initdb");
	build_fork(&build, 10, 11);
	build_exec(&build, 11, 10, "/usr/lib/postgresql/15/bin/postgres", "postgres");
	for (int i = 0; i < 2; i++)
		build_call(&build, 11, "shmget", (const u64[6]){ 0x1a, 56, 03600 }, ENOSYS, 0, NULL);
	build_text(&build, 11, 2, "", "FATAL:  could not create shared memory segment: Function not implemented\n");
	build_exit(&build, 11, 1);
	build_child(&build, 10, 11, 1 << 8);
	build_text(&build, 10, 2, "", "child process exited with exit code 1\n");
	build_exit(&build, 10, 1);
	build_end(&build, 1);
	build_load(&build, &model);
	assert_int_equal(verdict_make(&model, &known, &verdict), 0);
	const struct why_report report = { .model = &model, .verdict = &verdict, .circumstances = &known };
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	why_print_text(&report, stream);
	fclose(stream);
	assert_string_equal(text, want);
	free(text);
	done();
}

static void every_row_of_knowledge_says_where_it_is_from(void **state)
{
	(void)state;
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct gap *gap = gap_by_id((enum gap_id)id);
		for (size_t i = 0; i < gap->symptom_count; i++) {
			const struct gap_symptom *symptom = &gap->symptoms[i];
			assert_non_null(symptom->source);
			assert_true(symptom->call || symptom->message);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(searches_of_a_healthy_run_are_nothing),
		cmocka_unit_test(a_line_is_about_the_call_that_it_names),
		cmocka_unit_test(errnos_are_known_however_they_are_written),
		cmocka_unit_test(an_errno_alone_is_about_the_latest_of_the_process),
		cmocka_unit_test(the_run_went_well_but_something_was_said),
		cmocka_unit_test(known_messages_need_no_call),
		cmocka_unit_test(a_parent_that_quotes_its_child_is_the_same_finding),
		cmocka_unit_test(what_ended_the_run_comes_first),
		cmocka_unit_test(repeats_are_counted),
		cmocka_unit_test(a_silent_death_is_guessed_at_only_if_nobody_spoke),
		cmocka_unit_test(a_signal_is_a_death),
		cmocka_unit_test(who_is_told_to_end_was_not_ended_by_a_refusal),
		cmocka_unit_test(names_are_taken_from_messages),
		cmocka_unit_test(a_command_that_did_not_start_is_explained),
		cmocka_unit_test(the_text_is_for_80_columns),
		cmocka_unit_test(every_row_of_knowledge_says_where_it_is_from),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
