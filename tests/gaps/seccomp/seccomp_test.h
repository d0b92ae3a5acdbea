/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of guests' own filters share: filters made of rows, and calls that the agent answers or rewrites when the tests run under lichen with
 * gap identity, each without effect. All that lichen could do wrong is to let them by.
 */
#ifndef SECCOMP_TEST_H
#define SECCOMP_TEST_H

#include "difftest.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#define INSNS_MAX 4096

#define LOAD(field) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field)))
#define IF_EQUAL(k, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), (yes), (no)))
#define RETURN(k) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (k)))

static long install(const struct sock_filter *insn, size_t count, unsigned flags)
{
	struct sock_fprog program = { (unsigned short)count, (struct sock_filter *)insn };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
#define INSTALL(flags, ...)                                  \
	install((const struct sock_filter[]){ __VA_ARGS__ }, \
		sizeof((const struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter), flags)

/* A filter that gives `action` for one call, and allows all others. */
MAYBE_UNUSED static long install_for(long nr, unsigned action, unsigned flags)
{
	return INSTALL(flags, LOAD(nr), IF_EQUAL((unsigned)nr, 0, 1), RETURN(action), RETURN(SECCOMP_RET_ALLOW));
}

MAYBE_UNUSED static void no_new_privs(void)
{
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* Installs it for the process, after no_new_privs. */
MAYBE_UNUSED static void filter_call(long nr, unsigned action)
{
	no_new_privs();
	MUST(install_for(nr, action, 0));
}

/* A call that does nothing. */
struct plain_call {
	const char *name;
	long nr;
	long arg[6];
};

/* Calls that gap identity answers, that the engine makes in another form, and that the kernel sees as they are. */
static const struct plain_call plain_calls[] = {
	{ "setresuid", SYS_setresuid, { -1, -1, -1 } },
	{ "getgroups", SYS_getgroups, { 0, 0 } },
	{ "capset", SYS_capset, { 0, 0 } },
	{ "chown", SYS_chown, { 0, -1, -1 } },
	{ "execve", SYS_execve, { 0, 0, 0 } },
	{ "execveat", SYS_execveat, { -1, 0, 0, 0, 0 } },
	{ "clone3", SYS_clone3, { 0, 0 } },
	{ "rt_sigpending", SYS_rt_sigpending, { 0, 8 } },
	{ "open", SYS_open, { 0, 0, 0 } },
	{ "readlink", SYS_readlink, { 0, 0, 0 } },
	{ "getdents64", SYS_getdents64, { -1, 0, 0 } },
	{ "prctl", SYS_prctl, { PR_GET_SECCOMP } },
	{ "getppid", SYS_getppid, { 0 } },
	{ "lseek", SYS_lseek, { -1, 0, 0 } },
};

MAYBE_UNUSED static long make(const struct plain_call *call)
{
	return syscall(call->nr, call->arg[0], call->arg[1], call->arg[2], call->arg[3], call->arg[4], call->arg[5]);
}

/* Its result without filters differs by kernel: only what the filters are to do with it is shown. */
MAYBE_UNUSED static void show_refused(const struct plain_call *call)
{
	long result = make(call);

	if (result == -1)
		say("%s: %s", call->name, errno_name(errno));
	else
		say("%s: %ld", call->name, result);
}

/* How a child that makes the call ends. */
MAYBE_UNUSED static void show_end(const struct plain_call *call)
{
	int status;
	pid_t pid = fork_or_die();

	if (pid == 0) {
		make(call);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		say("%s: SIG%s", call->name, sigabbrev_np(WTERMSIG(status)));
	else
		say("%s: status %d", call->name, WEXITSTATUS(status));
}

/* A line of /proc/…/status, or "" where this kernel has none. */
MAYBE_UNUSED static void status_line(const char *path, const char *name, char *to, size_t size)
{
	char text[8192], *at;

	read_file(path, text, sizeof(text));
	at = strstr(text, name);
	to[0] = '\0';
	if (at)
		snprintf(to, size, "%.*s", (int)strcspn(at, "\n"), at);
}

#endif
