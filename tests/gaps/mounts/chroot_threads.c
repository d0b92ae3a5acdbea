// SPDX-License-Identifier: Apache-2.0
/* Threads share a root directory until one of them parts with the others. */
#include "../fs/fs_test.h"

#include <sched.h>

static void where(const char *what)
{
	char text[256];
	long n = syscall(SYS_getcwd, text, sizeof(text));

	say("%s: %s", what, n < 0 ? errno_name(errno) : text);
}

static void *parts(void *arg)
{
	OK(unshare(CLONE_FS));
	OK(chroot("/t/dir"));
	OK(access("/in", F_OK));
	CHILD(OK(access("/in", F_OK)); OK(chdir("/")); where("child of a thread"););
	return arg;
}

static void *looks(void *arg)
{
	OK(access("/file", F_OK));
	return arg;
}

static void threads(void)
{
	pthread_join(thread_start(parts, NULL), NULL);
	OK(access("/t/dir/in", F_OK));
	OK(chroot("/t"));
	pthread_join(thread_start(looks, NULL), NULL);
	pthread_join(thread_start(parts, NULL), NULL);
	OK(access("/file", F_OK));
}

static void *goes(void *arg)
{
	struct gate *gates = arg;

	OK(unshare(CLONE_FS));
	gate_open(&gates[0]);
	gate_wait(&gates[1]);
	OK(access("/t/file", F_OK));
	where("the thread");
	return NULL;
}

/* Of the working directory, too. */
static void others_go(void)
{
	struct gate gates[] = { gate_new(), gate_new() };
	pthread_t thread = thread_start(goes, gates);

	gate_wait(&gates[0]);
	OK(chroot("/t/dir"));
	OK(chdir("/sub"));
	gate_open(&gates[1]);
	pthread_join(thread, NULL);
	where("the process");
}

int main(void)
{
	tree_make();
	CHILD(threads());
	CHILD(others_go());
	OK(access("/t/dir/in", F_OK));
	return 0;
}
