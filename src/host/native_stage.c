// SPDX-License-Identifier: Apache-2.0
/* Finds the directories of a native root on the machine, before the guest is there. */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "host/native.h"
#include "host/root_layers.h"

static int PRINTF_LIKE(3, 4) fail(struct root_error *error, int number, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);
	return -number;
}

static int canonical(const char *path, const char *as, char **ret, struct root_error *error)
{
	struct stat st;

	*ret = realpath(path, NULL);
	if (!*ret || stat(*ret, &st) < 0)
		return fail(error, errno, "'%s' as %s", path, as);
	return S_ISDIR(st.st_mode) ? 0 : fail(error, ENOTDIR, "'%s' as %s", path, as);
}

static int stage_layers(const struct root_spec *spec, struct native_root *root, struct root_error *error)
{
	char upper[PATH_MAX], work[PATH_MAX];
	int r = root_layers_take(spec, root->directory, upper, work, error);

	if (r < 0)
		return r;
	root->upper = strdup(upper);
	root->work = strdup(work);
	if (!root->upper || !root->work)
		return fail(error, ENOMEM, "'%s' as upper layer", spec->upper);
	for (u32 i = 0; i < spec->lower_count && r == 0; i++) {
		r = canonical(spec->lowers[i], "layer", &root->lowers[i], error);
		root->lower_count++;
	}
	return r;
}

static int stage_bind(struct root_bind *bind, struct root_error *error)
{
	struct stat st;

	if (stat(bind->host, &st) < 0)
		return fail(error, errno, "'%s' on this machine", bind->host);
	if (!bind->guest[strspn(bind->guest, "/")])
		return fail(error, EINVAL, "'%s' in the tree: the root itself cannot be bound over, use --rootfs", bind->guest);
	bind->host = strdup(bind->host);
	bind->guest = strdup(bind->guest);
	return bind->host && bind->guest ? 0 : fail(error, ENOMEM, "a volume");
}

int native_stage(const struct root_spec *spec, struct native_root **ret, struct root_error *error)
{
	struct native_root *root = calloc(1, sizeof(*root));
	int r;

	if (!root)
		return fail(error, ENOMEM, "'%s' as root", spec->directory);
	root->member = FD_NONE;
	root->capabilities = NATIVE_CAPABILITIES_DEFAULT;
	root->namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
	if (access("/proc/self/ns/cgroup", F_OK) == 0)
		root->namespaces |= CLONE_NEWCGROUP;
	root->read_only = spec->read_only;
	r = canonical(spec->directory, "root", &root->directory, error);
	if (r == 0 && spec->upper)
		r = stage_layers(spec, root, error);
	for (u32 i = 0; i < spec->bind_count && r == 0; i++) {
		root->binds[i] = spec->binds[i];
		r = stage_bind(&root->binds[i], error);
		root->bind_count += r == 0;
	}
	if (r == 0 && !(root->workdir = strdup(spec->workdir ? spec->workdir : "/")))
		r = fail(error, ENOMEM, "'%s' as root", spec->directory);
	if (r == 0)
		*ret = root;
	else
		native_root_free(root);
	return r;
}

void native_root_free(struct native_root *root)
{
	if (!root)
		return;
	for (u32 i = 0; i < root->lower_count; i++)
		free(root->lowers[i]);
	for (u32 i = 0; i < root->bind_count; i++) {
		free((void *)(uintptr_t)root->binds[i].host);
		free((void *)(uintptr_t)root->binds[i].guest);
	}
	free(root->directory);
	free(root->upper);
	free(root->work);
	free(root->workdir);
	free(root);
}
