/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/status: of oneself, of a child, of a thread; after changes and after execve. */
#include "identity.h"

static void say_status(const char *path)
{
	char text[16384], *rest = text;

	say("%s", strstr(path, "self") ? path : "another's");
	if (!read_file(path, text, sizeof(text)))
		say("  %s", errno_name(errno));
	for (char *line; (line = strsep(&rest, "\n"));) {
		unsigned long long caps;

		if (!strncmp(line, "Cap", 3) && sscanf(line + 8, "%llx", &caps) == 1)
			say("  %.7s %#llx", line, caps & CAPS_TOLD);
		else if (!strncmp(line, "Uid:", 4) || !strncmp(line, "Gid:", 4) || !strncmp(line, "Groups:", 7) ||
			 !strncmp(line, "NoNew", 5))
			say("  %s", line);
	}
}

static void *thread(void *arg)
{
	char path[64];

	MUST(syscall(SYS_setresuid, -1, 1234, -1));
	say_status("/proc/thread-self/status");
	snprintf(path, sizeof(path), "/proc/self/task/%ld/status", syscall(SYS_gettid));
	CHILD(say_status("/proc/self/status"));
	*(pid_t *)arg = (pid_t)syscall(SYS_gettid);
	return NULL;
}

int main(int argc, char **argv)
{
	static const gid_t groups[] = { 70000, 5, 6 };
	struct gate begun = gate_new(), over = gate_new();
	char path[64];
	pid_t tid = 0, pid;

	if (argc > 1) {
		say_status("/proc/self/status");
		return 0;
	}
	MUST(setgroups(0, NULL));
	say_status("/proc/self/status");
	MUST(chdir("/proc/self"));
	say_status("../self/status");
	CHILD({
		MUST(setgroups(3, groups));
		MUST(setresgid(1000, 1001, 1002));
		MUST(setresuid(1000, 1001, 1002));
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		say_status("/proc/self/status");
		execl(argv[0], argv[0], "again", NULL);
	});
	pid = fork_or_die();
	if (pid == 0) {
		MUST(setgroups(1, groups));
		MUST(setresuid(1000, 1001, 0));
		gate_open(&begun);
		gate_wait(&over);
		_exit(0);
	}
	gate_wait(&begun);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	say_status(path);
	gate_open(&over);
	reap(pid);
	pthread_join(thread_start(thread, &tid), NULL);
	say_status("/proc/thread-self/status");
	FACT(open("/proc/self/status", O_RDWR) < 0 || getuid() == 0);
	return 0;
}
