// SPDX-License-Identifier: Apache-2.0
/* How a record becomes processes, lines and decoded calls. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "trace_build.h"
#include "unit.h"
#include "why/call.h"
#include "why/lines.h"

static struct trace_build build;

static void assert_call(const char *name, const u64 args[6], u8 arg, u8 flags, const void *bytes, size_t size, const char *want)
{
	struct model model;
	char *text = NULL;
	size_t length = 0;
	build_begin(&build, "x");
	build_bytes(&build, 10, name, args, EPERM, arg, flags, bytes, size);
	build_load(&build, &model);
	FILE *stream = open_memstream(&text, &length);
	call_print(model.refusals[0].record, stream);
	fclose(stream);
	assert_string_equal(text, want);
	free(text);
	model_done(&model);
}

static void calls_are_printed_by_name(void **state)
{
	(void)state;
	const struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0x7f000001) };
	const struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/x.sock" };
#define ARGS(...) ((const u64[6]){ __VA_ARGS__ })
	assert_call("openat", ARGS((u64)-100, 1, O_RDONLY | O_CLOEXEC, 0600), 1, 0, "/dev/kmsg", 9,
		    "openat(AT_FDCWD, \"/dev/kmsg\", O_RDONLY|O_CLOEXEC)");
	assert_call("openat", ARGS((u64)-100, 1, O_WRONLY | O_CREAT, 0644), 1, 0, "a\n\"b", 4,
		    "openat(AT_FDCWD, \"a\\n\\\"b\", O_WRONLY|O_CREAT, 00644)");
	assert_call("unshare", ARGS(CLONE_NEWNS | CLONE_NEWPID), 0, 0, NULL, 0, "unshare(CLONE_NEWNS|CLONE_NEWPID)");
	assert_call("clone", ARGS(CLONE_NEWUSER | SIGCHLD), 0, 0, NULL, 0, "clone(CLONE_NEWUSER|SIGCHLD, NULL, NULL, NULL, NULL)");
	assert_call("socket", ARGS(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 12), 0, 0, NULL, 0,
		    "socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_NETFILTER)");
	assert_call("socket", ARGS(AF_INET, SOCK_STREAM, IPPROTO_TCP), 0, 0, NULL, 0, "socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)");
	assert_call("bind", ARGS(3, 1, sizeof(in)), 1, TRACE_STRING_SOCKADDR, &in, sizeof(in), "bind(3, 127.0.0.1:80, 16)");
	assert_call("connect", ARGS(3, 1, 14), 1, TRACE_STRING_SOCKADDR, &un, 14, "connect(3, \"/run/x.sock\", 14)");
	assert_call("mount", ARGS(0, 1, 0, MS_REC | MS_SHARED, 0), 1, 0, "/", 1,
		    "mount(NULL, \"/\", NULL, MS_REC|MS_SHARED, NULL)");
	assert_call("prctl", ARGS(36, 1), 0, 0, NULL, 0, "prctl(PR_SET_CHILD_SUBREAPER, 1)");
	assert_call("kill", ARGS(5, SIGTERM), 0, 0, NULL, 0, "kill(5, SIGTERM)");
	assert_call("setsockopt", ARGS(3, 270, 11, 1, 4), 0, 0, NULL, 0, "setsockopt(3, SOL_NETLINK, NETLINK_EXT_ACK, …, 4)");
	assert_call("getsockopt", ARGS(3, 0, 64, 1, 1), 0, 0, NULL, 0, "getsockopt(3, IPPROTO_IP, IPT_SO_GET_INFO, …, …)");
	assert_call("shmget", ARGS(0, 56, 03600), 0, 0, NULL, 0, "shmget(IPC_PRIVATE, 56, IPC_CREAT|IPC_EXCL|0600)");
	assert_call("execve", ARGS(1, 1, 1), 0, 0, "/bin/\xff", 6, "execve(\"/bin/\\377\", …, …)");
	assert_call("write", ARGS(2, 1, 5), 0, 0, "/dev/tty", 8, "write(2</dev/tty>, …, 5)");
	assert_call("faccessat2", ARGS((u64)-100, 1, 2, 0x200), 1, 0, "/", 1, "faccessat2(AT_FDCWD, \"/\", W_OK, AT_EACCESS)");
#undef ARGS
}

static void every_call_has_one_form(void **state)
{
	(void)state;
	for (int nr = 0; nr <= 334; nr++) {
		const struct call_form *form = call_form(nr);
		assert_non_null(form);
		assert_int_equal(call_number(form->name), nr);
	}
	assert_null(call_form(5000));
	assert_int_equal(call_number("no_such_call"), -1);
}

static void pieces_become_lines(void **state)
{
	(void)state;
	struct model model;
	build_begin(&build, "ls");
	build_text(&build, 10, 2, "pipe:[1]", "ls: ");
	build_text(&build, 11, 2, "pipe:[1]", "other error\n");
	build_text(&build, 10, 2, "pipe:[1]", "cannot open 'x'");
	build_text(&build, 10, 2, "pipe:[1]", "\n\033[1mbold\033[0m\nunfinished error");
	build_text(&build, 10, 1, "/dev/null", "error nobody reads\n");
	build_text(&build, 10, 1, "/dev/pts/0", "ordinary output\n");
	build_text(&build, 10, 5, "/srv/data.csv", "error,1\n");
	build_text(&build, 10, 5, "/var/log/x.log", "an error in a log\n");
	build_end(&build, 0);
	build_load(&build, &model);
	const char *const want[] = { "other error", "ls: cannot open 'x'", "bold", "an error in a log", "unfinished error" };
	assert_int_equal(model.line_count, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(model.lines[i].text, want[i]);
	model_done(&model);
}

static void processes_have_parents_and_ends(void **state)
{
	(void)state;
	struct model model;
	build_begin(&build, "sh");
	build_exec(&build, 10, 1, "/bin/sh", "sh");
	build_fork(&build, 10, 11);
	build_exec(&build, 11, 10, "/bin/false", "false");
	build_exit(&build, 11, 1);
	build_child(&build, 10, 11, 1 << 8);
	build_fork(&build, 10, 11); /* the pid again */
	build_child(&build, 10, 11, SIGKILL);
	build_end(&build, 137);
	build_load(&build, &model);
	assert_int_equal(model.process_count, 3);
	assert_int_equal(model.first, 0);
	assert_int_equal(model.processes[1].parent, 0);
	assert_string_equal(model.processes[1].program, "/bin/false");
	assert_int_equal(model_exit_status(model.processes[1].status), 1);
	assert_string_equal(model.processes[2].program, "/bin/sh");
	assert_int_equal(model_exit_status(model.processes[2].status), 137);
	assert_true(model.ended);
	assert_int_equal(model_exit_status(model.processes[0].status), 137);
	model_done(&model);
}

static void a_late_answer_is_that_of_connect(void **state)
{
	(void)state;
	const struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(80) };
	struct model model;
	build_begin(&build, "x");
	build_bytes(&build, 10, "connect", (const u64[6]){ 3, 1, 16 }, EINPROGRESS, 1, TRACE_STRING_SOCKADDR, &in, sizeof(in));
	build_call(&build, 10, "getsockopt", (const u64[6]){ 3, SOL_SOCKET, SO_ERROR, 1, 1 }, ECONNREFUSED, 0, NULL);
	build_load(&build, &model);
	assert_int_equal(model.refusals[1].record->nr, call_number("connect"));
	assert_int_equal(model.refusals[1].error, ECONNREFUSED);
	model_done(&model);
}

static void a_record_that_breaks_off_gives_what_is_there(void **state)
{
	(void)state;
	struct model model;
	struct trace_reader reader;
	build_begin(&build, "x");
	build_text(&build, 10, 2, "", "an error\n");
	build_exit(&build, 10, 1);
	assert_int_equal(trace_reader_init(&reader, build.bytes, build.size - 8), 0);
	assert_int_equal(model_load(&model, &reader), 0);
	assert_false(model.ended);
	assert_int_equal(model.line_count, 1);
	model_done(&model);
	build.bytes[sizeof(struct trace_file_header)] = 99; /* no such kind */
	assert_int_equal(trace_reader_init(&reader, build.bytes, build.size), 0);
	assert_int_equal(model_load(&model, &reader), -EBADMSG);
}

static void lines_sound_as_they_sound(void **state)
{
	(void)state;
	const struct {
		const char *text;
		enum model_severity severity;
	} table[] = {
		{ "FATAL:  could not create shared memory segment", SEVERITY_FATAL },
		{ "failed to start daemon: Devices cgroup isn't mounted", SEVERITY_FATAL },
		{ "F1122 10:00:00.1 1 server.go:1] bad", SEVERITY_FATAL },
		{ "E1122 10:00:00.1 1 server.go:1] bad", SEVERITY_ERROR },
		{ "I1122 10:00:00.1 1 server.go:1] error in a note", SEVERITY_INFO },
		{ "time=\"x\" level=info msg=\"skip: failed\"", SEVERITY_INFO },
		{ "time=\"x\" level=warning msg=\"Unable to find\"", SEVERITY_WARNING },
		{ "ls: cannot access 'x': No such file or directory", SEVERITY_ERROR },
		{ "mirrors are terrorised by errands", SEVERITY_INFO }, /* words, not parts of words */
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		bool alarm;
		assert_int_equal(line_severity(table[i].text, &alarm), table[i].severity);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_printed_by_name),
		cmocka_unit_test(every_call_has_one_form),
		cmocka_unit_test(pieces_become_lines),
		cmocka_unit_test(processes_have_parents_and_ends),
		cmocka_unit_test(a_late_answer_is_that_of_connect),
		cmocka_unit_test(a_record_that_breaks_off_gives_what_is_there),
		cmocka_unit_test(lines_sound_as_they_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
