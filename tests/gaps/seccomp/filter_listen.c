/* SPDX-License-Identifier: Apache-2.0 */
/* SECCOMP_RET_USER_NOTIF where the kernel has it: without a listener, with one that answers, with one that lets continue; what else seccomp(2) tells. */
#include "seccomp_test.h"

#include <poll.h>
#include <sys/ioctl.h>

static struct seccomp_notif request;
static struct seccomp_notif_resp response;

/* Waits for a call and answers it. Prints before it answers: then the caller does. */
static void answer(int listener, long value, int error, unsigned flags)
{
	struct pollfd poll_for = { .fd = listener, .events = POLLIN };

	SHOW(poll(&poll_for, 1, -1));
	memset(&request, 0, sizeof(request));
	MUST(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request));
	response = (struct seccomp_notif_resp){ .id = request.id, .val = value, .error = error, .flags = flags };
	SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id));
	say("nr %d arch %x args %llx %llx", request.data.nr, request.data.arch, request.data.args[1], request.data.args[2]);
	FACT((pid_t)request.pid == getpid());
	MUST(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response));
}

struct talk {
	int listener;
	struct gate go;
};

static void *supervise(void *arg)
{
	const struct talk *talk = arg;

	gate_wait(&talk->go);
	answer(talk->listener, 55, 0, 0);
	answer(talk->listener, 0, -EDOM, 0);
	answer(talk->listener, 0, 0, 0);
	answer(talk->listener, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
	return NULL;
}

/* The supervisor is a thread that was there before the filter, and has none. */
static void listen_to(long nr, long a, long b, long c)
{
	struct talk talk = { -1, gate_new() };
	pthread_t thread = thread_start(supervise, &talk);

	no_new_privs();
	talk.listener = (int)MUST(install_for(nr, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
	gate_open(&talk.go);
	SHOW(syscall(nr, a, b, c));
	SHOW(syscall(nr, a, b, c));
	SHOW(syscall(nr, a, b, c));
	SHOW(syscall(nr, a, b, c));
	pthread_join(thread, NULL);
	SHOW(install_for(nr, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
	close(talk.listener);
	SHOW(syscall(nr, a, b, c));
}

static void no_listener(long nr)
{
	filter_call(nr, SECCOMP_RET_USER_NOTIF);
	SHOW(syscall(nr, 0, 0, 0));
}

static void actions(void)
{
	static const unsigned all[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
					SECCOMP_RET_ERRNO,        SECCOMP_RET_TRACE,       SECCOMP_RET_LOG,
					SECCOMP_RET_USER_NOTIF,   SECCOMP_RET_ALLOW,       0x00040000,
					SECCOMP_RET_ERRNO | 1 };
	struct seccomp_notif_sizes sizes = { 0 };

	for (size_t i = 0; i < COUNT(all); i++)
		SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &all[i]));
	SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &all[0]));
	SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL));
	SHOW(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
	SHOW(sizes.seccomp_notif == sizeof(struct seccomp_notif));
	SHOW(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, NULL));
}

int main(void)
{
	unsigned action = SECCOMP_RET_USER_NOTIF;

	actions();
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) {
		CHILD({
			no_new_privs();
			SHOW(install_for(SYS_sync, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
		});
		return 0;
	}
	CHILD(no_listener(SYS_setresuid));
	CHILD(no_listener(SYS_getppid));
	CHILD(no_listener(SYS_execve));
	CHILD(listen_to(SYS_getgroups, 0, 0, 77));
	CHILD(listen_to(SYS_lseek, -1, 2, 3));
	CHILD(listen_to(SYS_chown, (long)"/", -1, -1));
	CHILD(listen_to(SYS_chmod, (long)"/nowhere", 0700, 0));
	CHILD(listen_to(SYS_execve, 0, 0, 0));
	CHILD(listen_to(SYS_execve, (long)"/nowhere", 0, 0));
	CHILD(listen_to(SYS_rt_sigpending, 0, 8, 0));
	CHILD(listen_to(SYS_clone, 0x800, 0, 0)); /* CLONE_SIGHAND alone: EINVAL */
	return 0;
}
