// SPDX-License-Identifier: Apache-2.0
/* Starting, signalling and deleting containers. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_create.h"
#include "oci/oci_hook.h"

#define KILL_STEPS 2000
#define KILL_STEP_NS 5000000
#define START_POLL_MS 100

/* --- start ---------------------------------------------------------------------------------------------------------------------------------- */

/* The other end goes when the program is executed, or when the process dies. */
static void await_program(const struct oci_container *container, int fifo)
{
	struct pollfd poll_fifo = { .fd = fifo };

	while (poll(&poll_fifo, 1, START_POLL_MS) == 0 || !(poll_fifo.revents & (POLLERR | POLLHUP)))
		if (!oci_container_alive(container))
			return;
}

static int run_hooks(const struct oci_container *container, enum oci_hook_time time, enum oci_status status,
		     struct oci_error *error)
{
	struct oci_spec spec;
	json_t *state;
	CLEANUP_FREE char *text = NULL;
	int r = oci_container_spec(container, &spec, error);

	if (r < 0)
		return r;
	state = oci_container_state(container, status);
	text = state ? json_dumps(state, JSON_COMPACT) : NULL;
	r = text ? oci_hooks_run(&spec, time, text, error) : oci_fail(error, -ENOMEM, "out of memory");
	json_decref(state);
	oci_spec_done(&spec);
	return r;
}

static int start(const struct oci_container *container, struct oci_error *error)
{
	CLEANUP_FD int fifo = FD_NONE;
	int r;

	switch (oci_container_status(container)) {
	case OCI_CREATED:
		break;
	case OCI_STOPPED:
		return oci_fail(error, -ESRCH, "cannot start a container that has stopped");
	case OCI_RUNNING:
		return oci_fail(error, -EALREADY, "cannot start an already running container");
	default:
		return oci_fail(error, -EBUSY, "cannot start a container in the %s state",
				oci_status_name(oci_container_status(container)));
	}
	fifo = openat(container->dir, OCI_FIFO, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fifo < 0 || write(fifo, "0", 1) != 1)
		return oci_fail_errno(error, "starting the container's process");
	await_program(container, fifo);
	r = run_hooks(container, OCI_POSTSTART, OCI_RUNNING, error);
	if (r < 0)
		(void)kill(oci_container_pid(container), SIGKILL);
	return r;
}

int oci_start(const char *root, const char *id, struct oci_error *error)
{
	struct oci_container container = OCI_CONTAINER_NONE;
	int r = oci_container_open(root, id, true, &container, error);

	if (r == 0)
		r = start(&container, error);
	oci_container_done(&container);
	return r;
}

/* --- signals -------------------------------------------------------------------------------------------------------------------------------- */

static int signal_all(const struct oci_container *container, int sig)
{
	pid_t *pids = NULL;
	int count = oci_container_processes(container, &pids), sent = 0;

	for (int i = 0; i < count; i++)
		if (pids[i] != getpid() && oci_process_started(pids[i]) && kill(pids[i], sig) == 0)
			sent++;
	free(pids);
	return count < 0 ? count : sent;
}

int oci_kill(const char *root, const char *id, int sig, bool all, struct oci_error *error)
{
	struct oci_container container = OCI_CONTAINER_NONE;
	int r = oci_container_open(root, id, false, &container, error);
	bool own_pids;

	if (r < 0)
		return r;
	own_pids = json_is_true(json_object_get(container.data, "pidNamespace"));
	if (all || (sig == SIGKILL && !own_pids)) { /* without a pid namespace the first process does not take the others along */
		r = signal_all(&container, sig);
		if (r == 0 && !all)
			r = oci_fail(error, -ESRCH, "container not running");
	} else if (!oci_container_alive(&container) || (kill(oci_container_pid(&container), sig) < 0 && errno == ESRCH)) {
		r = oci_fail(error, -ESRCH, "container not running");
	}
	if (r > 0)
		r = 0;
	oci_container_done(&container);
	return r;
}

/* --- the end -------------------------------------------------------------------------------------------------------------------------------- */

/* What is frozen does not die: it is resumed, and dies before it does anything. */
static int kill_all(const struct oci_container *container, struct oci_error *error)
{
	json_t *cgroup = json_object_get(container->data, "cgroup");
	struct oci_error other;

	for (int i = 0; i < KILL_STEPS; i++) {
		if (oci_container_alive(container))
			(void)kill(oci_container_pid(container), SIGKILL);
		if (signal_all(container, SIGKILL) == 0 && !oci_container_alive(container))
			return 0;
		if (oci_cgroup_frozen(cgroup))
			(void)!oci_cgroup_freeze(cgroup, false, &other);
		(void)nanosleep(&(struct timespec){ 0, KILL_STEP_NS }, NULL);
	}
	return oci_fail(error, -ETIMEDOUT, "container init still running");
}

static int delete (const char *root, struct oci_container *container, bool force, struct oci_error *error)
{
	enum oci_status status = oci_container_status(container);
	struct oci_error hook_error = { 0 };
	int r, hooks;

	if (!force && status != OCI_STOPPED && status != OCI_CREATED)
		return oci_fail(error, -EBUSY, "cannot delete container %s that is not stopped: %s", container->id,
				oci_status_name(status));
	r = kill_all(container, error);
	if (r == 0)
		r = oci_cgroup_remove(json_object_get(container->data, "cgroup"), error);
	if (r < 0)
		return r;
	hooks = run_hooks(container, OCI_POSTSTOP, OCI_STOPPED,
			  &hook_error); /* a failure is told, and ends nothing: runtime.md, "Lifecycle" */
	r = oci_container_remove(root, container, error);
	return r == 0 && hooks < 0 ? oci_fail(error, hooks, "%s", hook_error.text) : r;
}

int oci_delete(const char *root, const char *id, bool force, struct oci_error *error)
{
	struct oci_container container = OCI_CONTAINER_NONE;
	int r = oci_container_open(root, id, true, &container, error);

	if (r == -ENOENT && force)
		return 0;
	if (r == 0)
		r = delete (root, &container, force, error);
	oci_container_done(&container);
	return r;
}
