// SPDX-License-Identifier: Apache-2.0
/* Policies of cages: every key, what is refused and where, paths, and what a policy says of a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/policy.h"
#include "cage/policy_int.h"
#include "unit.h"

static struct cage_policy *read_text(const char *text)
{
	struct cage_policy *policy = NULL;
	struct cage_policy_error error;
	if (cage_policy_parse(text, strlen(text), "/work/dir", "/home/me", &policy, &error))
		fail_msg("%s\n%u:%u: %s", text, error.at.line, error.at.column, error.at.text);
	return policy;
}

static void assert_refused(const char *text, u32 line, u32 column, bool meaning, const char *words)
{
	struct cage_policy *policy = NULL;
	struct cage_policy_error error;
	assert_int_equal(cage_policy_parse(text, strlen(text), "/work/dir", NULL, &policy, &error), -EINVAL);
	assert_null(policy);
	if (error.at.line != line || error.at.column != column || error.meaning != meaning || !strstr(error.at.text, words))
		fail_msg("%s\n%u:%u: (%d) %s", text, error.at.line, error.at.column, error.meaning, error.at.text);
}

static void an_empty_policy_allows_the_defaults_alone(void **state)
{
	(void)state;
	CLEANUP_POLICY struct cage_policy *policy = read_text("version: 1\n");
	const struct cage_path *rule = NULL;
	const char *list = NULL;
	assert_true(policy->files.defaults);
	assert_true(policy->audit.redact);
	assert_int_equal(policy->network.mode, CAGE_NETWORK_NONE);
	assert_false(policy->network.abstract);
	assert_false(policy->processes.user_given);
	assert_null(policy->processes.profile);
	assert_null(policy->audit.directory);
	assert_int_equal(policy->files.read.count + policy->files.execute.count + policy->files.write.count, 0);
	assert_int_equal(policy->limits.memory + policy->limits.wall + policy->limits.processes, 0);
	assert_string_equal(policy->environment.pass.word[0], "PATH");
	assert_null(policy->environment.pass.word[policy->environment.pass.count]);
	assert_false(cage_policy_allows(policy, CAGE_READ, "/etc/shadow", &rule, &list));
	assert_null(rule);
	assert_true(cage_policy_allows(policy, CAGE_WRITE, "/dev/null", NULL, NULL));
	assert_false(cage_policy_allows(policy, CAGE_WRITE, "/dev/urandom", NULL, NULL));
	assert_true(cage_policy_allows(policy, CAGE_READ, "/etc/ssl/certs/a.pem", NULL, NULL));
	CLEANUP_POLICY struct cage_policy *bare = read_text("version: 1\nfiles: {defaults: false}\n");
	assert_false(cage_policy_allows(bare, CAGE_READ, "/dev/null", NULL, NULL));
}

static void every_key_is_taken(void **state)
{
	(void)state;
	CLEANUP_POLICY struct cage_policy *p =
		read_text("version: 1\n"
			  "files: {read: [/usr], execute: [/usr/bin], write: [./work], deny: [./work/.git]}\n"
			  "network:\n"
			  "  mode: proxy\n"
			  "  allow: [\"api.example.com:443\", \"*.debian.org:80\"]\n"
			  "  private: [\"10.0.0.5:5432\"]\n"
			  "  unix: [/run/x.sock]\n"
			  "  abstract: true\n"
			  "processes: {user: 1000:100, syscalls: ./seccomp.json, allow: [mount], deny: [ptrace]}\n"
			  "environment: {pass: [PATH, LC_*], set: {KEY: value, PORT: \"8080\"}}\n"
			  "limits: {memory: 1g, cpu: 2.5, processes: 256, open_files: 1024, file_size: 10m,\n"
			  "  output: 64m, wall: 10m, cpu_time: 90, disk: 2G}\n"
			  "audit: {directory: ~/log, redact: false}\n"
			  "report: {quiet: [fs.read ~/.cache, net.connect x.org:443, syscall ptrace]}\n");
	assert_string_equal(p->files.write.path[0].written, "./work");
	assert_string_equal(p->files.write.path[0].path, "/work/dir/work");
	assert_int_equal(p->files.write.path[0].line, 2);
	assert_int_equal(p->files.write.path[0].column, 52);
	assert_string_equal(p->files.deny.path[0].path, "/work/dir/work/.git");
	assert_int_equal(p->network.mode, CAGE_NETWORK_PROXY);
	assert_string_equal(p->network.allow.word[1], "*.debian.org:80");
	assert_string_equal(p->network.private.word[0], "10.0.0.5:5432");
	assert_string_equal(p->network.sockets.path[0].path, "/run/x.sock");
	assert_true(p->network.abstract);
	assert_true(p->processes.user_given);
	assert_int_equal(p->processes.uid, 1000);
	assert_int_equal(p->processes.gid, 100);
	assert_string_equal(p->processes.profile->path, "/work/dir/seccomp.json");
	assert_string_equal(p->processes.allow.word[0], "mount");
	assert_string_equal(p->processes.deny.word[0], "ptrace");
	assert_int_equal(p->environment.pass.count, 2);
	assert_string_equal(p->environment.set[1].name, "PORT");
	assert_string_equal(p->environment.set[1].value, "8080");
	assert_true(p->limits.memory == 1u << 30 && p->limits.file_size == 10u << 20 && p->limits.output == 64u << 20);
	assert_true(p->limits.disk == (u64)2 << 30 && p->limits.wall == 600000 && p->limits.cpu_time == 90000);
	assert_int_equal(p->limits.cpu, 2500);
	assert_int_equal(p->limits.processes, 256);
	assert_int_equal(p->limits.open_files, 1024);
	assert_string_equal(p->audit.directory->path, "/home/me/log");
	assert_false(p->audit.redact);
	assert_true(cage_policy_quiet(p, CAGE_DENIED_FS_READ, "/home/me/.cache/x"));
	assert_false(cage_policy_quiet(p, CAGE_DENIED_FS_WRITE, "/home/me/.cache/x"));
	assert_false(cage_policy_quiet(p, CAGE_DENIED_FS_READ, "/home/me/.cached"));
	assert_true(cage_policy_quiet(p, CAGE_DENIED_NET_CONNECT, "x.org:443"));
	assert_true(cage_policy_quiet(p, CAGE_DENIED_SYSCALL, "ptrace"));
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
	(void)state;
	assert_refused("files: {}\n", 0, 0, false, "'version: 1' is missing");
	assert_refused("version: 2\n", 1, 10, false, "1 to 1");
	assert_refused("version: 1\nfile: {}\n", 2, 1, false, "'files'?");
	assert_refused("version: 1\nfiles:\n  reed: []\n", 3, 3, false, "'read'?");
	assert_refused("version: 1\nfiles:\n  read: /usr\n", 3, 9, false, "a list of strings");
	assert_refused("version: 1\nfiles:\n  read:\n", 3, 8, false, "a list of strings");
	assert_refused("version: 1\nfiles:\n", 2, 7, false, "a mapping");
	assert_refused("version: 1\nfiles:\n  read: [usr]\n", 3, 10, false, "a path");
	assert_refused("version: 1\nfiles:\n  read: [/a/../b]\n", 3, 10, false, "a path");
	assert_refused("version: 1\nfiles:\n  deny: [\"./**/.env\"]\n", 3, 10, false, "without *");
	assert_refused("version: 1\nfiles:\n  read: [~/x]\n", 3, 10, true, "no home directory");
	assert_refused("version: 1\nfiles:\n  deny: [/a, /proc/self/environ]\n", 3, 14, true, "another for each process");
	assert_refused("version: 1\nfiles:\n  deny: [../../proc/thread-self]\n", 3, 10, true, "another for each process");
	assert_refused("version: 1\nfiles:\n  deny: [/proc/1/root]\n", 3, 10, true, "another for each process");
	assert_refused("version: 1\nfiles:\n  deny: [/dev/fd]\n", 3, 10, true, "another for each process");
	assert_refused("version: 1\nnetwork: {mode: off}\n", 2, 17, false, "none, host or proxy");
	assert_refused("version: 1\nnetwork: {allow: [\"a.org:443\"]}\n", 2, 18, false, "'allow' needs 'mode: proxy'");
	assert_refused("version: 1\nnetwork: {mode: proxy, allow: [a.org]}\n", 2, 32, false, "a target");
	assert_refused("version: 1\nnetwork: {mode: proxy, allow: [\"10.0.0.5:80\"]}\n", 2, 32, true,
		       "belongs under network.private");
	assert_refused("version: 1\nnetwork: {mode: proxy, private: [\"a..b:80\"]}\n", 2, 34, true, "empty label");
	assert_refused("version: 1\nprocesses: {user: root}\n", 2, 19, false, "UID:GID");
	assert_refused("version: 1\nprocesses: {user: \"4294967295:0\"}\n", 2, 19, true, "at most");
	assert_refused("version: 1\nprocesses: {deny: [ptrac]}\n", 2, 20, true, "no system call 'ptrac'");
	assert_refused("version: 1\nenvironment: {set: {PORT: 80}}\n", 2, 27, false, "write '80' in quotes");
	assert_refused("version: 1\nenvironment: {set: {9: x}}\n", 2, 21, false, "the name of a variable");
	assert_refused("version: 1\nlimits: {memory: 5m}\n", 2, 18, true, "from 6m");
	assert_refused("version: 1\nlimits: {memory: lots}\n", 2, 18, false, "a size");
	assert_refused("version: 1\nlimits: {cpu: 0}\n", 2, 15, false, "processors");
	assert_refused("version: 1\nlimits: {cpu: 1.0005}\n", 2, 15, true, "at most 3 digits");
	assert_refused("version: 1\nlimits: {wall: 10M}\n", 2, 16, false, "a time");
	assert_refused("version: 1\nlimits: {processes: .nan}\n", 2, 21, false, "an integer");
	assert_refused("version: 1\nreport: {quiet: [fs.eat /x]}\n", 2, 18, false, "WHAT and an object");
	/* Grammar comes first, wherever it stands. */
	assert_refused("version: 1\nlimits: {memory: 1m}\nreport: {quiet: 1}\n", 3, 17, false, "a list");
}

static void paths_are_straight(void **state)
{
	(void)state;
	static const struct {
		const char *written, *path;
	} rows[] = {
		{ "/", "/" },
		{ "//usr//./lib/", "/usr/lib" },
		{ ".", "/work/dir" },
		{ "./", "/work/dir" },
		{ "..", "/work" },
		{ "../../..", "/" },
		{ "../x/./y", "/work/x/y" },
		{ "~", "/home/me" },
		{ "~/.cache", "/home/me/.cache" },
		{ "./a..b/...", "/work/dir/a..b/..." },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128];
		snprintf(text, sizeof(text), "version: 1\nfiles: {read: ['%s']}\n", rows[i].written);
		CLEANUP_POLICY struct cage_policy *policy = read_text(text);
		assert_string_equal(policy->files.read.path[0].path, rows[i].path);
	}
	CLEANUP_POLICY struct cage_policy *all = read_text("version: 1\nfiles: {read: [/]}\n");
	assert_true(cage_policy_allows(all, CAGE_READ, "/any/thing", NULL, NULL));
}

static void denial_goes_before_all_else(void **state)
{
	(void)state;
	CLEANUP_POLICY struct cage_policy *policy =
		read_text("version: 1\nfiles:\n  read: [/srv]\n  execute: [/usr]\n  write: [.]\n  deny: [./.git, /dev/null]\n");
	const struct cage_path *rule = NULL;
	const char *list = NULL;
	assert_false(cage_policy_allows(policy, CAGE_READ, "/work/dir/.git/hooks", &rule, &list));
	assert_string_equal(rule->written, "./.git");
	assert_string_equal(list, "files.deny");
	assert_false(cage_policy_allows(policy, CAGE_WRITE, "/dev/null", &rule, &list));
	assert_string_equal(list, "files.deny");
	assert_true(cage_policy_allows(policy, CAGE_WRITE, "/work/dir/.gitignore", &rule, &list));
	assert_string_equal(list, "files.write");
	assert_true(cage_policy_allows(policy, CAGE_READ, "/work/dir", &rule, &list));
	assert_false(cage_policy_allows(policy, CAGE_READ, "/work/dirt", &rule, &list));
	assert_null(rule);
	assert_false(cage_policy_allows(policy, CAGE_EXECUTE, "/work/dir/a", NULL, NULL));
	assert_false(cage_policy_allows(policy, CAGE_EXECUTE, "/srv/a", NULL, NULL));
	assert_true(cage_policy_allows(policy, CAGE_EXECUTE, "/usr/bin/a", NULL, NULL));
	assert_true(cage_policy_allows(policy, CAGE_READ, "/usr/bin/a", NULL, NULL));
	assert_false(cage_policy_allows(policy, CAGE_WRITE, "/usr/bin/a", NULL, NULL));
}

static void paths_are_compared_by_their_components(void **state)
{
	(void)state;
	char parent[PATH_MAX];
	assert_true(policy_within("/", "/"));
	assert_true(policy_within("/", "/a"));
	assert_true(policy_within("/a", "/a"));
	assert_true(policy_within("/a", "/a/b"));
	assert_false(policy_within("/a", "/ab"));
	assert_false(policy_within("/a/b", "/a"));
	assert_false(policy_within("", "/a"));
	assert_true(policy_of_process("/proc/self"));
	assert_true(policy_of_process("/proc/12/fd"));
	assert_true(policy_of_process("/dev/fd/0"));
	assert_false(policy_of_process("/proc/selfish"));
	assert_false(policy_of_process("/proc/12x"));
	assert_false(policy_of_process("/proc"));
	policy_parent("/a/b", parent);
	assert_string_equal(parent, "/a");
	policy_parent("/a", parent);
	assert_string_equal(parent, "/");
	policy_parent("/", parent);
	assert_string_equal(parent, "/");
}

/* --- files ---------------------------------------------------------------------------------------------------------------------------- */

static void put(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void a_file_is_read_where_it_stands(void **state)
{
	(void)state;
	char top[] = "/tmp/lichen-policy-XXXXXX", path[128], wanted[256], real[128];
	struct cage_policy *policy = NULL;
	CLEANUP_FREE char *text = NULL;
	assert_non_null(mkdtemp(top));
	snprintf(path, sizeof(path), "%s/real", top);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(real, sizeof(real), "%s/real/p.yaml", top);
	put(real, "version: 1\nfiles: {write: [.], read: [./none]}\n");
	snprintf(path, sizeof(path), "%s/link.yaml", top);
	assert_int_equal(symlink("real/p.yaml", path), 0);

	assert_int_equal(cage_policy_load(path, &policy, &text, NULL), 0);
	snprintf(wanted, sizeof(wanted), "%s/real", top);
	assert_string_equal(policy->files.write.path[0].path, wanted);
	assert_string_equal(policy->files.write.path[0].real, wanted);
	assert_null(policy->files.read.path[0].real);
	/* Who may write the policy of the next run has none. */
	assert_int_equal(policy->files.deny.count, 1);
	assert_string_equal(policy->files.deny.path[0].real, real);
	assert_int_equal(policy->files.deny.path[0].line, 0);
	assert_false(cage_policy_allows(policy, CAGE_WRITE, real, NULL, NULL));
	cage_policy_free(policy);

	policy = NULL;
	put(real, "version: 1\nfiles:\n  writ: [.]\n");
	assert_int_equal(cage_policy_load(path, &policy, &text, NULL), -EINVAL);
	snprintf(wanted, sizeof(wanted), "%s:3:3: there is no key 'writ' here; did you mean 'write'?", path);
	assert_string_equal(text, wanted);
	free(text);
	text = NULL;
	unlink(real);
	assert_int_equal(cage_policy_load(path, &policy, &text, NULL), -ENOENT);
	snprintf(wanted, sizeof(wanted), "%s: cannot read the policy: No such file or directory", path);
	assert_string_equal(text, wanted);
	assert_null(policy);
	unlink(path);
	snprintf(path, sizeof(path), "%s/real", top);
	rmdir(path);
	rmdir(top);
}

/* Loads `text` in a directory where W may be written; asserts the column at which it is refused, 0 = it is not. */
static void assert_links(const char *top, const char *text, u32 column)
{
	struct cage_policy_error error;
	struct cage_policy *policy = NULL;
	assert_int_equal(cage_policy_parse(text, strlen(text), top, NULL, &policy, &error), 0);
	assert_int_equal(cage_policy_resolve(policy, NULL, &error), column ? -EINVAL : 0);
	if (column) {
		assert_int_equal(error.at.column, column);
		assert_true(error.meaning);
		assert_non_null(strstr(error.at.text, "symbolic link"));
	}
	cage_policy_free(policy);
}

static void links_that_a_guest_may_have_made_are_not_followed(void **state)
{
	(void)state;
	char top[] = "/tmp/lichen-policy-XXXXXX";
	assert_non_null(mkdtemp(top));
	int dir = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_int_equal(mkdirat(dir, "W", 0755), 0);
	assert_int_equal(mkdirat(dir, "other", 0755), 0);
	assert_int_equal(symlinkat("W", dir, "mine"), 0); /* the user's */
	assert_int_equal(symlinkat("../other", dir, "W/theirs"), 0);
	assert_int_equal(symlinkat("loop", dir, "loop"), 0);
	assert_links(top, "version: 1\nfiles: {write: [./mine], read: [./W, ./mine/none, /usr]}\n", 0);
	assert_links(top, "version: 1\nfiles: {write: [./W], read: [./other, ./W/theirs]}\n", 39);
	assert_links(top, "version: 1\nfiles: {write: [./W], deny: [./mine/theirs/none]}\n", 30);
	assert_links(top, "version: 1\nfiles: {write: [./W/theirs, ./W]}\n", 17);
	assert_links(top, "version: 1\nfiles: {write: [./other], read: [./W/theirs]}\n", 0);
	assert_links(top, "version: 1\nnetwork: {unix: [./loop]}\n", 18);
	struct cage_policy_error error;
	struct cage_policy *policy = NULL;
	const char *text = "version: 1\nfiles: {read: [./own], deny: [./own/environ]}\n";
	assert_int_equal(symlinkat("/proc/self", dir, "own"), 0);
	assert_int_equal(cage_policy_parse(text, strlen(text), top, NULL, &policy, &error), 0);
	assert_int_equal(cage_policy_resolve(policy, NULL, &error), -EINVAL);
	assert_true(policy->files.read.path[0].own);
	assert_int_equal(error.at.column, 31);
	assert_non_null(strstr(error.at.text, "another for each process"));
	cage_policy_free(policy);
	unlinkat(dir, "own", 0);
	unlinkat(dir, "loop", 0);
	unlinkat(dir, "W/theirs", 0);
	unlinkat(dir, "mine", 0);
	unlinkat(dir, "W", AT_REMOVEDIR);
	unlinkat(dir, "other", AT_REMOVEDIR);
	close(dir);
	rmdir(top);
}

static void the_profile_can_be_loaded(void **state)
{
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	char *text = NULL;
	(void)state;
	assert_int_equal(cage_policy_load("offline", &policy, &text, NULL), 0);
	assert_true(policy->built_in);
	assert_string_equal(policy->name, "offline");
}

static void names_of_denials_lead_back(void **state)
{
	char text[64];
	const char *object = NULL;
	(void)state;
	for (int i = 0; i < CAGE_DENIED_COUNT; i++) {
		(void)snprintf(text, sizeof(text), "%s /x", cage_denied_name((enum cage_denied)i));
		assert_int_equal(policy_split_quiet(text, &object), i);
		assert_string_equal(object, "/x");
	}
	assert_int_equal(policy_split_quiet("fs /x", &object), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_policy_allows_the_defaults_alone),
		cmocka_unit_test(every_key_is_taken),
		cmocka_unit_test(what_is_wrong_is_told_with_its_place),
		cmocka_unit_test(paths_are_straight),
		cmocka_unit_test(denial_goes_before_all_else),
		cmocka_unit_test(paths_are_compared_by_their_components),
		cmocka_unit_test(a_file_is_read_where_it_stands),
		cmocka_unit_test(links_that_a_guest_may_have_made_are_not_followed),
		cmocka_unit_test(the_profile_can_be_loaded),
		cmocka_unit_test(names_of_denials_lead_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
