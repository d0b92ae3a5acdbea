// SPDX-License-Identifier: Apache-2.0
/* Namespaces: new ones, those of a path, those of another process. */
#include "oci/oci_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/native.h"

/* --- by path ------------------------------------------------------------------------------------------------------------------------------- */

static int open_own(enum oci_namespace_kind kind)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", oci_namespace_names[kind].file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int enter_path(const struct oci_namespace *namespaces, enum oci_namespace_kind kind, struct oci_error *error)
{
	CLEANUP_FD int fd = open(namespaces[kind].path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, oci_namespace_names[kind].flag) < 0)
		return oci_fail_errno(error, "joining the %s namespace %s", oci_namespace_names[kind].spec, namespaces[kind].path);
	return 0;
}

/* Whether it is entered by the runtime, and left. */
static bool is_borrowed(enum oci_namespace_kind kind)
{
	return kind != OCI_NS_USER && kind != OCI_NS_MOUNT;
}

/* --- the child ----------------------------------------------------------------------------------------------------------------------------- */

static int new_flags(const struct oci_namespace *namespaces)
{
	int flags = 0;

	for (int i = 0; i < OCI_NAMESPACES; i++)
		if (namespaces[i].asked && !namespaces[i].path && i != OCI_NS_CGROUP)
			flags |= oci_namespace_names[i].flag;
	return flags;
}

static pid_t clone_child(const struct oci_spawn *spawn, int more)
{
	pid_t pid = native_fork(new_flags(spawn->namespaces) | more);

	if (pid == 0)
		_exit(spawn->child(spawn->data));
	return pid < 0 ? -errno : pid;
}

/* Namespaces that belong to users of a path are made by a process that is there already; the child is ours nevertheless. */
static pid_t clone_among_users(const struct oci_spawn *spawn, struct oci_error *error)
{
	pid_t helper, pid = -EIO;
	int ends[2], status;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	helper = fork();
	if (helper == 0) {
		pid = enter_path(spawn->namespaces, OCI_NS_USER, error);
		if (pid == 0)
			pid = clone_child(spawn, CLONE_PARENT);
		_exit(write(ends[1], &pid, sizeof(pid)) != sizeof(pid));
	}
	(void)close(ends[1]);
	if (helper < 0 || read(ends[0], &pid, sizeof(pid)) != sizeof(pid))
		pid = -EIO;
	(void)close(ends[0]);
	if (helper > 0)
		(void)waitpid(helper, &status, 0);
	return pid;
}

/* Tried by doing, in a scratch child. */
static bool can_make(int flag)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(flag) < 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Which it was that could not be made. */
static void refused(const struct oci_namespace *namespaces, int number, struct oci_error *error)
{
	const char *name = "";

	for (int i = 0; i < OCI_NAMESPACES && !*name; i++)
		if (namespaces[i].asked && !namespaces[i].path && !can_make(oci_namespace_names[i].flag))
			name = oci_namespace_names[i].spec;
	errno = number;
	(void)oci_fail_errno(error, "making the container's namespaces%s%s", *name ? ": " : "", name);
}

static int leave(int own[OCI_NAMESPACES], struct oci_error *error)
{
	int r = 0;

	for (int i = 0; i < OCI_NAMESPACES; i++) {
		if (own[i] >= 0 && setns(own[i], oci_namespace_names[i].flag) < 0 && r == 0)
			r = oci_fail_errno(error, "coming back to the runtime's %s namespace", oci_namespace_names[i].spec);
		close_fd(&own[i]);
	}
	return r;
}

pid_t oci_spawn(const struct oci_spawn *spawn, struct oci_error *error)
{
	int own[OCI_NAMESPACES] = { FD_NONE, FD_NONE, FD_NONE, FD_NONE, FD_NONE, FD_NONE, FD_NONE }, r = 0;
	pid_t pid = 0;

	for (enum oci_namespace_kind i = 0; i < OCI_NAMESPACES && r == 0; i++) {
		if (!spawn->namespaces[i].path || !is_borrowed(i))
			continue;
		own[i] = open_own(i);
		r = own[i] < 0 ? oci_fail_errno(error, "opening the runtime's %s namespace", oci_namespace_names[i].spec)
			       : enter_path(spawn->namespaces, i, error);
	}
	if (r == 0) {
		pid = spawn->namespaces[OCI_NS_USER].path ? clone_among_users(spawn, error) : clone_child(spawn, 0);
		if (pid < 0 && !*error->text)
			refused(spawn->namespaces, -pid, error);
	}
	if (r == 0 && pid < 0)
		r = (int)pid;
	if (r < 0) {
		struct oci_error other;

		(void)leave(own, &other);
		return r;
	}
	r = leave(own, error);
	if (r < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	return pid;
}

int oci_spawn_enter(const struct oci_namespace *namespaces, struct oci_error *error)
{
	const struct oci_namespace *groups = &namespaces[OCI_NS_CGROUP];

	if (groups->asked && !groups->path && unshare(CLONE_NEWCGROUP) < 0)
		return oci_fail_errno(error, "making a cgroup namespace");
	return namespaces[OCI_NS_MOUNT].path ? enter_path(namespaces, OCI_NS_MOUNT, error) : 0;
}

void oci_spawn_check(struct oci_spec *spec, struct oci_notes *notes)
{
	struct oci_namespace *namespaces = spec->namespaces, *network = &namespaces[OCI_NS_NETWORK];
	CLEANUP_FD int own = open_own(OCI_NS_PID), groups = FD_NONE;

	if (namespaces[OCI_NS_PID].asked && (own < 0 || setns(own, CLONE_NEWPID) < 0)) {
		namespaces[OCI_NS_PID] = (struct oci_namespace){ 0 };
		oci_note(notes, "the container has no pid namespace: a further process could not enter it here (%s)",
			 strerror(errno));
	}
	groups = open_own(OCI_NS_CGROUP);
	if (namespaces[OCI_NS_CGROUP].asked && groups < 0) {
		namespaces[OCI_NS_CGROUP] = (struct oci_namespace){ 0 };
		oci_note(notes, "the container has no cgroup namespace: this machine has none");
	}
	if (network->asked && !network->path && !namespaces[OCI_NS_USER].asked && !can_make(CLONE_NEWNET)) {
		*network = (struct oci_namespace){ 0 };
		spec->no_network = true;
		oci_note(notes, "the container has no network namespace: a filter refuses it all sockets but AF_UNIX");
	}
}

/* --- users ---------------------------------------------------------------------------------------------------------------------------------- */

static int write_map(const struct oci_id_map *map, u32 count, pid_t pid, const char *file, struct oci_error *error)
{
	char path[64], text[4096];
	size_t length = 0;
	CLEANUP_FD int fd = FD_NONE;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	for (u32 i = 0; i < count && length < sizeof(text); i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%u %u %u\n", map[i].inside, map[i].outside,
					   map[i].size);
	fd = length < sizeof(text) ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		return oci_fail_errno(error, "writing %s", path);
	return 0;
}

int oci_spawn_map(const struct oci_spec *spec, pid_t pid, struct oci_error *error)
{
	const struct oci_namespace *users = &spec->namespaces[OCI_NS_USER];
	int r;

	if (!users->asked || users->path)
		return 0;
	r = write_map(spec->gid_maps, spec->gid_map_count, pid, "gid_map", error);
	return r == 0 ? write_map(spec->uid_maps, spec->uid_map_count, pid, "uid_map", error) : r;
}

/* --- of another process ------------------------------------------------------------------------------------------------------------------- */

/* A descriptor of a namespace that is not ours; FD_NONE: it is, or there is no such. */
static int open_other(pid_t pid, enum oci_namespace_kind kind)
{
	char path[64], own[64];
	struct stat st, mine;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, oci_namespace_names[kind].file);
	(void)snprintf(own, sizeof(own), "/proc/self/ns/%s", oci_namespace_names[kind].file);
	if (stat(path, &st) < 0 || stat(own, &mine) < 0 || (st.st_ino == mine.st_ino && st.st_dev == mine.st_dev))
		return FD_NONE;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int join_one(int fd, enum oci_namespace_kind kind, struct oci_error *error)
{
	return fd < 0 || setns(fd, oci_namespace_names[kind].flag) == 0
		     ? 0
		     : oci_fail_errno(error, "joining the container's %s namespace", oci_namespace_names[kind].spec);
}

int oci_join(pid_t pid, const bool asked[OCI_NAMESPACES], bool *ret_no_network, struct oci_error *error)
{
	int fds[OCI_NAMESPACES], r = 0;

	for (enum oci_namespace_kind i = 0; i < OCI_NAMESPACES; i++)
		fds[i] = i == OCI_NS_PID || !asked[i] ? FD_NONE : open_other(pid, i);
	for (enum oci_namespace_kind i = 0; i < OCI_NAMESPACES; i++) {
		if (r == 0)
			r = join_one(fds[i], i, error);
		if (i == OCI_NS_NETWORK && (r == -EOPNOTSUPP || r == -EINVAL || r == -ENOSYS)) {
			*ret_no_network = true;
			r = 0;
		}
		close_fd(&fds[i]);
	}
	return r;
}

int oci_join_pids(pid_t pid, const bool asked[OCI_NAMESPACES], struct oci_error *error)
{
	CLEANUP_FD int fd = asked[OCI_NS_PID] ? open_other(pid, OCI_NS_PID) : FD_NONE;

	return join_one(fd, OCI_NS_PID, error);
}
