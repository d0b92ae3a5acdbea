/* SPDX-License-Identifier: Apache-2.0 */
/* UTS namespaces of processes and threads: made by unshare(2) and clone(2), inherited by fork, vfork, threads and execve. */
#include "difftest.h"
#include <linux/sched.h>
#include <sched.h>
#include <sys/utsname.h>

static void told(const char *what)
{
	struct utsname name;
	char file[256];

	MUST(uname(&name));
	read_file("/proc/sys/kernel/hostname", file, sizeof(file));
	say("%s: %s %s %s", what, name.nodename, name.domainname, file);
}

static void set(const char *name)
{
	MUST(sethostname(name, strlen(name)));
}

static void *in_thread(void *arg)
{
	(void)arg;
	told("thread");
	MUST(unshare(CLONE_NEWUTS));
	set("thread");
	told("thread, unshared");
	CHILD(told("child of the thread"));
	return NULL;
}

static void *asks(void *arg)
{
	told(arg);
	return NULL;
}

static void child_sets(void)
{
	CHILD(told("child"); set("grand"));
}

static pid_t clone_child(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void clones(void)
{
	struct clone_args args = { .flags = CLONE_NEWUTS, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)MUST(clone_child(CLONE_NEWUTS));

	if (pid == 0) {
		told("cloned");
		set("cloned");
		told("cloned, set");
		_exit(0);
	}
	reap(pid);
	told("after clone");
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		set("cloned3");
		told("cloned by clone3");
		_exit(0);
	}
	if (pid > 0)
		reap(pid);
	told("after clone3");
}

static void unprivileged(void)
{
	AS_USER(1000, 1000, {
		SHOW(unshare(CLONE_NEWUTS));
		SHOW(clone_child(CLONE_NEWUTS));
		told("another user");
	});
}

int main(int argc, char **argv)
{
	pid_t pid;

	(void)argv;
	if (argc > 1) {
		told("executed");
		set("exec");
		told("executed, set");
		return 0;
	}
	set("first");
	MUST(setdomainname("domain", 6));
	CHILD({
		SHOW(unshare(CLONE_NEWUTS));
		told("unshared");
		set("second");
		told("set");
		child_sets();
		told("set by a child");
		SHOW(unshare(CLONE_NEWUTS));
		told("again");
		set("third");
		told("set again");
		execl("/proc/self/exe", "prog", "again", NULL);
	});
	told("parent");
	pthread_join(thread_start(in_thread, NULL), NULL);
	told("main thread");
	pthread_join(thread_start(asks, (char[]){ "another thread" }), NULL);
	clones();
	pid = vfork();
	if (pid == 0) {
		execl("/proc/self/exe", "prog", "again", NULL);
		_exit(1);
	}
	reap(pid);
	told("set by a vfork child's program");
	unprivileged();
	SHOW(unshare(CLONE_NEWUTS));
	pthread_join(thread_start(asks, (char[]){ "thread of an unshared one" }), NULL);
	return 0;
}
