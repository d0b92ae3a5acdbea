// SPDX-License-Identifier: Apache-2.0
/* config.json: the whole, the process, hooks, mounts. */
#include "oci/oci_spec.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/capability_names.h"
#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "oci/oci_spec_read.h"

const char *const oci_hook_names[OCI_HOOK_TIMES] = { "prestart",       "createRuntime", "createContainer",
						     "startContainer", "poststart",     "poststop" };

/* --- capabilities and limits --------------------------------------------------------------------------------------------------------------- */

static const char *const capabilities[] = { CAPABILITY_NAMES };

int oci_capability(const char *name)
{
	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (strcasecmp(name, capabilities[i]) == 0)
			return (int)i;
	return -1;
}

const char *oci_capability_name(int number)
{
	return number >= 0 && (size_t)number < ARRAY_SIZE(capabilities) ? capabilities[number] : NULL;
}

/* A name that this lichen does not know is left out, as runc does: a container with less. */
static u64 read_set(struct oci_reader *r, json_t *from, const char *name)
{
	const char **names = oci_read_texts(r, from, name);
	u64 set = 0;

	for (size_t i = 0; names && names[i]; i++) {
		int number = oci_capability(names[i]);

		if (number >= 0)
			set |= UINT64_C(1) << number;
	}
	free((void *)names);
	return set;
}

static void read_capabilities(struct oci_reader *r, json_t *process, struct oci_capabilities *into)
{
	json_t *from = oci_read_object(r, process, "capabilities");

	into->bounding = read_set(r, from, "bounding");
	into->effective = read_set(r, from, "effective");
	into->inheritable = read_set(r, from, "inheritable");
	into->permitted = read_set(r, from, "permitted");
	into->ambient = read_set(r, from, "ambient");
}

static int rlimit_of(const char *name)
{
	static const struct {
		char name[12];
		int resource;
	} rows[] = { { "AS", RLIMIT_AS },           { "CORE", RLIMIT_CORE },         { "CPU", RLIMIT_CPU },
		     { "DATA", RLIMIT_DATA },       { "FSIZE", RLIMIT_FSIZE },       { "LOCKS", RLIMIT_LOCKS },
		     { "MEMLOCK", RLIMIT_MEMLOCK }, { "MSGQUEUE", RLIMIT_MSGQUEUE }, { "NICE", RLIMIT_NICE },
		     { "NOFILE", RLIMIT_NOFILE },   { "NPROC", RLIMIT_NPROC },       { "RSS", RLIMIT_RSS },
		     { "RTPRIO", RLIMIT_RTPRIO },   { "RTTIME", RLIMIT_RTTIME },     { "SIGPENDING", RLIMIT_SIGPENDING },
		     { "STACK", RLIMIT_STACK } };

	for (size_t i = 0; strncmp(name, "RLIMIT_", 7) == 0 && i < ARRAY_SIZE(rows); i++)
		if (strcmp(name + 7, rows[i].name) == 0)
			return rows[i].resource;
	return -1;
}

static void read_rlimits(struct oci_reader *r, json_t *process, struct oci_process *into)
{
	json_t *from = oci_read_array(r, process, "rlimits");

	into->rlimits = oci_read_alloc(r, json_array_size(from), sizeof(*into->rlimits));
	for (size_t i = 0; i < json_array_size(from) && !r->status; i++) {
		json_t *row = json_array_get(from, i);
		struct oci_rlimit *limit = &into->rlimits[into->rlimit_count++];
		const char *type = oci_read_needed(r, row, "type");
		u64 soft = 0, hard = 0;

		(void)oci_read_u64(r, row, "soft", &soft);
		(void)oci_read_u64(r, row, "hard", &hard);
		limit->resource = rlimit_of(type);
		limit->limit = (struct rlimit64){ .rlim_cur = soft, .rlim_max = hard };
		if (limit->resource < 0)
			oci_read_wrong(r, "config: invalid rlimit type: %s", type);
	}
}

/* --- process ------------------------------------------------------------------------------------------------------------------------------- */

static void read_user(struct oci_reader *r, json_t *process, struct oci_user *user)
{
	json_t *from = oci_read_object(r, process, "user"), *groups = oci_read_array(r, from, "additionalGids");
	u64 mask;

	user->uid = oci_read_u32(r, from, "uid");
	user->gid = oci_read_u32(r, from, "gid");
	user->umask = OCI_UMASK_NONE;
	if (oci_read_u64(r, from, "umask", &mask))
		user->umask = (u32)mask & 0777;
	user->groups = oci_read_alloc(r, json_array_size(groups), sizeof(*user->groups));
	for (size_t i = 0; i < json_array_size(groups) && !r->status; i++) {
		json_t *value = json_array_get(groups, i);

		if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > UINT32_MAX)
			oci_read_wrong(r, "config: additionalGids is no list of groups");
		else
			user->groups[user->group_count++] = (gid_t)json_integer_value(value);
	}
}

static void oci_read_process(struct oci_reader *r, json_t *from, struct oci_process *process)
{
	json_t *size = oci_read_object(r, from, "consoleSize");
	s64 score;

	process->terminal = oci_read_bool(r, from, "terminal");
	process->rows = (u16)oci_read_u32(r, size, "height");
	process->columns = (u16)oci_read_u32(r, size, "width");
	read_user(r, from, &process->user);
	process->args = oci_read_texts(r, from, "args");
	process->env = oci_read_texts(r, from, "env");
	process->cwd = oci_read_needed(r, from, "cwd");
	read_capabilities(r, from, &process->capabilities);
	process->no_new_privileges = oci_read_bool(r, from, "noNewPrivileges");
	process->has_oom_score = oci_read_s64(r, from, "oomScoreAdj", &score);
	if (process->has_oom_score)
		process->oom_score = score < -1000 ? -1000 : score > 1000 ? 1000 : (int)score;
	read_rlimits(r, from, process);
	process->apparmor = oci_read_text(r, from, "apparmorProfile");
	process->selinux = oci_read_text(r, from, "selinuxLabel");
	if (!r->status && (!process->args || !process->args[0]))
		oci_read_wrong(r, "config: process.args must not be empty");
	if (*process->cwd != '/')
		oci_read_wrong(r, "config: cwd must be an absolute path");
	if (!r->status && !process->env)
		process->env = oci_read_alloc(r, 1, sizeof(*process->env));
}

void oci_process_done(struct oci_process *process)
{
	free((void *)process->args);
	free((void *)process->env);
	free(process->user.groups);
	free(process->rlimits);
	*process = (struct oci_process){ 0 };
}

int oci_process_parse(const char *json, size_t size, json_t **ret_root, struct oci_process *ret, struct oci_error *error)
{
	struct oci_reader r = { .error = error };
	struct oci_process process = { 0 };
	json_t *root = oci_read_json(&r, "process", json, size);

	oci_read_process(&r, root, &process);
	if (r.status) {
		oci_process_done(&process);
		json_decref(root);
		return r.status;
	}
	*ret_root = root;
	*ret = process;
	return 0;
}

/* --- hooks and mounts ---------------------------------------------------------------------------------------------------------------------- */

static void read_hooks(struct oci_reader *r, json_t *from, struct oci_hooks *into)
{
	into->hooks = oci_read_alloc(r, json_array_size(from), sizeof(*into->hooks));
	for (size_t i = 0; i < json_array_size(from) && !r->status; i++) {
		json_t *row = json_array_get(from, i);
		struct oci_hook *hook = &into->hooks[into->count++];

		hook->path = oci_read_needed(r, row, "path");
		hook->args = oci_read_texts(r, row, "args");
		hook->env = oci_read_texts(r, row, "env");
		hook->timeout = oci_read_u32(r, row, "timeout");
		if (*hook->path != '/')
			oci_read_wrong(r, "config: the path of a hook is not absolute: %s", hook->path);
	}
}

static void read_mounts(struct oci_reader *r, json_t *root, struct oci_spec *spec)
{
	json_t *from = oci_read_array(r, root, "mounts");

	spec->mounts = oci_read_alloc(r, json_array_size(from), sizeof(*spec->mounts));
	for (size_t i = 0; i < json_array_size(from) && !r->status; i++) {
		json_t *row = json_array_get(from, i);
		struct oci_mount *mount = &spec->mounts[spec->mount_count++];
		const char *type = oci_read_text(r, row, "type"), *source = oci_read_text(r, row, "source");
		const char **options = oci_read_texts(r, row, "options");

		mount->destination = oci_read_needed(r, row, "destination");
		mount->type = type ? type : "";
		mount->source = source ? source : "";
		if (strcmp(mount->type, "bind") == 0)
			mount->flags |= MS_BIND;
		for (size_t j = 0; options && options[j] && !r->status; j++)
			r->status = oci_mount_option(mount, options[j], r->error);
		free((void *)options);
		if (json_object_get(row, "uidMappings") || json_object_get(row, "gidMappings"))
			oci_read_wrong(r, "config: mounts with ID mappings are not supported ('%s')", mount->destination);
	}
}

/* --- the whole ----------------------------------------------------------------------------------------------------------------------------- */

static void read_spec(struct oci_reader *r, struct oci_spec *spec)
{
	json_t *root = oci_read_object(r, spec->root, "root"), *hooks = oci_read_object(r, spec->root, "hooks"),
	       *process = oci_read_object(r, spec->root, "process");
	const char *version = oci_read_needed(r, spec->root, "ociVersion");

	if (strncmp(version, "1.", 2) != 0)
		oci_read_wrong(r, "config: ociVersion %s is not supported", version);
	if (!root)
		oci_read_wrong(r, "config: root is missing");
	spec->root_path = oci_read_needed(r, root, "path");
	spec->root_read_only = oci_read_bool(r, root, "readonly");
	spec->hostname = oci_read_text(r, spec->root, "hostname");
	spec->domainname = oci_read_text(r, spec->root, "domainname");
	spec->annotations = oci_read_object(r, spec->root, "annotations");
	spec->has_process = process != NULL;
	if (process)
		oci_read_process(r, process, &spec->process);
	for (size_t i = 0; i < OCI_HOOK_TIMES; i++)
		read_hooks(r, oci_read_array(r, hooks, oci_hook_names[i]), &spec->hooks[i]);
	read_mounts(r, spec->root, spec);
	oci_read_linux(r, oci_read_object(r, spec->root, "linux"), spec);
}

int oci_spec_parse(const char *json, size_t size, struct oci_spec *ret, struct oci_error *error)
{
	struct oci_reader r = { .error = error };
	struct oci_spec spec = { .root = oci_read_json(&r, "config.json", json, size) };

	if (spec.root)
		read_spec(&r, &spec);
	if (r.status)
		oci_spec_done(&spec);
	else
		*ret = spec;
	return r.status;
}

static void hooks_done(struct oci_hooks *hooks)
{
	for (u32 i = 0; i < hooks->count; i++) {
		free((void *)hooks->hooks[i].args);
		free((void *)hooks->hooks[i].env);
	}
	free(hooks->hooks);
}

void oci_spec_done(struct oci_spec *spec)
{
	oci_process_done(&spec->process);
	for (size_t i = 0; i < OCI_HOOK_TIMES; i++)
		hooks_done(&spec->hooks[i]);
	for (u32 i = 0; i < spec->mount_count; i++)
		free(spec->mounts[i].data);
	free(spec->mounts);
	free(spec->uid_maps);
	free(spec->gid_maps);
	free(spec->devices);
	free((void *)spec->masked);
	free((void *)spec->read_only);
	json_decref(spec->root);
	*spec = (struct oci_spec){ 0 };
}

int oci_read_file(const char *path, char **ret, size_t *ret_size, struct oci_error *error)
{
	CLEANUP_FD int fd = strcmp(path, "-") == 0 ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	int r;

	if (fd < 0)
		return oci_fail_errno(error, "open %s", path);
	r = read_bytes(fd, OCI_SPEC_MAX + 1, &text, &size);
	if (r < 0)
		return oci_fail(error, r, "read %s: %s", path, strerror(-r));
	if (size > OCI_SPEC_MAX)
		return oci_fail(error, -EFBIG, "%s is too large", path);
	*ret = text;
	*ret_size = size;
	text = NULL;
	return 0;
}
