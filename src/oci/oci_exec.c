// SPDX-License-Identifier: Apache-2.0
/* A further process in a container: as oci_init.h, in a tree and namespaces that are there. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_channel.h"
#include "oci/oci_console.h"
#include "oci/oci_create.h"
#include "oci/oci_init.h"
#include "oci/oci_spawn.h"

struct joining {
	const struct oci_exec *exec;
	struct oci_container container;
	struct oci_spec spec;
	struct oci_seccomp seccomp;
	bool namespaces[OCI_NAMESPACES]; /* which of them are the container's own */
	int channel, runtime_end;
	struct oci_notes notes;
	struct oci_error error;
};

/* --- the process ---------------------------------------------------------------------------------------------------------------------------- */

static int set_up(struct joining *j)
{
	const struct oci_process *process = j->exec->process;
	pid_t pid = oci_container_pid(&j->container);
	bool users = j->namespaces[OCI_NS_USER], no_network = false;
	int r;

	if (setsid() < 0)
		return oci_fail_errno(&j->error, "setsid");
	r = oci_join(pid, j->namespaces, &no_network, &j->error);
	if (r < 0)
		return r;
	if (no_network)
		oci_note(&j->notes, "the process has no network: the container's cannot be entered here");
	no_network |= json_is_true(json_object_get(j->container.data, "noNetwork"));
	if (users && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return oci_fail_errno(&j->error, "becoming root of the user namespace");
	if (process->terminal)
		r = oci_console_open(process, j->exec->console, &native_kernel, false, &j->error);
	oci_process_keyring(j->container.id, &j->notes);
	if (r == 0)
		r = oci_process_limit(process, &j->notes, &j->error);
	if (r == 0 && no_network)
		r = oci_process_no_network(&j->error);
	return r == 0 ? oci_process_label(process, &j->error) : r;
}

static NORETURN void child(struct joining *j)
{
	const struct oci_process *process = j->exec->process;
	char program[PATH_MAX], **env = NULL;
	struct oci_message message;
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_fd(&j->runtime_end);
	oci_init_signals();
	if (oci_channel_receive(j->channel, &message) < 0)
		_exit(1);
	r = set_up(j);
	if (r == 0)
		r = oci_process_find(process, program, &env, &j->error);
	if (r == 0)
		r = oci_process_become(process, &j->seccomp, &j->notes, &j->error);
	if (r < 0) {
		(void)oci_channel_send(j->channel, 'E', j->error.text);
		_exit(1);
	}
	(void)prctl(PR_SET_PDEATHSIG, 0);
	if ((*j->notes.text && oci_channel_send(j->channel, 'N', j->notes.text) < 0) || oci_channel_send(j->channel, 'R', "") < 0)
		_exit(1);
	close_fd(&j->channel);
	oci_init_execute(process, &j->seccomp, program, env);
}

/* --- the runtime ---------------------------------------------------------------------------------------------------------------------------- */

static void read_namespaces(struct joining *j)
{
	json_t *names = json_object_get(j->container.data, "namespaces"), *name;
	size_t at;

	json_array_foreach(names, at, name)
	{
		const char *text = json_string_value(name);

		for (int i = 0; text && i < OCI_NAMESPACES; i++)
			j->namespaces[i] |= strcmp(oci_namespace_names[i].spec, text) == 0;
	}
}

static int open_all(struct joining *j, struct oci_error *error)
{
	const struct oci_exec *exec = j->exec;
	enum oci_status status;
	int r = oci_container_open(exec->root, exec->id, false, &j->container, error);

	if (r < 0)
		return r;
	status = oci_container_status(&j->container);
	if (status == OCI_STOPPED)
		return oci_fail(error, -ESRCH, "cannot exec in a stopped container");
	if (status == OCI_PAUSED && !exec->ignore_paused)
		return oci_fail(error, -EBUSY, "cannot exec in a paused container (use --ignore-paused to override)");
	if (exec->process->terminal != (exec->console >= 0))
		return oci_fail(error, -EINVAL, "a terminal and a console socket go together");
	read_namespaces(j);
	r = oci_container_spec(&j->container, &j->spec, error);
	return r == 0 ? oci_seccomp_compile(j->spec.seccomp, &j->seccomp, error) : r;
}

static int converse(struct joining *j, pid_t pid, struct oci_error *error)
{
	struct oci_message message = { .kind = 0 };
	int r = oci_cgroup_enter(json_object_get(j->container.data, "cgroup"), pid, error);

	if (r < 0)
		return r;
	r = oci_channel_send(j->runtime_end, 'G', "");
	do {
		if (r == 0)
			r = oci_channel_receive(j->runtime_end, &message);
		if (r == 0 && message.kind == 'N')
			(void)snprintf(j->exec->notes->text, sizeof(j->exec->notes->text), "%s", message.text);
	} while (r == 0 && message.kind == 'N');
	if (r < 0)
		return oci_fail(error, r, "exec failed: the process ended before it was ready");
	if (message.kind == 'E')
		return oci_fail(error, -ECANCELED, "exec failed: unable to start container process: %s", message.text);
	return j->exec->pid_file ? oci_write_pid(j->exec->pid_file, pid, error) : 0;
}

static int run(struct joining *j, pid_t *ret_pid, struct oci_error *error)
{
	int ends[2], r = open_all(j, error);
	pid_t pid;

	if (r == 0)
		r = oci_join_pids(oci_container_pid(&j->container), j->namespaces, error);
	if (r < 0)
		return r;
	r = oci_channel_new(ends);
	if (r < 0)
		return oci_fail(error, r, "making a socket pair: %s", strerror(-r));
	j->runtime_end = ends[0];
	j->channel = ends[1];
	pid = fork();
	if (pid == 0)
		child(j);
	close_fd(&j->channel);
	j->channel = FD_NONE;
	r = pid < 0 ? oci_fail_errno(error, "fork") : converse(j, pid, error);
	if (r < 0 && pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	*ret_pid = pid;
	return r;
}

int oci_exec(const struct oci_exec *exec, pid_t *ret_pid, struct oci_error *error)
{
	struct joining j = { .exec = exec, .container = OCI_CONTAINER_NONE, .channel = FD_NONE, .runtime_end = FD_NONE };
	int r;

	r = oci_close_on_exec(exec->preserve_fds, error);
	if (r == 0)
		r = run(&j, ret_pid, error);
	close_fd(&j.runtime_end);
	oci_container_done(&j.container);
	oci_spec_done(&j.spec);
	free(j.seccomp.program);
	return r;
}
