// SPDX-License-Identifier: Apache-2.0
/* A pid namespace in another: who gets to be in it, what numbers it has within and for those above, who may be signalled, what its /proc tells. */
#include "../fs/fs_test.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>

static struct gate ready, go;

static const char *is(long pid, long of)
{
	return pid == 1 ? "1" : pid == 0 ? "0" : pid == of ? "the one" : pid < 0 ? errno_name(errno) : "other";
}

/* Processes that /proc lists. */
static void listing(const char *who)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int init = 0, own = 0, others = 0;

	MUST(dir ? 0 : -1);
	while ((entry = readdir(dir))) {
		int number = atoi(entry->d_name);

		init += number == 1;
		own += number > 1 && number == getpid();
		others += number > 1 && number != getpid();
	}
	closedir(dir);
	say("%s: init %d, itself %d, others %s", who, init, own, others > 3 ? "many" : others ? "some" : "none");
}

/* The numbers of a line of a status file, as far as they are known. */
static void levels(const char *path, const char *line, pid_t of)
{
	static char text[8192];
	char *at = read_file(path, text, sizeof(text)) ? strstr(text, line) : NULL;
	char out[64] = "";

	for (at = at ? strchr(at, '\t') : NULL; at && *at == '\t';) {
		long number = strtol(at + 1, &at, 10);

		(void)snprintf(out + strlen(out), sizeof(out) - strlen(out), " %s",
			       number == 1    ? "1"
			       : number == of ? "above"
					      : "other");
	}
	say("%s of %s:%s", line, of == getpid() ? "the caller" : path[6] == 's' ? "the caller in it" : "another", out);
}

static void second(pid_t above)
{
	FACT(getpid() > 1);
	say("parent %s", is(getppid(), above));
	SHOW(kill(1, 0));
	FACT(kill(getpid(), 0) == 0);
	listing("the second");
	say("group of init %s", is(getpgid(1), above));
	SHOW(kill(1, SIGTERM));
	SHOW(kill(1, SIGKILL));
	SHOW(kill(-1, 0));
	_exit(7);
}

static void init(pid_t above)
{
	int status;
	pid_t pid;

	MUST(unshare(CLONE_NEWNS));
	MUST(mount("proc", "/proc", "proc", 0, NULL));
	SHOW(getpid());
	SHOW(syscall(SYS_gettid));
	SHOW(getppid());
	SHOW(kill(above, 0));
	SHOW(getpgid(0));
	SHOW(setsid());
	SHOW(getsid(0));
	SHOW(unshare(CLONE_NEWPID | CLONE_NEWUTS));
	SHOW(unshare(CLONE_NEWPID));
	MUST(signal(SIGUSR1, SIG_IGN) == SIG_ERR ? -1 : 0);
	SHOW(kill(1, SIGTERM));
	listing("init");
	levels("/proc/self/status", "NSpid", above);
	gate_open(&ready);
	gate_wait(&go);
	pid = fork_or_die();
	if (pid == 0) {
		SHOW(getpid());
		SHOW(getppid());
		SHOW(kill(2, 0));
		_exit(3);
	}
	MUST(waitpid(pid, &status, 0));
	say("the third level ended %d", WEXITSTATUS(status));
	SHOW(fork()); /* in a namespace that has ended */
	_exit(5);
}

/* clone(2) makes one for the child alone. */
static void by_clone(void)
{
	int status;
	pid_t pid = (pid_t)MUST(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL));

	if (pid == 0) {
		pid_t me = getpid(), child;

		MUST(unshare(CLONE_NEWNS));
		MUST(mount("proc", "/proc", "proc", 0, NULL));
		child = fork_or_die();
		if (child == 0)
			second(me);
		MUST(waitpid(child, &status, 0));
		say("the second ended %d", WEXITSTATUS(status));
		_exit(4);
	}
	MUST(waitpid(pid, &status, 0));
	say("clone: %d", WEXITSTATUS(status));
	CHILD(FACT(getpid() > 1));
}

int main(void)
{
	char path[64];
	int status;
	pid_t pid;

	ready = gate_new();
	go = gate_new();
	by_clone();
	SHOW(syscall(SYS_clone, CLONE_NEWPID | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND, NULL, NULL, NULL, NULL));
	pid = fork_or_die();
	if (pid == 0) {
		pid_t child, me = getpid();

		MUST(unshare(CLONE_NEWPID));
		FACT(getpid() == me);
		SHOW(unshare(CLONE_NEWPID));
		child = fork_or_die();
		if (child == 0)
			init(me);
		gate_wait(&ready);
		FACT(child > 1 && kill(child, 0) == 0);
		SHOW(kill(child, SIGTERM)); /* which it does not handle */
		(void)snprintf(path, sizeof(path), "/proc/%d/status", child);
		levels(path, "NSpid", child);
		levels(path, "PPid", me);
		gate_open(&go);
		MUST(waitpid(child, &status, 0));
		say("init ended %d", WEXITSTATUS(status));
		SHOW(fork()); /* nobody is born where init has ended */
		_exit(6);
	}
	MUST(waitpid(pid, &status, 0));
	say("done %d", WEXITSTATUS(status));
	return 0;
}
