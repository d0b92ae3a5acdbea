// SPDX-License-Identifier: Apache-2.0
/* A thread with a working directory and a umask of its own. */
#include "fs_test.h"

#include <sched.h>

static void where(const char *what)
{
	char text[64];

	say("%s: %s", what, syscall(SYS_getcwd, text, sizeof(text)) > 0 ? text : errno_name(errno));
}

static void *alone(void *arg)
{
	OK(unshare(CLONE_FS));
	OK(chdir("/t/dir/sub"));
	where("in the thread");
	show_path("there", "../in", reach_fd(open("../in", O_RDONLY)));
	SHOW(umask(0));
	return arg;
}

int main(void)
{
	tree_make();
	MUST(chdir("/t/dir"));
	pthread_join(thread_start(alone, NULL), NULL);
	where("a thread went alone");
	show_path("here", "in", reach_fd(open("in", O_RDONLY)));
	SHOW(umask(0));
	return 0;
}
