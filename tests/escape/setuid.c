/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that give privilege to whoever runs them: set-user-ID root, and file capabilities. We are copies of both. ARG: their paths. */
#include "attack.h"

#include <linux/capability.h>

/* The copy: privileged? */
static int judge(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	(void)syscall(SYS_capget, &header, data);
	return geteuid() == 0 || data[0].permitted ? 42 : EPERM;
}

static int run(const char *path)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		(void)execl(path, "copy", (char *)NULL);
		_exit(errno);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return errno;
	return WEXITSTATUS(status) == 42 ? 0 : WEXITSTATUS(status);
}

static int set_user(const struct attack *a)
{
	return run(a->more[0]);
}

static int capabilities(const struct attack *a)
{
	return run(a->more[1]);
}

static const struct way ways[] = {
	{ "setuid", set_user },
	{ "capabilities", capabilities },
};

int main(int argc, char **argv)
{
	return argc == 1 ? judge() : attack_main(ways, COUNT(ways), argc, argv);
}
