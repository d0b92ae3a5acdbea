/* SPDX-License-Identifier: Apache-2.0 */
/* process_vm_readv: another process's memory and one's own; vectors, partial transfers, page protection, who is there. */
#include "difftest.h"

#include <sys/uio.h>

static long get(pid_t pid, const struct iovec *local, unsigned long locals, const struct iovec *remote, unsigned long remotes)
{
	return syscall(SYS_process_vm_readv, pid, local, locals, remote, remotes, 0);
}

static char *shared_layout; /* five pages: data, data, none, read-only, write-only */

static void prepare(void)
{
	shared_layout = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(shared_layout, 'a', 5 * PAGE);
	MUST(mprotect(shared_layout + 2 * PAGE, PAGE, PROT_NONE));
	MUST(mprotect(shared_layout + 3 * PAGE, PAGE, PROT_READ));
	strcpy(shared_layout, "one");
	strcpy(shared_layout + PAGE, "two");
}

static void reads(const char *who, pid_t pid)
{
	static char a[4 * PAGE], b[64];
	struct iovec local[3] = { { a, 3 }, { b, 5 }, { NULL, 0 } };
	struct iovec remote[3] = { { shared_layout, 4 }, { shared_layout + PAGE, 4 }, { NULL, 0 } };
	struct iovec many[1025];

	say("%s", who);
	SHOW(get(pid, local, 2, remote, 2));
	FACT(!memcmp(a, "one", 3) && !memcmp(b, "\0two", 5));
	SHOW(get(pid, local, 1, remote, 2));
	SHOW(get(pid, local, 3, remote, 3));
	SHOW(get(pid, local, 0, remote, 2));
	SHOW(get(pid, local, 2, remote, 0));
	SHOW(get(pid, &local[2], 1, bad_pointer(), 2000));
	/* up to the bad page, inside one element and between elements */
	local[0] = (struct iovec){ a, sizeof(a) };
	remote[0] = (struct iovec){ shared_layout + PAGE + 100, 2 * PAGE };
	SHOW(get(pid, local, 1, remote, 1));
	remote[0] = (struct iovec){ shared_layout, 100 };
	remote[1] = (struct iovec){ shared_layout + 2 * PAGE, 100 };
	SHOW(get(pid, local, 1, remote, 2));
	remote[0] = remote[1];
	SHOW(get(pid, local, 1, remote, 1));
	remote[0] = (struct iovec){ shared_layout + 3 * PAGE, 2 * PAGE };
	SHOW(get(pid, local, 1, remote, 1));
	remote[0] = (struct iovec){ NULL, 8 };
	SHOW(get(pid, local, 1, remote, 1));
	/* the local side ends early */
	remote[0] = (struct iovec){ shared_layout, 2 * PAGE };
	local[0] = (struct iovec){ tail(100), PAGE };
	SHOW(get(pid, local, 1, remote, 1));
	local[0] = (struct iovec){ read_only_copy("x", 1), 10 };
	SHOW(get(pid, local, 1, remote, 1));
	local[0] = (struct iovec){ (void *)(uintptr_t)0x8000000000000000, 10 };
	SHOW(get(pid, local, 1, remote, 1));
	for (int i = 0; i < 1025; i++)
		many[i] = (struct iovec){ shared_layout + i, 1 };
	local[0] = (struct iovec){ a, sizeof(a) };
	SHOW(get(pid, local, 1, many, 1024));
	SHOW(get(pid, local, 1, many, 1025));
	SHOW(get(pid, many, 1025, remote, 1));
	SHOW(get(pid, local, 1, bad_pointer(), 1));
	SHOW(get(pid, bad_pointer(), 1, remote, 1));
	remote[0].iov_len = (size_t)-1;
	SHOW(get(pid, local, 1, remote, 1));
	local[0].iov_len = (size_t)-1;
	SHOW(get(pid, local, 1, remote, 1));
}

static void who_is_there(pid_t child)
{
	char a[8];
	struct iovec local = { a, 8 }, remote = { shared_layout, 8 };
	pid_t zombie = fork_or_die();

	if (zombie == 0)
		_exit(0);
	SHOW(get(INT_MAX, &local, 1, &remote, 1));
	SHOW(get(0, &local, 1, &remote, 1));
	SHOW(get(-1, &local, 1, &remote, 1));
	SHOW(syscall(SYS_process_vm_readv, child, &local, 1, &remote, 1, 1));
	SHOW(syscall(SYS_process_vm_readv, INT_MAX, NULL, 0, NULL, 0, 1));
	wait_state(zombie, zombie, 'Z');
	SHOW(get(zombie, &local, 1, &remote, 1));
	reap(zombie);
	SHOW(get(zombie, &local, 1, &remote, 1));
}

int main(void)
{
	struct gate gate = gate_new();
	pid_t child;

	prepare();
	child = fork_or_die();
	if (child == 0) {
		strcpy(shared_layout + 10, "child");
		gate_open(&gate);
		for (;;)
			pause();
	}
	gate_wait(&gate);
	reads("of a child", child);
	reads("of oneself", getpid());
	who_is_there(child);
	CHILD({
		struct iovec local = { (char[8]){ 0 }, 8 }, remote = { shared_layout + 10, 8 };
		SHOW(get(getppid(), &local, 1, &remote, 1)); /* ptrace_scope is 0 here */
	});
	kill(child, SIGKILL);
	reap_quietly(child);
	return 0;
}
