/* SPDX-License-Identifier: Apache-2.0 */
/* TIOCLINUX on a virtual console: pastes what is selected as if it were typed. Stdin is the console; only the shift keys are asked for. */
#include "attack.h"

#include <linux/tiocl.h>
#include <sys/ioctl.h>

static int ask(unsigned long request)
{
	char subcode = TIOCL_GETSHIFTSTATE;

	return outcome(syscall(SYS_ioctl, STDIN_FILENO, request, &subcode));
}

static int tioclinux(const struct attack *a)
{
	(void)a;
	return ask(TIOCLINUX);
}

static int tioclinux_64(const struct attack *a)
{
	(void)a;
	return ask(TIOCLINUX | 1UL << 40);
}

static const struct way ways[] = {
	{ "tioclinux", tioclinux },
	{ "tioclinux_64", tioclinux_64 },
};

ATTACK_MAIN(ways)
