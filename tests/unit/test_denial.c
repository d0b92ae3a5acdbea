// SPDX-License-Identifier: Apache-2.0
/* Records of refused calls, judged against policies. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/denial.h"

static void put(struct trace_record *record, u8 arg, u8 flags, const void *bytes, size_t size)
{
	const struct trace_string head = { arg, flags, (u16)size };
	memcpy(record->payload + record->size, &head, sizeof(head));
	memcpy(record->payload + record->size + sizeof(head), bytes, size);
	record->size = (u16)(record->size + sizeof(head) + ALIGN_UP(size, 2));
	assert_true(record->size <= TRACE_PAYLOAD);
}

static void put_text(struct trace_record *record, u8 arg, const char *text)
{
	put(record, arg, 0, text, strlen(text));
}

static struct trace_record refused(long nr, int error)
{
	return (struct trace_record){ .kind = TRACE_CALL, .pid = 77, .nr = (s32)nr, .result = -error, .comm = "guest" };
}

static struct cage_policy *policy(const char *text)
{
	struct cage_policy_error error;
	struct cage_policy *parsed = NULL;
	assert_int_equal(cage_policy_parse(text, strlen(text), "/work", "/home/me", &parsed, &error), 0);
	return parsed;
}

/* One of which is known what there is. */
static struct cage_policy *resolved(const char *text)
{
	struct cage_policy *parsed = policy(text);
	struct cage_policy_error error;
	assert_int_equal(cage_policy_resolve(parsed, NULL, &error), 0);
	return parsed;
}

/* What is told of a record: "" = nothing, else "WHAT OBJECT" and "|RULE" if there is one. */
static const char *judged(const struct cage_policy *policy, const u64 *numbers, const struct trace_record *record, u32 n)
{
	static char text[2 * PATH_MAX + 64];
	struct cage_attempt attempt;
	struct cage_denial denial;
	text[0] = 0;
	if (cage_attempt_get(record, n, &attempt) && cage_denial_judge(policy, numbers, &attempt, &denial))
		(void)snprintf(text, sizeof(text), "%s %s%s%s", cage_denied_name(denial.what), denial.object,
			       denial.rule[0] ? "|" : "", denial.rule);
	return text;
}

/* Why, if not by a rule and not because there is none. */
static const char *why(const char *text, const struct trace_record *record)
{
	CLEANUP_POLICY struct cage_policy *parsed = policy(text);
	struct cage_attempt attempt;
	struct cage_denial denial = { 0 };
	assert_true(cage_attempt_get(record, 0, &attempt));
	assert_true(cage_denial_judge(parsed, NULL, &attempt, &denial));
	return denial.why ? denial.why : "";
}

static void memory_that_is_shared_is_told_with_what_helps(void **state)
{
	static const char plain[] = "version: 1\n", tmp[] = "version: 1\nfiles: {tmp: true}\n",
			  deny[] = "version: 1\nfiles: {write: [/dev], deny: [/dev/shm]}\nprocesses: {deny: [shmget]}\n";
	struct trace_record memory = refused(SYS_open, EACCES), other = refused(SYS_open, EACCES),
			    call = refused(SYS_shmget, EPERM), trace = refused(SYS_ptrace, EPERM);
	(void)state;
	memory.args[1] = other.args[1] = O_RDWR | O_CREAT;
	put_text(&memory, 0, "/dev/shm/x");
	put_text(&other, 0, "/dev/shmx");
	assert_non_null(strstr(why(plain, &memory), "'files.tmp: true' is a /dev/shm of the run's own"));
	assert_non_null(strstr(why(tmp, &memory), "no /dev/shm of the run's own can be made here (files.tmp)"));
	assert_string_equal(why(deny, &memory), "");
	assert_string_equal(why(plain, &other), "");
	assert_non_null(strstr(why(plain, &call), "'run --emulate=sysvipc'"));
	assert_string_equal(why(deny, &call), "");
	assert_string_equal(why(plain, &trace), "");
}

static const char files_policy[] = "version: 1\n"
				   "files:\n"
				   "  read: [/usr]\n"
				   "  execute: [/usr/bin]\n"
				   "  write: [./out]\n"
				   "  deny: [./out/.git, ./out/a/b, /usr/share/secret]\n";

static void files_are_judged_by_what_the_call_wanted(void **state)
{
	static const struct {
		long nr;
		int error;
		u64 args[6];
		u8 arg;
		const char *path, *cwd, *told;
	} rows[] = {
		{ SYS_open, EACCES, { 0, O_RDONLY }, 0, "/etc/shadow", NULL, "fs.read /etc/shadow" },
		{ SYS_open, EACCES, { 0, O_RDONLY }, 0, "/usr/share/x", NULL, "" },
		{ SYS_open, EACCES, { 0, O_WRONLY }, 0, "/usr/share/x", NULL, "fs.write /usr/share/x" },
		{ SYS_openat, EACCES, { 0, 0, O_RDWR }, 1, "x", "/usr/lib", "fs.write /usr/lib/x" },
		{ SYS_openat, EACCES, { 0, 0, O_RDONLY | O_CREAT }, 1, "/srv/x", NULL, "fs.write /srv/x" },
		{ SYS_openat, EACCES, { 0, 0, O_RDONLY | O_TRUNC }, 1, "/srv/x", NULL, "fs.write /srv/x" },
		{ SYS_openat2, EACCES, { 0, 0, O_WRONLY }, 1, "/srv/x", NULL, "fs.write /srv/x" },
		{ SYS_openat, EACCES, { 0, 0, O_WRONLY }, 1, "./out/../out//x", "/work", "" },
		{ SYS_openat, EACCES, { 0, 0, O_WRONLY }, 1, "../work2/x", "/work", "fs.write /work2/x" },
		{ SYS_openat,
		  EACCES,
		  { 0, 0, O_WRONLY },
		  1,
		  "out/.git/config",
		  "/work",
		  "fs.write /work/out/.git/config|files.deny ./out/.git" },
		{ SYS_openat, EROFS, { 0, 0, O_WRONLY }, 1, "/srv/x", NULL, "fs.write /srv/x" },
		{ SYS_openat, ENOSPC, { 0, 0, O_WRONLY }, 1, "/srv/x", NULL, "" },
		{ SYS_openat,
		  EACCES,
		  { 0, 0, O_RDONLY },
		  1,
		  "/usr/share/secret/k",
		  NULL,
		  "fs.read /usr/share/secret/k|files.deny /usr/share/secret" },
		{ SYS_openat, EACCES, { 0, 0, O_RDONLY }, 1, "/dev/null", NULL, "" }, /* a default */
		{ SYS_openat, EACCES, { 0, 0, O_RDONLY }, 1, "/proc/77/maps", NULL, "" },
		{ SYS_openat, EACCES, { 0, 0, O_RDONLY }, 1, "/proc/78/maps", NULL, "fs.read /proc/78/maps" },
		{ SYS_openat, EACCES, { 0, 0, O_RDONLY }, 1, "x", NULL, "" }, /* nobody knows where */
		{ SYS_execve, EACCES, { 0 }, 0, "/srv/tool", NULL, "fs.execute /srv/tool" },
		{ SYS_execve, EACCES, { 0 }, 0, "/usr/lib/x", NULL, "fs.execute /usr/lib/x" },
		{ SYS_execve, EACCES, { 0 }, 0, "/usr/bin/x", NULL, "" },
		{ SYS_mkdir, EACCES, { 0 }, 0, "/srv/d", NULL, "fs.write /srv/d" },
		{ SYS_mkdir, EACCES, { 0 }, 0, "/work/out/d", NULL, "" },
		{ SYS_rmdir, EACCES, { 0 }, 0, "/work/out", NULL, "fs.write /work/out" }, /* a name in /work */
		{ SYS_unlink, EBUSY, { 0 }, 0, "/work/out/.git", NULL, "fs.write /work/out/.git|files.deny ./out/.git" },
		{ SYS_rename, EBUSY, { 0 }, 0, "/work/out/a", NULL, "fs.write /work/out/a|files.deny ./out/a/b" },
		{ SYS_rename, EBUSY, { 0 }, 0, "/work/out/new", NULL, "" },
		{ SYS_unlink, EPERM, { 0 }, 0, "/", NULL, "fs.write /" },
		{ SYS_symlink, EACCES, { 0 }, 1, "/srv/l", NULL, "fs.write /srv/l" },
		{ SYS_truncate, EACCES, { 0 }, 0, "/usr/x", NULL, "fs.write /usr/x" },
		{ SYS_chmod, EROFS, { 0 }, 0, "/usr/x", NULL, "fs.write /usr/x" },
		{ SYS_stat, EACCES, { 0 }, 0, "/srv/x", NULL, "fs.read /srv/x" },
		{ SYS_stat, ENOENT, { 0 }, 0, "/srv/x", NULL, "fs.read /srv/x" },
		{ SYS_stat, ENOENT, { 0 }, 0, "/usr/x", NULL, "" },
		{ SYS_read, EACCES, { 0 }, 0, "/srv/x", NULL, "syscall read" },
	};
	CLEANUP_POLICY struct cage_policy *files = resolved(files_policy);
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct trace_record record = refused(rows[i].nr, rows[i].error);
		memcpy(record.args, rows[i].args, sizeof(record.args));
		put_text(&record, rows[i].arg, rows[i].path);
		if (rows[i].cwd)
			put(&record, 0xff, TRACE_STRING_CWD, rows[i].cwd, strlen(rows[i].cwd));
		assert_string_equal(judged(files, NULL, &record, 0), rows[i].told);
	}
}

static void both_names_of_a_rename_are_judged(void **state)
{
	CLEANUP_POLICY struct cage_policy *files = policy(files_policy);
	struct trace_record record = refused(SYS_renameat2, EXDEV);
	(void)state;
	put_text(&record, 1, "a");
	put_text(&record, 3, "b");
	put_text(&record, 0, "/work/out/d");
	put_text(&record, 2, "/srv");
	assert_string_equal(judged(files, NULL, &record, 0), "");
	assert_string_equal(judged(files, NULL, &record, 1), "fs.write /srv/b");
	assert_string_equal(judged(files, NULL, &record, 2), "");
}

static void a_call_that_is_refused_by_number_is_told_where_its_path_is_allowed(void **state)
{
	u64 numbers[TRACE_NUMBERS_SIZE] = { 0 };
	CLEANUP_POLICY struct cage_policy *files = policy(files_policy);
	struct trace_record record = refused(SYS_chmod, EPERM), other = refused(SYS_prctl, EPERM);
	(void)state;
	put_text(&record, 0, "/work/out/x");
	assert_string_equal(judged(files, numbers, &record, 0), "");
	TRACE_NUMBERS_ADD(numbers, SYS_chmod);
	assert_string_equal(judged(files, numbers, &record, 0), "syscall chmod");
	assert_string_equal(judged(files, numbers, &other, 0), "");
}

static struct trace_record to_address(long nr, int error, const void *address, size_t size)
{
	struct trace_record record = refused(nr, error);
	put(&record, nr == SYS_sendto ? 4 : 1, TRACE_STRING_SOCKADDR, address, size);
	return record;
}

static void addresses_are_judged_by_the_mode(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443), .sin_addr.s_addr = htonl(0x01020304) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	CLEANUP_POLICY struct cage_policy *none = policy("version: 1\n");
	CLEANUP_POLICY struct cage_policy *proxy = policy("version: 1\nnetwork: {mode: proxy, allow: [\"a.example:443\"]}\n");
	CLEANUP_POLICY struct cage_policy *host = policy("version: 1\nnetwork: {mode: host}\n");
	struct trace_record record = to_address(SYS_connect, ENETUNREACH, &in, sizeof(in));
	(void)state;
	assert_string_equal(judged(none, NULL, &record, 0), "net.connect 1.2.3.4:443|network.mode none");
	assert_string_equal(judged(proxy, NULL, &record, 0), "net.connect 1.2.3.4:443|network.mode proxy");
	assert_string_equal(judged(host, NULL, &record, 0), "");
	record = to_address(SYS_connect, ECONNREFUSED, &in, sizeof(in));
	assert_string_equal(judged(none, NULL, &record, 0), "");
	record = to_address(SYS_bind, EACCES, &in6, sizeof(in6));
	assert_string_equal(judged(none, NULL, &record, 0), "net.bind [::1]:80|network.mode none");
	record = to_address(SYS_sendto, EACCES, &in, sizeof(in));
	assert_string_equal(judged(none, NULL, &record, 0), "net.connect 1.2.3.4:443|network.mode none");
	record = to_address(SYS_connect, EACCES, &in, 4); /* cut short */
	assert_string_equal(judged(none, NULL, &record, 0), "");
	in.sin_port = 0; /* asks for a route */
	record = to_address(SYS_connect, ENETUNREACH, &in, sizeof(in));
	assert_string_equal(judged(none, NULL, &record, 0), "");
}

static void sockets_with_names_are_judged_by_theirs(void **state)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "/run/x.sock" }, abstract = { .sun_family = AF_UNIX };
	CLEANUP_POLICY struct cage_policy *none = policy("version: 1\n");
	CLEANUP_POLICY struct cage_policy *some = policy("version: 1\nnetwork: {unix: [/run/x.sock], abstract: true}\n");
	struct trace_record record = to_address(SYS_connect, EACCES, &name, offsetof(struct sockaddr_un, sun_path) + 12);
	(void)state;
	assert_string_equal(judged(none, NULL, &record, 0), "net.unix /run/x.sock");
	assert_string_equal(judged(some, NULL, &record, 0), "");
	record = to_address(SYS_bind, EACCES, &name, offsetof(struct sockaddr_un, sun_path) + 12);
	assert_string_equal(judged(some, NULL, &record, 0), "fs.write /run/x.sock");
	memcpy(abstract.sun_path, "\0bus", 4);
	record = to_address(SYS_connect, EPERM, &abstract, offsetof(struct sockaddr_un, sun_path) + 4);
	assert_string_equal(judged(none, NULL, &record, 0), "net.abstract bus");
	assert_string_equal(judged(some, NULL, &record, 0), "");
}

static void families_and_calls_are_judged_by_number(void **state)
{
	static const struct {
		long nr;
		int error;
		u64 args[3];
		const char *none, *more;
	} rows[] = {
		{ SYS_socket, EAFNOSUPPORT, { AF_INET, SOCK_STREAM }, "net.socket AF_INET|network.mode none", "" },
		{ SYS_socket, EPERM, { AF_PACKET, SOCK_RAW }, "net.socket AF_PACKET", "net.socket AF_PACKET" },
		{ SYS_socket, EPERM, { 99 }, "net.socket family 99", "net.socket family 99" },
		{ SYS_socket, EPERM, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, "", "" },
		{ SYS_socket, EPERM, { AF_NETLINK, SOCK_RAW, NETLINK_AUDIT }, "net.socket AF_NETLINK", "net.socket AF_NETLINK" },
		{ SYS_socket, EPERM, { AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC }, "net.socket AF_UNIX", "" },
		{ SYS_socket, EPERM, { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK }, "", "" }, /* glibc asks for nscd */
		{ SYS_socket, EMFILE, { AF_INET }, "", "" },
		{ SYS_mount, EPERM, { 0 }, "syscall mount", "" },
		{ SYS_ptrace, EPERM, { 0 }, "syscall ptrace", "syscall ptrace|processes.deny ptrace" },
		{ SYS_mount, EINVAL, { 0 }, "", "" },
		{ SYS_clone3, ENOSYS, { 0 }, "", "" },
		{ 500, EPERM, { 0 }, "syscall syscall 500", "syscall syscall 500" },
		{ SYS_kill, EPERM, { 12 }, "signal 12", "signal 12" },
		{ SYS_kill, ESRCH, { 12 }, "", "" },
		{ SYS_kill, EPERM, { (u64)-1 }, "", "" },
	};
	CLEANUP_POLICY struct cage_policy *none = policy("version: 1\n");
	CLEANUP_POLICY struct cage_policy *more =
		policy("version: 1\nnetwork: {mode: host, abstract: true}\nprocesses: {allow: [mount], deny: [ptrace]}\n");
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct trace_record record = refused(rows[i].nr, rows[i].error);
		memcpy(record.args, rows[i].args, sizeof(rows[i].args));
		assert_string_equal(judged(none, NULL, &record, 0), rows[i].none);
		assert_string_equal(judged(more, NULL, &record, 0), rows[i].more);
	}
}

/* --- telling ------------------------------------------------------------------------------------------------------------------------ */

struct told {
	struct cage_denial last;
	u32 count;
};

static void tell(void *data, const struct cage_denial *denial)
{
	struct told *told = data;
	told->last = *denial;
	told->count++;
}

/* A directory of our own with a file in it. */
static void make_place(char place[64])
{
	char file[128];
	(void)snprintf(place, 64, "/tmp/lichen-denial-XXXXXX");
	assert_non_null(mkdtemp(place));
	(void)snprintf(file, sizeof(file), "%s/file", place);
	CLEANUP_FD int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)snprintf(file, sizeof(file), "%s/link", place);
	assert_int_equal(symlink("file", file), 0);
}

static void remove_place(const char *place)
{
	char file[128];
	(void)snprintf(file, sizeof(file), "%s/file", place);
	(void)unlink(file);
	(void)snprintf(file, sizeof(file), "%s/link", place);
	(void)unlink(file);
	(void)rmdir(place);
}

static void a_denial_is_told_once_and_links_are_followed(void **state)
{
	CLEANUP_POLICY struct cage_policy *none = policy("version: 1\n");
	struct cage_denials *denials;
	struct told told = { 0 };
	char place[64], path[128];
	(void)state;
	make_place(place);
	assert_int_equal(cage_denials_new(none, NULL, tell, &told, &denials), 0);
	for (int i = 0; i < 3; i++) {
		struct trace_record record = refused(SYS_open, EACCES);
		(void)snprintf(path, sizeof(path), "%s/%s", place, i == 1 ? "link" : "file");
		put_text(&record, 0, path);
		cage_denials_take(denials, &record);
	}
	(void)snprintf(path, sizeof(path), "%s/file", place);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.last.object, path);
	assert_string_equal(told.last.comm, "guest");
	assert_int_equal(told.last.pid, 77);
	assert_int_equal(cage_denials_count(denials), 1);
	struct trace_record missing = refused(SYS_open, EACCES);
	put_text(&missing, 0, "/nonexistent/lichen/file"); /* nothing there: whatever said EACCES, the policy kept nobody from it */
	cage_denials_take(denials, &missing);
	assert_int_equal(told.count, 1);
	cage_denials_free(denials);
	remove_place(place);
}

static void what_the_proxy_denies_is_told_once_with_its_reason(void **state)
{
	CLEANUP_POLICY struct cage_policy *quiet =
		policy("version: 1\nnetwork: {mode: proxy}\nreport: {quiet: [\"net.connect quiet.example:80\"]}\n");
	struct cage_denials *denials;
	struct told told = { 0 };
	(void)state;
	assert_int_equal(cage_denials_new(quiet, NULL, tell, &told, &denials), 0);
	cage_denials_add(denials, CAGE_DENIED_NET_CONNECT, "evil.example:80", NULL);
	cage_denials_add(denials, CAGE_DENIED_NET_CONNECT, "evil.example:80", NULL);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.last.object, "evil.example:80");
	assert_null(told.last.why);
	cage_denials_add(denials, CAGE_DENIED_NET_CONNECT, "127.0.0.1:80", "a loopback address");
	assert_string_equal(told.last.why, "a loopback address");
	cage_denials_add(denials, CAGE_DENIED_NET_CONNECT, "quiet.example:80", NULL);
	assert_true(told.last.quiet);
	assert_int_equal(cage_denials_count(denials), 2);
	cage_denials_free(denials);
}

static void what_is_expected_is_not_counted(void **state)
{
	char place[64], text[256];
	make_place(place);
	(void)state;
	(void)snprintf(text, sizeof(text), "version: 1\nreport: {quiet: [\"fs.read %s\", \"syscall mount\"]}\n", place);
	CLEANUP_POLICY struct cage_policy *quiet = policy(text);
	struct trace_record read = refused(SYS_open, EACCES), mount = refused(SYS_mount, EPERM), write = refused(SYS_mkdir, EACCES);
	struct cage_denials *denials;
	struct told told = { 0 };
	(void)snprintf(text, sizeof(text), "%s/file", place);
	put_text(&read, 0, text);
	(void)snprintf(text, sizeof(text), "%s/new", place);
	put_text(&write, 0, text);
	assert_int_equal(cage_denials_new(quiet, NULL, tell, &told, &denials), 0);
	cage_denials_take(denials, &read);
	cage_denials_take(denials, &mount);
	assert_int_equal(told.count, 2);
	assert_true(told.last.quiet);
	assert_int_equal(cage_denials_count(denials), 0);
	cage_denials_take(denials, &write);
	assert_int_equal(cage_denials_count(denials), 1);
	assert_false(told.last.quiet);
	assert_int_equal(told.last.number, 1);
	cage_denials_free(denials);
	remove_place(place);
}

static void a_flood_is_counted_and_the_memory_stays_as_it_is(void **state)
{
	CLEANUP_POLICY struct cage_policy *none = policy("version: 1\n");
	struct cage_denials *denials;
	struct told told = { 0 };
	(void)state;
	assert_int_equal(cage_denials_new(none, NULL, tell, &told, &denials), 0);
	for (u32 i = 0; i < 2 * DENIALS_KNOWN; i++) {
		struct trace_record record = refused(SYS_socket, EPERM);
		record.args[0] = 1000 + i;
		cage_denials_take(denials, &record);
	}
	assert_int_equal(cage_denials_count(denials), 2 * DENIALS_KNOWN);
	cage_denials_free(denials);
}

static void objects_are_printed_so_that_no_terminal_minds(void **state)
{
	static const struct {
		const char *object, *printed;
	} rows[] = {
		{ "/plain/\xc3\xa4", "/plain/\xc3\xa4" },
		{ "/a\nb\033[31m", "/a\\012b\\033[31m" },
		{ "/back\\slash", "/back\\134slash" },
		{ "/c1\xc2\x9b", "/c1\\302\\233" },
		{ "/latin\xe4", "/latin\\344" },
		{ "/half\xc3", "/half\\303" },
		{ "/overlong\xe0\x80\xaf", "/overlong\\340\\200\\257" },
		{ "/bidi\xe2\x80\xae", "/bidi\\342\\200\\256" },
	};
	char text[CAGE_OBJECT_PRINTED];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cage_denial denial = { 0 };
		(void)snprintf(denial.object, sizeof(denial.object), "%s", rows[i].object);
		assert_string_equal(cage_denial_print(&denial, text), rows[i].printed);
	}
	struct cage_denial cut = { .object = "/long", .cut = true };
	assert_string_equal(cage_denial_print(&cut, text), "/long\xe2\x80\xa6");
}

/* The kernel has rules for files that were there: a rule of the policy is none for what was made since. */
static void a_program_that_was_made_since_is_told(void **state)
{
	CLEANUP_POLICY struct cage_policy *files = resolved("version: 1\nfiles:\n  execute: [/nonexistent/made, /usr/bin]\n");
	struct trace_record record = refused(SYS_execve, EACCES);
	struct cage_attempt attempt;
	struct cage_denial denial;
	(void)state;
	put_text(&record, 0, "/nonexistent/made");
	assert_string_equal(judged(files, NULL, &record, 0), "fs.execute /nonexistent/made");
	assert_true(cage_attempt_get(&record, 0, &attempt));
	assert_true(cage_denial_judge(files, NULL, &attempt, &denial));
	assert_string_equal(denial.why, "there was no such file when the run began");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_that_was_made_since_is_told),
		cmocka_unit_test(memory_that_is_shared_is_told_with_what_helps),
		cmocka_unit_test(files_are_judged_by_what_the_call_wanted),
		cmocka_unit_test(both_names_of_a_rename_are_judged),
		cmocka_unit_test(a_call_that_is_refused_by_number_is_told_where_its_path_is_allowed),
		cmocka_unit_test(addresses_are_judged_by_the_mode),
		cmocka_unit_test(sockets_with_names_are_judged_by_theirs),
		cmocka_unit_test(families_and_calls_are_judged_by_number),
		cmocka_unit_test(a_denial_is_told_once_and_links_are_followed),
		cmocka_unit_test(what_the_proxy_denies_is_told_once_with_its_reason),
		cmocka_unit_test(what_is_expected_is_not_counted),
		cmocka_unit_test(a_flood_is_counted_and_the_memory_stays_as_it_is),
		cmocka_unit_test(objects_are_printed_so_that_no_terminal_minds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
