/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/tty is the controlling terminal, of whoever has one; /dev/ptmx makes new ones. */
#include "difftest.h"

#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

static void in_session(const char *slave)
{
	struct stat st;
	char text[16] = "";
	int tty;

	MUST(setsid());
	OK(open("/dev/tty", O_RDWR));
	tty = (int)MUST(open(slave, O_RDWR | O_NOCTTY));
	OK(ioctl(tty, TIOCSCTTY, 0));
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	FACT(tty >= 0);
	FACT(isatty(tty));
	FACT(tcgetsid(tty) == getpid());
	OK(stat("/dev/tty", &st));
	say("%o %u:%u", st.st_mode, major(st.st_rdev), minor(st.st_rdev));
	SHOW(write(tty, "hello\n", 6));
	SHOW(read(tty, text, sizeof(text)));
	say("%s", text);
	_exit(0);
}

int main(void)
{
	char *slave, text[64] = "";
	size_t used = 0;
	ssize_t n;
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), status;
	pid_t child;

	FACT(master >= 0);
	OK(grantpt(master));
	OK(unlockpt(master));
	slave = ptsname(master);
	FACT(slave && !strncmp(slave, "/dev/pts/", 9));
	SHOW(write(master, "typed\n", 6));
	child = fork();
	if (child == 0)
		in_session(slave);
	MUST(waitpid(child, &status, 0));
	FACT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	while (!strstr(text, "hello") && (n = read(master, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n; /* the echo of what was typed comes first */
	say("%s", strstr(text, "hello") ? "heard" : text);
	return 0;
}
