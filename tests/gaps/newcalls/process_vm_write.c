/* SPDX-License-Identifier: Apache-2.0 */
/* process_vm_writev: one's own memory and a stopped tracee's; what is read-only stays so. */
#include "difftest.h"

#include <sys/ptrace.h>
#include <sys/uio.h>

static long put(pid_t pid, const struct iovec *local, unsigned long locals, const struct iovec *remote, unsigned long remotes)
{
	return syscall(SYS_process_vm_writev, pid, local, locals, remote, remotes, 0);
}

static char *pages; /* three: data, read-only, none */

static void writes(const char *who, pid_t pid)
{
	static char hello[] = "hello ", world[] = "world";
	struct iovec local[2] = { { hello, 6 }, { world, 6 } }, remote[2] = { { pages + 3, 5 }, { pages + 50, 100 } };
	static char big[3 * PAGE];

	say("%s", who);
	SHOW(put(pid, local, 2, remote, 2));
	remote[0] = (struct iovec){ pages + PAGE, 10 };
	SHOW(put(pid, local, 2, remote, 1));
	remote[0] = (struct iovec){ pages + 2 * PAGE, 10 };
	SHOW(put(pid, local, 2, remote, 1));
	memset(big, 'z', sizeof(big));
	local[0] = (struct iovec){ big, sizeof(big) };
	remote[0] = (struct iovec){ pages + PAGE - 100, 200 };
	SHOW(put(pid, local, 1, remote, 1));
	local[0] = (struct iovec){ bad_pointer(), 10 };
	remote[0] = (struct iovec){ pages, 10 };
	SHOW(put(pid, local, 1, remote, 1));
	local[0] = (struct iovec){ tail(20), 100 };
	remote[0] = (struct iovec){ pages + 200, 100 };
	SHOW(put(pid, local, 1, remote, 1));
	local[0].iov_len = 0;
	SHOW(put(pid, local, 1, remote, 1));
	SHOW(put(pid, local, 1025, remote, 1));
}

static bool written(void)
{
	return !memcmp(pages, "aaahelloa", 9) && !memcmp(pages + 50, " world\0aa", 9) && pages[PAGE - 101] == 'a' &&
	       pages[PAGE - 100] == 'z' && pages[PAGE - 1] == 'z' && pages[PAGE] == 'a' && pages[219] == 0x5a && pages[220] == 'a';
}

int main(void)
{
	int status = 0;
	pid_t child;

	pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(pages, 'a', 3 * PAGE);
	MUST(mprotect(pages + PAGE, PAGE, PROT_READ));
	MUST(mprotect(pages + 2 * PAGE, PAGE, PROT_NONE));
	child = fork_or_die();
	if (child == 0) {
		MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		kill(getpid(), SIGSTOP);
		_exit(written() ? 11 : 12);
	}
	MUST(waitpid(child, &status, 0));
	writes("of a stopped tracee", child);
	MUST(ptrace(PTRACE_DETACH, child, NULL, NULL)); /* traced on, it would stop at SIGSYS under lichen */
	reap(child);
	writes("of oneself", getpid());
	FACT(written());
	SHOW(put(INT_MAX, &(struct iovec){ pages, 1 }, 1, &(struct iovec){ pages, 1 }, 1));
	return 0;
}
