/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sandbox that kills for every call but those that this program and the loader make: nothing else that happens to carry them out may be counted as the
 * program's. Files, directories, children of both kinds, threads, signals, a program.
 */
#include "seccomp_test.h"

static const unsigned allowed[] = {
	SYS_read,
	SYS_write,
	SYS_openat,
	SYS_close,
	SYS_exit_group,
	SYS_exit,
	SYS_clone,
	SYS_wait4,
	SYS_vfork,
	SYS_rt_sigaction,
	SYS_rt_sigreturn,
	SYS_kill,
	SYS_execve,
	SYS_chown,
	SYS_getuid,
	SYS_setresuid,
	SYS_getdents64,
	SYS_readlink,
	/* what the loader and the C library do */
	SYS_brk,
	SYS_mmap,
	SYS_munmap,
	SYS_mprotect,
	SYS_access,
	SYS_pread64,
	SYS_newfstatat,
	SYS_fstat,
	SYS_arch_prctl,
	SYS_set_tid_address,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_prlimit64,
	SYS_getrandom,
	SYS_rt_sigprocmask,
	SYS_clone3,
	SYS_futex,
	SYS_madvise,
};

static volatile sig_atomic_t handled;

static void handler(int signal)
{
	handled = signal;
}

static void sandbox(unsigned otherwise)
{
	struct sock_filter insn[2 * COUNT(allowed) + 2];
	size_t n = 0;

	insn[n++] = LOAD(nr);
	for (size_t i = 0; i < COUNT(allowed); i++) {
		insn[n++] = IF_EQUAL(allowed[i], 0, 1);
		insn[n++] = RETURN(SECCOMP_RET_ALLOW);
	}
	insn[n++] = RETURN(otherwise);
	no_new_privs();
	MUST(install(insn, n, 0));
}

static void show_head(const char *path)
{
	char head[6] = "";
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);

	SHOW(syscall(SYS_read, fd, head, 5));
	say("%s: %s", path, head);
	SHOW(syscall(SYS_close, fd));
}

static void files(void)
{
	char buffer[4096];
	int fd;

	show_head("/proc/self/status");
	show_head("/etc/passwd");
	SHOW(syscall(SYS_openat, AT_FDCWD, "/nowhere", O_RDONLY));
	fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self", O_RDONLY | O_DIRECTORY);
	FACT(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)) > 0);
	SHOW(syscall(SYS_close, fd));
	FACT(syscall(SYS_readlink, "/proc/self/exe", buffer, sizeof(buffer)) > 0);
	SHOW(syscall(SYS_chown, "/nowhere", 0, 0));
	SHOW(syscall(SYS_setresuid, -1, -1, -1));
	FACT(syscall(SYS_getuid) == 0);
}

static void *thread(void *unused)
{
	(void)unused;
	SHOW(syscall(SYS_setresuid, -1, -1, -1));
	return NULL;
}

static void children(pid_t self, char *program)
{
	char *argv[] = { program, (char *)"again", NULL }, *envp[] = { NULL };
	int status;
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		say("child");
		syscall(SYS_exit_group, 3);
	}
	SHOW(syscall(SYS_wait4, pid, &status, 0, NULL) == pid && WEXITSTATUS(status) == 3);
	pthread_join(thread_start(thread, NULL), NULL);
	pid = vfork();
	if (pid == 0) {
		syscall(SYS_execve, program, argv, envp);
		_exit(1);
	}
	SHOW(syscall(SYS_wait4, pid, &status, 0, NULL) == pid && status == 0);
	signal(SIGUSR1, handler);
	SHOW(syscall(SYS_kill, self, SIGUSR1));
	FACT(handled == SIGUSR1);
	syscall(SYS_execve, program, argv, envp);
}

int main(int argc, char **argv)
{
	static const unsigned actions[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ERRNO | EL2NSYNC, SECCOMP_RET_TRAP };

	if (argc > 1) {
		show_head("/proc/self/status");
		return 0;
	}
	for (size_t i = 0; i < COUNT(actions); i++)
		CHILD({
			pid_t self = getpid();

			sandbox(actions[i]);
			files();
			children(self, argv[0]);
		});
	CHILD(sandbox(SECCOMP_RET_KILL_PROCESS); syscall(SYS_getppid));
	CHILD(sandbox(SECCOMP_RET_KILL_PROCESS); syscall(SYS_capset, 0, 0));
	return 0;
}
