/* SPDX-License-Identifier: Apache-2.0 */
/* A core dump is written by the kernel, into the directory where the process stands: OUTSIDE. */
#include "attack.h"

#include <glob.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int dump(const struct attack *a)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	char pattern[4096];
	glob_t found;
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		(void)prctl(PR_SET_DUMPABLE, 1);
		if (setrlimit(RLIMIT_CORE, &all) < 0 || chdir(a->outside) < 0)
			_exit(errno);
		abort();
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return errno;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return glob(below(pattern, sizeof(pattern), a->outside, "core*"), 0, NULL, &found) == 0 ? 0 : NOTHING;
}

static const struct way ways[] = {
	{ "core", dump },
};

ATTACK_MAIN(ways)
