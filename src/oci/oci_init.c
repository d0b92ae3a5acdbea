// SPDX-License-Identifier: Apache-2.0
/* A container's first process. */
#include "oci/oci_init.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/oci_channel.h"
#include "oci/oci_console.h"
#include "oci/oci_hook.h"
#include "oci/oci_spawn.h"

#define EXIT_FAILED 1
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

/* --- small steps ---------------------------------------------------------------------------------------------------------------------------- */

void oci_init_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int await_go(struct oci_init *init)
{
	struct oci_message message;
	int r = oci_channel_receive(init->channel, &message);

	if (r < 0 || message.kind != 'G')
		_exit(EXIT_FAILED); /* the runtime is gone: nobody is there to be told */
	json_object_set_new(init->state, "pid", json_integer(strtol(message.text, NULL, 10)));
	return 0;
}

/* Its own loopback is up; the one it has is up, or somebody else's business. */
static void raise_loopback(struct oci_init *init)
{
	const struct oci_namespace *network = &init->rootfs.spec->namespaces[OCI_NS_NETWORK];
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	CLEANUP_FD int fd = FD_NONE;

	if (!network->asked || network->path)
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		oci_note(&init->notes, "the container's loopback is not set up: %s", strerror(errno));
}

/* Root of the namespace, so that what is made is root's there. */
static int become_root(struct oci_init *init)
{
	const struct oci_namespace *users = &init->rootfs.spec->namespaces[OCI_NS_USER];

	if (users->asked && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return oci_fail_errno(&init->error, "becoming root of the user namespace");
	return 0;
}

static int set_names(struct oci_init *init)
{
	const struct oci_spec *spec = init->rootfs.spec;

	if (spec->hostname && *spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return oci_fail_errno(&init->error, "sethostname");
	if (spec->domainname && *spec->domainname && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
		return oci_fail_errno(&init->error, "setdomainname");
	return 0;
}

static int run_hooks(struct oci_init *init, enum oci_hook_time time, const char *status)
{
	CLEANUP_FREE char *state = NULL;

	if (init->rootfs.spec->hooks[time].count == 0)
		return 0;
	json_object_set_new(init->state, "status", json_string(status));
	state = json_dumps(init->state, JSON_COMPACT);
	if (!state)
		return oci_fail(&init->error, -ENOMEM, "out of memory");
	return oci_hooks_run(init->rootfs.spec, time, state, &init->error);
}

/* --- the way -------------------------------------------------------------------------------------------------------------------------------- */

static int make_tree(struct oci_init *init)
{
	int r = oci_rootfs_prepare(&init->rootfs);

	if (r < 0)
		return r;
	r = oci_channel_send(init->channel, 'H', "");
	if (r < 0)
		_exit(EXIT_FAILED);
	r = await_go(init);
	if (r == 0)
		r = run_hooks(init, OCI_CREATE_CONTAINER, "creating");
	return r == 0 ? oci_rootfs_enter(&init->rootfs) : r;
}

static int set_up(struct oci_init *init)
{
	const struct oci_spec *spec = init->rootfs.spec;
	const struct oci_process *process = &spec->process;
	int r;

	if (setsid() < 0)
		return oci_fail_errno(&init->error, "setsid");
	r = become_root(init);
	if (r == 0)
		r = oci_spawn_enter(spec->namespaces, &init->error);
	if (r < 0)
		return r;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* again: other users, other credentials */
	raise_loopback(init);
	r = set_names(init);
	if (r == 0)
		r = make_tree(init);
	if (r == 0 && process->terminal)
		r = oci_console_open(process, init->console, init->rootfs.calls, true, &init->error);
	close_fd(&init->console);
	if (r == 0)
		r = oci_rootfs_finish(&init->rootfs);
	if (r < 0)
		return r;
	if (spec->personality_32 && personality(PER_LINUX32) < 0)
		return oci_fail_errno(&init->error, "personality");
	if (!init->no_new_keyring)
		oci_process_keyring(init->id, &init->notes);
	r = oci_process_limit(process, &init->notes, &init->error);
	if (r == 0 && spec->no_network)
		r = oci_process_no_network(&init->error);
	return r == 0 ? oci_process_label(process, &init->error) : r;
}

NORETURN void oci_init_execute(const struct oci_process *process, const struct oci_seccomp *seccomp, const char *program,
			       char *const *env)
{
	const char *name = process->args[0];
	int r = oci_process_filters_last(process) ? oci_seccomp_install(seccomp) : 0;

	if (r < 0) {
		oci_last_words("lichen oci: unable to init seccomp: %s", strerror(-r));
		_exit(EXIT_FAILED);
	}
	(void)execve(program, (char *const *)process->args, env);
	r = errno;
	oci_last_words("lichen oci: exec %s: %s", name, strerror(r));
	_exit(r == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* Blocks until `start` writes. */
static int await_start(const struct oci_init *init)
{
	char byte;
	ssize_t n;

	do
		n = read(init->fifo, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -EIO;
}

static NORETURN void give_up(struct oci_init *init)
{
	(void)oci_channel_send(init->channel, 'E', init->error.text);
	_exit(EXIT_FAILED);
}

int oci_init_main(void *data)
{
	struct oci_init *init = data;
	const struct oci_process *process = &init->rootfs.spec->process;
	char program[PATH_MAX], **env = NULL;
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_fd(&init->runtime_end);
	close_fd(&init->directory);
	oci_init_signals();
	init->rootfs.notes = &init->notes;
	init->rootfs.error = &init->error;
	(void)await_go(init);
	r = set_up(init);
	if (r == 0)
		r = oci_process_find(process, program, &env, &init->error);
	if (r == 0)
		r = oci_process_become(process, init->seccomp, &init->notes, &init->error);
	if (r < 0)
		give_up(init);
	(void)prctl(PR_SET_PDEATHSIG, 0);
	if ((*init->notes.text && oci_channel_send(init->channel, 'N', init->notes.text) < 0) ||
	    oci_channel_send(init->channel, 'R', "") < 0)
		_exit(EXIT_FAILED);
	close_fd(&init->channel);
	if (await_start(init) < 0)
		_exit(EXIT_FAILED);
	if (run_hooks(init, OCI_START_CONTAINER, "created") < 0) {
		oci_last_words("lichen oci: %s", init->error.text);
		_exit(EXIT_FAILED);
	}
	oci_init_execute(process, init->seccomp, program, env);
}
