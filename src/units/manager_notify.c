/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3): what a service says of itself. Its socket has an abstract name: whoever the service runs as can reach it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "units/manager_int.h"
#include "units/unit_value.h"

#define MESSAGE_MAX 4096
#define FDS_MAX 32

int managed_notify_open(struct managed *managed)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int one = 1;
	const char *access = unit_get(managed->unit, "Service", "NotifyAccess");

	if (managed->notify >= 0 || (managed->type != SERVICE_NOTIFY && (!access || strcmp(access, "none") == 0)))
		return 0;
	(void)snprintf(managed->notify_name, sizeof(managed->notify_name), "@lichen/%s/%zu", managed->manager->cell.id,
		       (size_t)(managed - managed->manager->units));
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0)
		return -errno;
	(void)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", managed->notify_name + 1);
	if (bind(fd, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(managed->notify_name))) < 0)
		return -errno;
	managed->notify = take_fd(&fd);
	return 0;
}

static void take_pid(struct managed *managed, const char *value)
{
	s64 pid;

	if (unit_integer(value, 2, INT32_MAX, &pid) < 0 || !managed_has(managed, (pid_t)pid))
		return;
	managed->main_pid = (pid_t)pid;
	managed->main_started = managed_process_start((pid_t)pid);
}

static void take_assignment(struct managed *managed, const char *line)
{
	s64 number;

	if (strncmp(line, "STATUS=", 7) == 0) {
		(void)snprintf(managed->status_text, sizeof(managed->status_text), "%s", line + 7);
	} else if (strncmp(line, "MAINPID=", 8) == 0) {
		take_pid(managed, line + 8);
	} else if (strcmp(line, "READY=1") == 0) {
		managed->reloading = false;
		managed->announced = true;
	} else if (strcmp(line, "RELOADING=1") == 0) {
		managed->reloading = true;
	} else if (strncmp(line, "EXTEND_TIMEOUT_USEC=", 20) == 0 && unit_integer(line + 20, 0, INT64_MAX, &number) == 0) {
		managed->extended = manager_now_ms() + number / 1000;
	}
	managed->manager->changed = true;
}

/* gVisor's credentials name the thread that has sent. */
static bool is_thread(pid_t process, pid_t thread)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d", process, thread);
	return process > 0 && access(path, F_OK) == 0;
}

/* Whether who sent it may: NotifyAccess=. A process that has ended already, as systemd-notify(1), is known by its user. */
static bool may_notify(struct managed *managed, const struct ucred *sender)
{
	const char *access = unit_get(managed->unit, "Service", "NotifyAccess");

	if (!sender)
		return false;
	if (sender->pid == managed->main_pid || is_thread(managed->main_pid, sender->pid))
		return true;
	if (access && strcmp(access, "main") == 0)
		return false;
	return managed_has(managed, sender->pid) ||
	       (!managed_process_lives(sender->pid, 0) && (sender->uid == 0 || sender->uid == managed->unit->place.uid));
}

static void take_message(struct managed *managed, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line)
			take_assignment(managed, line);
	if (managed->announced && managed->state == MANAGED_START && managed->type == SERVICE_NOTIFY)
		managed_up(managed);
}

void managed_notified(struct managed *managed)
{
	char text[MESSAGE_MAX + 1];
	struct iovec part = { text, MESSAGE_MAX };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;

	for (int i = 0; i < 64; i++) {
		struct msghdr message = {
			.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
		};
		ssize_t n = recvmsg(managed->notify, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		struct ucred sender;
		bool known = false;

		if (n < 0)
			return;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
			int fds[FDS_MAX];
			size_t size = c->cmsg_len - CMSG_LEN(0);

			if (c->cmsg_level != SOL_SOCKET)
				continue;
			if (c->cmsg_type == SCM_CREDENTIALS) {
				memcpy(&sender, CMSG_DATA(c), sizeof(sender));
				known = true;
			} else if (c->cmsg_type == SCM_RIGHTS && size <= sizeof(fds)) { /* FDSTORE=, BARRIER=: closed at once */
				memcpy(fds, CMSG_DATA(c), size);
				for (size_t j = 0; j < size / sizeof(int); j++)
					(void)close(fds[j]);
			}
		}
		text[n] = '\0';
		if (may_notify(managed, known ? &sender : NULL))
			take_message(managed, text);
	}
}
