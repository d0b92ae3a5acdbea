/* SPDX-License-Identifier: Apache-2.0 */
/* A read of /dev/kmsg that waits is interrupted by a signal, or restarted. */
#include "kmsg.h"

static volatile int count;

static void on_alarm(int sig)
{
	(void)sig;
	count++;
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { 0, 300000 }, .it_interval = { 0, 300000 } }; /* one may come between two reads */
	char record[8192];
	int reader = kmsg_reader(O_RDONLY), writer;
	pid_t child;
	ssize_t n;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	do
		n = read(reader, record, sizeof(record)); /* other people's records */
	while (n > 0);
	say("read: %s", errno_name(errno));
	action.sa_flags = SA_RESTART;
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	timer.it_interval.tv_usec = 0;
	count = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	child = fork();
	if (child == 0) {
		usleep(700000);
		writer = (int)MUST(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
		(void)kmsg_write(writer, "", "after the signal");
		_exit(0);
	}
	do
		n = read(reader, record, sizeof(record) - 1);
	while (n > 0 && (record[n] = 0, !strstr(record, kmsg_mark)));
	FACT(n > 0 && count == 1);
	waitpid(child, NULL, 0);
	return 0;
}
