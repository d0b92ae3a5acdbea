// SPDX-License-Identifier: Apache-2.0
/* Seccomp profiles: Docker's form becomes OCI's, which src/oci compiles. */
#include "cage/cage_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "oci/oci_spec_read.h"

#define ARCHITECTURE "amd64" /* as Go calls it */

/* "4.8" of "6.1.0-13-amd64" is reached. */
static bool kernel_reached(struct oci_reader *r, const char *wanted)
{
	unsigned major = 0, minor = 0, our_major = 0, our_minor = 0;
	struct utsname name;
	int end = 0;
	if (sscanf(wanted, "%5u.%5u%n", &major, &minor, &end) != 2 || wanted[end])
		oci_read_wrong(r, "minKernel '%.40s' is no VERSION.NUMBER", wanted);
	if (uname(&name) < 0 || sscanf(name.release, "%5u.%5u", &our_major, &our_minor) != 2)
		return false;
	return our_major > major || (our_major == major && our_minor >= minor);
}

static bool names_ours(struct oci_reader *r, json_t *from)
{
	const char **names = oci_read_texts(r, from, "arches");
	bool ours = false;
	for (size_t i = 0; names && names[i]; i++)
		ours = ours || strcmp(names[i], ARCHITECTURE) == 0;
	free((void *)names);
	return ours;
}

/* What a condition says: whether it has capabilities, architectures, a kernel; and whether these are ours. */
struct condition {
	bool capabilities, arches, kernel;
	bool our_arch, our_kernel;
};

static struct condition read_condition(struct oci_reader *r, json_t *rule, const char *name)
{
	json_t *from = oci_read_object(r, rule, name), *value;
	struct condition c = { false };
	const char *key;
	if (!from)
		return c;
	json_object_foreach(from, key, value)
	{
		if (strcmp(key, "caps") != 0 && strcmp(key, "arches") != 0 && strcmp(key, "minKernel") != 0)
			oci_read_wrong(r, "%s: there is no '%.40s' here", name, key);
	}
	c.capabilities = json_array_size(oci_read_array(r, from, "caps")) > 0;
	c.arches = json_array_size(oci_read_array(r, from, "arches")) > 0;
	c.our_arch = c.arches && names_ours(r, from);
	const char *kernel = oci_read_text(r, from, "minKernel");
	c.kernel = kernel && *kernel;
	c.our_kernel = c.kernel && kernel_reached(r, kernel);
	return c;
}

/* As Docker's daemon decides (moby, profiles/seccomp): all of what includes names must hold, and none of what excludes names. */
static bool applies(struct oci_reader *r, json_t *rule)
{
	struct condition in = read_condition(r, rule, "includes"), out = read_condition(r, rule, "excludes");
	bool included = !in.capabilities && (!in.arches || in.our_arch) && (!in.kernel || in.our_kernel);
	return included && !out.our_arch && !out.our_kernel; /* capabilities that we have not exclude nothing */
}

/* A rule of what is allowed otherwise must not be lost: its names are known. */
static void check_names(struct oci_reader *r, json_t *rule)
{
	const char **names = oci_read_texts(r, rule, "names");
	for (size_t i = 0; names && names[i] && !r->status; i++)
		if (seccomp_syscall_resolve_name(names[i]) == __NR_SCMP_ERROR)
			oci_read_wrong(r, "there is no system call '%.60s', and what has no rule is allowed", names[i]);
	free((void *)names);
}

static bool allows_the_rest(struct oci_reader *r, json_t *profile)
{
	const char *action = oci_read_needed(r, profile, "defaultAction");
	return strcmp(action, "SCMP_ACT_ALLOW") == 0 || strcmp(action, "SCMP_ACT_LOG") == 0;
}

/* The rules that apply here. NULL after a failure. */
static json_t *take_rules(struct oci_reader *r, json_t *profile)
{
	json_t *from = oci_read_array(r, profile, "syscalls"), *rules = json_array();
	bool allowed = allows_the_rest(r, profile);
	for (size_t i = 0; i < json_array_size(from) && !r->status && rules; i++) {
		json_t *rule = json_array_get(from, i), *name = json_object_get(rule, "name");
		if (!json_is_object(rule))
			oci_read_wrong(r, "a rule of 'syscalls' is no object");
		else if (json_is_string(name) && !json_object_get(rule, "names") &&
			 json_object_set_new(rule, "names", json_pack("[O]", name)) < 0) /* before Docker 1.13 */
			r->status = -ENOMEM;
		if (!r->status && json_array_size(json_object_get(rule, "names")) == 0)
			oci_read_wrong(r, "a rule of 'syscalls' has no names");
		if (!r->status && allowed)
			check_names(r, rule);
		if (!r->status && applies(r, rule) && json_array_append(rules, rule) < 0)
			r->status = -ENOMEM;
	}
	if (!r->status && rules)
		return rules;
	r->status = r->status ? r->status : -ENOMEM;
	json_decref(rules);
	return NULL;
}

int cage_profile_read(const char *json, size_t size, struct oci_seccomp *ret, struct oci_error *error)
{
	struct oci_reader r = { .error = error };
	json_t *profile = oci_read_json(&r, "profile", json, size);
	json_t *rules = profile ? take_rules(&r, profile) : NULL;
	*ret = (struct oci_seccomp){ .program = NULL };
	if (rules && (json_object_set_new(profile, "syscalls", rules) < 0 ||
		      json_object_set_new(profile, "architectures", json_pack("[s]", "SCMP_ARCH_X86_64")) < 0))
		r.status = -ENOMEM;
	int status = r.status ? r.status : oci_seccomp_compile(profile, ret, error);
	json_decref(profile);
	if (status == -ENOMEM)
		return oci_fail(error, status, "out of memory");
	return status;
}

/* Opens, reads and compiles it. */
static int load(const char *path, struct oci_seccomp *ret, struct oci_error *error)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	if (fd < 0)
		return oci_fail_errno(error, "cannot read it");
	errno = -read_bytes(fd, CAGE_PROFILE_MAX + 1, &text, &size);
	if (errno)
		return oci_fail_errno(error, "cannot read it");
	if (size > CAGE_PROFILE_MAX)
		return oci_fail(error, -EFBIG, "it has more than 1 MiB");
	return cage_profile_read(text, size, ret, error);
}

int cage_profile_load(const struct cage_policy *policy, struct oci_seccomp *ret, struct cage_policy_error *error)
{
	const struct cage_path *path = policy->processes.profile;
	struct oci_error why = { .text = "" };
	*ret = (struct oci_seccomp){ .program = NULL };
	int r = path ? load(path->real ? path->real : path->path, ret, &why) : 0;
	if (r == 0 || r == -ENOMEM)
		return r;
	const struct yaml_node place = { .line = path->line, .column = path->column };
	error->meaning = true;
	return yaml_refuse(&place, &error->at, "the profile '%.80s': %.160s", path->written, why.text);
}
