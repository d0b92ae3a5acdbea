// SPDX-License-Identifier: Apache-2.0
/* Creating a container: the runtime's side of oci_init.h. */
#include "oci/oci_create.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/close_from.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_channel.h"
#include "oci/oci_hook.h"
#include "oci/oci_init.h"
#include "oci/oci_spawn.h"

/* --- help ----------------------------------------------------------------------------------------------------------------------------------- */

int oci_write_pid(const char *path, pid_t pid, struct oci_error *error)
{
	char new[PATH_MAX], text[16];
	CLEANUP_FD int fd = FD_NONE;
	int length = snprintf(text, sizeof(text), "%d", pid);

	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new))
		return oci_fail(error, -ENAMETOOLONG, "the path of the pid file is too long");
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, (size_t)length) != length || rename(new, path) < 0)
		return oci_fail_errno(error, "writing the pid file %s", path);
	return 0;
}

int oci_close_on_exec(u32 preserve, struct oci_error *error)
{
	errno = -close_on_exec_from(3 + preserve, CLOSE_NO_HIGHEST);
	return errno ? oci_fail_errno(error, "closing descriptors (close_range(2), /proc/self/fd)") : 0;
}

/* --- what is known before there is a process --------------------------------------------------------------------------------------------------- */

struct creating {
	const struct oci_create *create;
	struct oci_container container;
	struct oci_spec spec;
	struct oci_seccomp seccomp;
	char bundle[PATH_MAX], rootfs[PATH_MAX];
	json_t *cgroup;
	int fifo;
	pid_t pid;
	struct oci_notes *notes;
	struct oci_error *error;
};

static int read_bundle(struct creating *c, char **ret_text, size_t *ret_size)
{
	char path[2 * PATH_MAX];
	int r;

	if (!realpath(c->create->bundle, c->bundle))
		return oci_fail_errno(c->error, "bundle %s", c->create->bundle);
	(void)snprintf(path, sizeof(path), "%s/config.json", c->bundle);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return oci_fail(c->error, -ENOENT, "JSON specification file config.json not found in %s", c->bundle);
	r = oci_read_file(path, ret_text, ret_size, c->error);
	if (r == 0)
		r = oci_spec_parse(*ret_text, *ret_size, &c->spec, c->error);
	if (r < 0)
		return r;
	if (!c->spec.has_process)
		return oci_fail(c->error, -EINVAL, "config: process is missing");
	(void)snprintf(path, sizeof(path), "%s%s%s", *c->spec.root_path == '/' ? "" : c->bundle,
		       *c->spec.root_path == '/' ? "" : "/", c->spec.root_path);
	return realpath(path, c->rootfs) ? 0 : oci_fail_errno(c->error, "invalid rootfs: stat %s", path);
}

/* A terminal goes with somebody who takes its other end. */
static int check_console(const struct creating *c)
{
	if (c->spec.process.terminal && c->create->console < 0)
		return oci_fail(c->error, -EINVAL, "process.terminal without a console socket: nobody would take its other end");
	if (!c->spec.process.terminal && c->create->console >= 0 && !c->create->console_offered)
		return oci_fail(c->error, -EINVAL, "a console socket without process.terminal: there is no terminal to hand over");
	return 0;
}

static int make_files(struct creating *c, const char *text, size_t size)
{
	char path[64];
	CLEANUP_FD int fd = openat(c->container.dir, "config.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || write(fd, text, size) != (ssize_t)size)
		return oci_fail_errno(c->error, "keeping the configuration");
	(void)unlinkat(c->container.dir, OCI_FIFO, 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/" OCI_FIFO, c->container.dir);
	if (mkfifo(path, 0600) < 0)
		return oci_fail_errno(c->error, "making %s", OCI_FIFO);
	c->fifo = openat(c->container.dir, OCI_FIFO, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return c->fifo < 0 ? oci_fail_errno(c->error, "opening %s", OCI_FIFO) : 0;
}

static void set_text(struct creating *c, const char *name, const char *text)
{
	json_object_set_new(c->container.data, name, json_string(text));
}

static void set_created(struct creating *c)
{
	struct timespec now;
	char day[64], text[96];
	struct tm tm;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &tm));
	(void)snprintf(text, sizeof(text), "%s.%09ldZ", day, now.tv_nsec);
	set_text(c, "created", text);
}

static json_t *namespace_names(const struct oci_namespace *namespaces)
{
	json_t *names = json_array();

	for (int i = 0; i < OCI_NAMESPACES; i++)
		if (namespaces[i].asked)
			json_array_append_new(names, json_string(oci_namespace_names[i].spec));
	return names;
}

/* What has been made is on disk before the next is made: so `delete` finds it. */
static int save_plan(struct creating *c)
{
	set_text(c, "bundle", c->bundle);
	set_text(c, "rootfs", c->rootfs);
	set_text(c, "owner", "");
	set_created(c);
	if (c->spec.annotations)
		json_object_set(c->container.data, "annotations", c->spec.annotations);
	json_object_set(c->container.data, "cgroup", c->cgroup);
	if (c->spec.no_network)
		json_object_set_new(c->container.data, "noNetwork", json_true());
	json_object_set_new(c->container.data, "namespaces", namespace_names(c->spec.namespaces));
	if (c->spec.namespaces[OCI_NS_PID].asked && !c->spec.namespaces[OCI_NS_PID].path)
		json_object_set_new(c->container.data, "pidNamespace", json_true());
	return oci_container_save(&c->container, c->error);
}

/* --- the process -------------------------------------------------------------------------------------------------------------------------------- */

static u64 mount_namespace(const char *pid)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static int save_process(struct creating *c)
{
	char pid[16];
	u64 mounts;

	(void)snprintf(pid, sizeof(pid), "%d", c->pid);
	mounts = mount_namespace(pid);
	json_object_set_new(c->container.data, "pid", json_integer(c->pid));
	json_object_set_new(c->container.data, "started", json_integer((s64)oci_process_started(c->pid)));
	if (mounts && mounts != mount_namespace("self"))
		json_object_set_new(c->container.data, "mountNamespace", json_integer((s64)mounts));
	return oci_container_save(&c->container, c->error);
}

static int run_hooks(struct creating *c)
{
	json_t *state = oci_container_state(&c->container, OCI_CREATING);
	CLEANUP_FREE char *text = state ? json_dumps(state, JSON_COMPACT) : NULL;
	int r = text ? 0 : oci_fail(c->error, -ENOMEM, "out of memory");

	json_decref(state);
	if (r == 0)
		r = oci_hooks_run(&c->spec, OCI_PRESTART, text, c->error);
	return r == 0 ? oci_hooks_run(&c->spec, OCI_CREATE_RUNTIME, text, c->error) : r;
}

/* Until it is ready. */
static int converse(struct creating *c, int channel, const char *pid)
{
	struct oci_message message;
	int r = oci_channel_send(channel, 'G', pid);

	while (r == 0) {
		r = oci_channel_receive(channel, &message);
		if (r < 0)
			break;
		switch (message.kind) {
		case 'H':
			r = run_hooks(c);
			if (r == 0)
				r = oci_channel_send(channel, 'G', pid);
			break;
		case 'N':
			for (char *save = NULL, *line = strtok_r(message.text, "\n", &save); line;
			     line = strtok_r(NULL, "\n", &save))
				oci_note(c->notes, "%s", line);
			break;
		case 'E':
			return oci_fail(c->error, -ECANCELED, "unable to start container process: %s", message.text);
		default:
			return 0;
		}
	}
	if (r == -EPIPE)
		return oci_fail(c->error, r, "unable to start container process: it ended before it was ready");
	return r;
}

static int follow_process(struct creating *c, int channel)
{
	char pid[16];
	int r;

	(void)snprintf(pid, sizeof(pid), "%d", c->pid);
	r = save_process(c);
	if (r == 0)
		r = oci_cgroup_enter(c->cgroup, c->pid, c->error);
	if (r == 0)
		r = oci_spawn_map(&c->spec, c->pid, c->error);
	if (r == 0)
		r = converse(c, channel, pid);
	if (r < 0)
		return r;
	json_object_set_new(c->container.data, "ready", json_true());
	if (*c->notes->text)
		set_text(c, "omitted", c->notes->text);
	r = oci_container_save(&c->container, c->error);
	if (r == 0 && c->create->pid_file)
		r = oci_write_pid(c->create->pid_file, c->pid, c->error);
	return r;
}

static int make_process(struct creating *c)
{
	CLEANUP_FD int ours = FD_NONE, theirs = FD_NONE;
	struct oci_init init = { .id = c->container.id,
				 .rootfs = { .spec = &c->spec,
					     .calls = &native_kernel,
					     .bundle = c->bundle,
					     .path = c->rootfs,
					     .cgroup = c->cgroup,
					     .no_pivot = c->create->no_pivot,
					     .root = FD_NONE },
				 .seccomp = &c->seccomp,
				 .fifo = c->fifo,
				 .console = c->create->console,
				 .no_new_keyring = c->create->no_new_keyring };
	struct oci_spawn spawn = { .namespaces = c->spec.namespaces, .child = oci_init_main, .data = &init };
	int ends[2], r = oci_channel_new(ends);

	if (r < 0)
		return oci_fail(c->error, r, "making a socket pair: %s", strerror(-r));
	ours = ends[0];
	theirs = ends[1];
	init.channel = theirs;
	init.runtime_end = ours;
	init.directory = c->container.dir;
	init.state = oci_container_state(&c->container, OCI_CREATING);
	c->pid = oci_spawn(&spawn, c->error);
	json_decref(init.state);
	close_fd(&theirs);
	theirs = FD_NONE;
	return c->pid < 0 ? (int)c->pid : follow_process(c, ours);
}

/* --- all of it ----------------------------------------------------------------------------------------------------------------------------------- */

static int create_all(struct creating *c)
{
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	int r = read_bundle(c, &text, &size);

	if (r == 0)
		r = check_console(c);
	if (r == 0)
		r = oci_seccomp_compile(c->spec.seccomp, &c->seccomp, c->error);
	if (r == 0)
		r = oci_container_new(c->create->root, c->create->id, &c->container, c->error);
	if (r < 0)
		return r;
	r = make_files(c, text, size);
	if (r == 0)
		r = oci_cgroup_make(c->spec.cgroups_path, c->container.id, &c->cgroup, c->notes, c->error);
	if (r < 0)
		return r;
	oci_spawn_check(&c->spec, c->notes);
	r = save_plan(c);
	if (r == 0)
		r = oci_cgroup_limit(c->cgroup, c->spec.resources, true, c->notes, c->error);
	return r == 0 ? make_process(c) : r;
}

static void undo(struct creating *c)
{
	struct oci_error other;

	if (c->pid > 0) {
		(void)kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (c->cgroup)
		(void)!oci_cgroup_remove(c->cgroup, &other);
	if (c->container.dir >= 0)
		(void)!oci_container_remove(c->create->root, &c->container, &other);
}

int oci_create(const struct oci_create *create, pid_t *ret_pid, struct oci_notes *notes, struct oci_error *error)
{
	struct creating c = { .create = create, .container = OCI_CONTAINER_NONE, .fifo = FD_NONE, .notes = notes, .error = error };
	int r;

	r = oci_close_on_exec(create->preserve_fds, error);
	if (r == 0)
		r = create_all(&c);
	if (r < 0)
		undo(&c);
	else
		*ret_pid = c.pid;
	oci_container_done(&c.container);
	oci_spec_done(&c.spec);
	free(c.seccomp.program);
	json_decref(c.cgroup);
	close_fd(&c.fifo);
	return r;
}
