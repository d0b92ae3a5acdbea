/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self/fdinfo of a pidfd names its process: alive, as a zombie, reaped; in a child that has it; other descriptors' as ever. */
#include "difftest.h"

/* The number behind a word at the beginning of a line; 0 when there is none. */
static int told(int fd, const char *folder, const char *word)
{
	char path[64], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%d", folder, fd);
	if (!read_file(path, text, sizeof(text)))
		say("%s not read: %s", folder, errno_name(errno));
	at = strstr(text, word);
	return at && (at == text || at[-1] == '\n') ? atoi(at + strlen(word)) : 0;
}

int main(void)
{
	pid_t pid = fork_or_die();
	char text[64];
	int fd;

	if (pid == 0)
		for (;;)
			pause();
	fd = (int)MUST(syscall(SYS_pidfd_open, pid, 0));
	FACT(told(fd, "self", "Pid:\t") == pid);
	FACT(told(fd, "thread-self", "NSpid:\t") == pid);
	CHILD({
		FACT(told(fd, "self", "Pid:\t") == pid);
		close(fd);
		SHOW(open("/proc/self/fdinfo/3", O_RDONLY)); /* fd's */
	});
	FACT(told(STDOUT_FILENO, "self", "Pid:\t") == 0);
	FACT(read_file("/proc/self/fdinfo/1", text, sizeof(text)) > 0);
	SHOW(open("/proc/self/fdinfo/1000", O_RDONLY));
	SHOW(open("/proc/self/fdinfo/", O_RDWR));
	kill(pid, SIGKILL);
	wait_state(pid, pid, 'Z');
	FACT(told(fd, "self", "Pid:\t") == pid);
	reap_quietly(pid);
	FACT(told(fd, "self", "Pid:\t") == -1);
	FACT(told(fd, "self", "NSpid:\t") == -1);
	fd = (int)MUST(syscall(SYS_pidfd_open, getpid(), 0));
	FACT(told(fd, "self", "Pid:\t") == getpid());
	return 0;
}
