/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openat2 with RESOLVE_BENEATH and RESOLVE_IN_ROOT while another process moves directories out of the root and back and exchanges a
 * directory with a link: nothing outside is ever opened. (The kernel may say EAGAIN, lichen need not: only what was opened counts.)
 */
#include "openat2_test.h"

#include <stdatomic.h>

static atomic_int *stop;

static void mover(void)
{
	MUST(symlink("../../outside", "root/trap"));
	while (!atomic_load(stop)) {
		rename("root/sub/low", "outside/low"); /* sub/low/../.. is now above outside */
		rename("outside/low", "root/sub/low");
		syscall(SYS_renameat2, AT_FDCWD, "root/sub", AT_FDCWD, "root/trap", 2 /* RENAME_EXCHANGE */);
		syscall(SYS_renameat2, AT_FDCWD, "root/sub", AT_FDCWD, "root/trap", 2);
	}
}

int main(void)
{
	static const char *const paths[] = { "sub/low/../../secret", "sub/low/../secret",        "sub/secret",
					     "trap/secret",          "sub/../../outside/secret", "sub/low/../../../outside/secret",
					     "sub/low/../leaf" };
	int root, rounds = scaled(6000), opened = 0, escaped = 0, odd = 0;
	pid_t pid;

	make_tree();
	stop = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	root = (int)MUST(open("root", O_PATH | O_DIRECTORY));
	pid = fork_or_die();
	if (pid == 0) {
		mover();
		_exit(0);
	}
	for (int i = 0; i < rounds; i++) {
		struct open_how how = { .flags = O_RDONLY, .resolve = i & 1 ? RESOLVE_BENEATH : RESOLVE_IN_ROOT };
		const char *path = paths[(unsigned)i / 2 % COUNT(paths)];
		long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		char text[64] = "";

		if (fd < 0) {
			odd += errno != EAGAIN && errno != EXDEV && errno != ENOENT && errno != ENOTDIR && errno != ELOOP;
			continue;
		}
		opened++;
		(void)!read((int)fd, text, sizeof(text) - 1);
		escaped += !strcmp(text, "outside/secret");
		close((int)fd);
	}
	atomic_store(stop, 1);
	reap(pid);
	FACT(opened > 0);
	say("escaped: %d, other errors: %d", escaped, odd);
	return 0;
}
