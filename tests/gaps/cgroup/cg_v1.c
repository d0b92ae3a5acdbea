// SPDX-License-Identifier: Apache-2.0
/*
 * Hierarchies of v1: mounting, files and what they take, members, the limit of pids. Natively they are the machine's, mounted with the controllers that
 * they have, so each is asked for alone. What cpusets, block devices and rt_runtime take depends on the machine.
 */
#include "cgroup_test.h"

static const char *const hierarchies[] = { "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids" };

static void mounting(void)
{
	char path[64];

	umask(022);
	MUST(unshare(CLONE_NEWNS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mount("test", "/mnt", "tmpfs", 0, "mode=755"));
	MUST(mkdir(PLACE, 0755));
	snprintf(group_name, sizeof(group_name), "lichen-test-%d", (int)getpid());
	OK(mount("none", PLACE, "cgroup", 0, "nonsense"));
	OK(mount("none", PLACE, "cgroup", 0, "none"));
	OK(mount("none", PLACE, "cgroup", 0, "none,cpu"));
	OK(mount("none", PLACE, "cgroup", 0, "all,cpu"));
	OK(mount("none", PLACE, "cgroup", 0, "name="));
	OK(mount("none", PLACE, "cgroup", 0, "name=a b"));
	OK(mount("none", PLACE, "cgroup", 0, "name=a,name=b"));
	for (size_t i = 0; i < COUNT(hierarchies); i++) {
		snprintf(path, sizeof(path), PLACE "/%s", hierarchies[i]);
		MUST(mkdir(path, 0755));
		say("mount %s: %s", hierarchies[i], mount("groups", path, "cgroup", 0, hierarchies[i]) ? errno_name(errno) : "ok");
	}
	OK(mkdir(PLACE "/named", 0755));
	OK(mount("groups", PLACE "/named", "cgroup", 0, "none,name=lichen-test"));
	OK(mkdir(PLACE "/again", 0755));
	OK(mount("groups", PLACE "/again", "cgroup", 0, "name=lichen-test"));
	OK(mount("groups", PLACE "/again", "cgroup", 0, "pids,name=lichen-test"));
	OK(umount(PLACE "/again"));
	OK(mount("groups", PLACE "/again", "cgroup", 0, "freezer"));
	OK(umount(PLACE "/again"));
	struct statfs fs;
	MUST(statfs(PLACE "/pids", &fs));
	say("statfs: %lx", (long)fs.f_type);
}

static void enter_v1(const char *hierarchy)
{
	snprintf(group_top, sizeof(group_top), PLACE "/%s/%s", hierarchy, group_name);
	MUST(mkdir(group_top, 0755));
	MUST(chdir(group_top));
	say("--- %s", hierarchy);
}

static void leave_v1(void)
{
	MUST(chdir("/"));
	say("rmdir: %s", rmdir(group_top) ? errno_name(errno) : "ok");
}

/* The line of /proc/PID/cgroup that ends in the test's group and what is below it: "pids:/…" */
static const char *v1_place(const char *hierarchy)
{
	static char text[65536];
	char *rest = text, *word, wanted[64];

	snprintf(wanted, sizeof(wanted), ":%s:", hierarchy);
	if (get("/proc/self/cgroup", text, sizeof(text)) < 0)
		return "unknown";
	while ((word = strsep(&rest, "\n")))
		if (strstr(word, wanted)) {
			char *at = strstr(word, group_name);

			return at ? at[strlen(group_name)] ? at + strlen(group_name) : "/" : "outside";
		}
	return "none";
}

static void values(const char *path, const char *const *tried, size_t count)
{
	show(path);
	for (size_t i = 0; i < count; i++) {
		try_put(path, tried[i]);
		show(path);
	}
}
#define VALUES(path, ...)                                            \
	do {                                                         \
		static const char *const tried_[] = { __VA_ARGS__ }; \
		values(path, tried_, COUNT(tried_));                 \
	} while (0)

static void common(void)
{
	enter_v1("named");
	show("cgroup.procs");
	show("tasks");
	VALUES("notify_on_release", "1", "0", "7", "x", "-1", "");
	VALUES("cgroup.clone_children", "1", "0");
	OK(access("release_agent", F_OK));
	OK(access("cgroup.events", F_OK));
	OK(access("cgroup.sane_behavior", F_OK));
	show("../cgroup.sane_behavior");
	pid_t child = start_sleeper();
	say("move: %s", errno_name(put_pid("tasks", child)));
	FACT(has_pid("cgroup.procs", child));
	FACT(has_pid("tasks", child));
	OK(rmdir(group_top));
	OK(mkdir("below", 0755));
	say("move: %s", errno_name(put_pid("below/cgroup.procs", child)));
	FACT(!has_pid("cgroup.procs", child));
	OK(rmdir("below"));
	OK(rmdir(group_top));
	end_sleeper(child);
	OK(rmdir("below"));
	OK(unlink("tasks"));
	leave_v1();
}

static void cpu(void)
{
	enter_v1("cpu");
	VALUES("cpu.shares", "512", "1", "0", "300000", "x", "-1");
	VALUES("cpu.cfs_period_us", "50000", "999", "1000001", "x", "-1", "100000");
	VALUES("cpu.cfs_quota_us", "50000", "999", "0", "x", "-1", "1000", "-5");
	VALUES("cpu.idle", "x", "2", "0");
	FACT(has_line("cpu.stat", "nr_throttled 0"));
	FACT(has_line("cpu.stat", "throttled_time 0"));
	leave_v1();
	enter_v1("cpuacct");
	show("cpuacct.usage");
	show("cpuacct.stat");
	show("cpuacct.usage_user");
	VALUES("cpuacct.usage", "0", "1", "x");
	leave_v1();
}

static void memory(void)
{
	enter_v1("memory");
	VALUES("memory.limit_in_bytes", "104857600", "64M", "1g\n", "-1", "x", "", "4097", "-2", "max", "-1");
	VALUES("memory.soft_limit_in_bytes", "50000000", "-1", "x");
	VALUES("memory.swappiness", "0", "100", "200", "201", "x", "60");
	VALUES("memory.use_hierarchy", "1", "0");
	show("memory.usage_in_bytes");
	show("memory.failcnt");
	show("memory.oom_control");
	show("memory.force_empty");
	try_put("memory.max_usage_in_bytes", "0");
	try_put("memory.failcnt", "0");
	FACT(has_line("memory.stat", "rss 0"));
	FACT(has_line("memory.stat", "total_rss 0"));
	FACT(has_line("memory.stat", "hierarchical_memory_limit 9223372036854771712"));
	leave_v1();
}

static void devices(void)
{
	enter_v1("devices");
	show("devices.list");
	show("devices.allow");
	try_put("devices.allow", "x");
	try_put("devices.deny", "c");
	try_put("devices.deny", "c 1:3 rwmx");
	try_put("devices.deny", "c 1 r");
	try_put("devices.deny", "a");
	show("devices.list");
	try_put("devices.allow", "c 1:3 rwm");
	try_put("devices.allow", "b *:* m");
	show("devices.list");
	try_put("devices.deny", "c 1:3 rwm");
	show("devices.list");
	try_put("devices.list", "x");
	leave_v1();
}

static void freezer(void)
{
	enter_v1("freezer");
	VALUES("freezer.state", "FROZEN", "THAWED", "frozen", "FREEZING", "");
	show("freezer.self_freezing");
	show("freezer.parent_freezing");
	OK(mkdir("a", 0755));
	pid_t child = start_sleeper();
	say("move: %s", errno_name(put_pid("a/tasks", child)));
	try_put("freezer.state", "FROZEN");
	while (!has_line("a/freezer.state", "FROZEN"))
		usleep(1000);
	show("a/freezer.self_freezing");
	show("a/freezer.parent_freezing");
	try_put("freezer.state", "THAWED");
	show("a/freezer.state");
	end_sleeper(child);
	OK(rmdir("a"));
	leave_v1();
}

static void *wait_for_ever(void *arg)
{
	pause();
	return arg;
}

static void pids(void)
{
	enter_v1("pids");
	VALUES("pids.max", "3", "max", "0", "-1", "4194304", "4194305", "x", "0x10", "2");
	show("pids.current");
	show("pids.events");
	pid_t first = fork();
	if (first == 0) {
		say("join: %s", errno_name(put("cgroup.procs", "0")));
		say("self %s", v1_place("pids"));
		show("pids.current");
		pid_t child = start_sleeper();
		show("pids.current");
		pid_t other = fork();
		if (other == 0)
			_exit(0);
		say("fork: %s", other < 0 ? errno_name(errno) : "ok");
		pthread_t thread;
		say("thread: %s", errno_name(pthread_create(&thread, NULL, wait_for_ever, NULL)));
		show("pids.events");
		kill(child, SIGKILL);
		siginfo_t info;
		MUST(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
		show("pids.current"); /* a zombie counts */
		other = fork();
		if (other == 0)
			_exit(0);
		say("fork: %s", other < 0 ? errno_name(errno) : "ok");
		waitpid(child, NULL, 0);
		other = fork();
		if (other == 0)
			_exit(0);
		say("fork: %s", other < 0 ? errno_name(errno) : "ok");
		waitpid(other, NULL, 0);
		show("pids.peak");
		_exit(0);
	}
	waitpid(first, NULL, 0);
	show("pids.current");
	leave_v1();
}

int main(void)
{
	mounting();
	common();
	cpu();
	memory();
	devices();
	freezer();
	pids();
	return 0;
}
