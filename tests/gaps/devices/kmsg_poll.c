/* SPDX-License-Identifier: Apache-2.0 */
/* poll, select and epoll of /dev/kmsg tell of a record that is there, and of one that comes while they sleep. */
#include "kmsg.h"

#include <sys/epoll.h>
#include <sys/select.h>

static void *write_later(void *arg)
{
	int writer = (int)MUST(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));

	(void)arg;
	usleep(200000);
	(void)kmsg_write(writer, "", "later");
	close(writer);
	return NULL;
}

int main(void)
{
	int reader = kmsg_reader(O_RDONLY | O_NONBLOCK), writer = (int)MUST(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = (int)MUST(epoll_create1(EPOLL_CLOEXEC));
	struct timeval second = { 5, 0 };
	pthread_t thread;
	fd_set set;

	FACT(kmsg_write(writer, "", "one") > 0);
	say("%s", kmsg_next(reader, NULL, NULL));
	OK(epoll_ctl(epoll, EPOLL_CTL_ADD, reader, &event));
	pthread_create(&thread, NULL, write_later, NULL);
	say("%s", kmsg_next(reader, NULL, NULL));
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, write_later, NULL);
	SHOW(epoll_wait(epoll, &event, 1, 5000));
	FACT(event.events == EPOLLIN);
	say("%s", kmsg_next(reader, NULL, NULL));
	pthread_join(thread, NULL);
	FACT(kmsg_write(writer, "", "selected") > 0);
	FD_ZERO(&set);
	FD_SET(reader, &set);
	SHOW(select(reader + 1, &set, NULL, NULL, &second));
	say("%s", kmsg_next(reader, NULL, NULL));
	/* a read that waits */
	fcntl(reader, F_SETFL, 0);
	pthread_create(&thread, NULL, write_later, NULL);
	say("%s", kmsg_next(reader, NULL, NULL));
	pthread_join(thread, NULL);
	return 0;
}
