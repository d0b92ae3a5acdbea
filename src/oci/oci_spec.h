/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's configuration: config.json as config.md and config-linux.md of the OCI runtime specification have it, and a process.json, which is its
 * member `process` alone. Members that lichen does not know are ignored, as the specification wants; those that it knows and cannot do are refused here.
 *
 *   oci_spec.c          the whole, process, hooks
 *   oci_spec_linux.c    namespaces, mappings, devices, resources
 *   oci_spec_read.c     members of JSON by type
 *   oci_mount_option.c  mounts and their options
 */
#ifndef LICHEN_OCI_OCI_SPEC_H
#define LICHEN_OCI_OCI_SPEC_H

#include <jansson.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "oci/oci_error.h"

#define OCI_SPEC_MAX ((size_t)16 << 20) /* bytes of a config.json */
#define OCI_VERSION "1.0.2"

/* Bits of CAP_…, one set each. */
struct oci_capabilities {
	u64 bounding, effective, inheritable, permitted, ambient;
};

struct oci_rlimit {
	int resource; /* RLIMIT_… */
	struct rlimit64 limit;
};

struct oci_user {
	uid_t uid;
	gid_t gid;
	u32 umask; /* OCI_UMASK_NONE: 022 */
	gid_t *groups;
	u32 group_count;
};
#define OCI_UMASK_NONE UINT32_MAX

struct oci_process {
	bool terminal;
	u16 rows, columns; /* 0 = as they are */
	struct oci_user user;
	const char **args, **env; /* NULL-terminated */
	const char *cwd;
	struct oci_capabilities capabilities;
	bool no_new_privileges;
	bool has_oom_score;
	int oom_score;
	struct oci_rlimit *rlimits;
	u32 rlimit_count;
	const char *apparmor, *selinux; /* NULL = none */
};

struct oci_hook {
	const char *path;
	const char **args, **env; /* NULL-terminated; args NULL = the path alone */
	u32 timeout;              /* seconds; 0 = none */
};

enum oci_hook_time {
	OCI_PRESTART, /* deprecated: before createRuntime, the same place */
	OCI_CREATE_RUNTIME,
	OCI_CREATE_CONTAINER,
	OCI_START_CONTAINER,
	OCI_POSTSTART,
	OCI_POSTSTOP,
	OCI_HOOK_TIMES,
};
extern const char *const oci_hook_names[OCI_HOOK_TIMES];

struct oci_hooks {
	struct oci_hook *hooks;
	u32 count;
};

enum oci_mount_flag {
	OCI_MOUNT_COPY_UP = 1 << 0, /* tmpcopyup: a tmpfs begins with what lies below it */
};

struct oci_mount {
	const char *destination, *type, *source; /* type and source "" = none */
	unsigned long flags;                     /* MS_…, without propagation; MS_BIND: a bind */
	unsigned long propagation[8];            /* each is a mount(2) of its own, in this order */
	u32 propagation_count;
	u64 recursive_set, recursive_clear; /* MOUNT_ATTR_…, for all that is mounted below */
	u32 special;                        /* enum oci_mount_flag */
	char *data;                         /* of the file system, "a,b=c"; "" = none */
};

struct oci_device {
	const char *path;
	mode_t type; /* S_IFCHR, S_IFBLK, S_IFIFO */
	u32 major, minor;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

struct oci_namespace {
	bool asked;
	const char *path; /* NULL = a new one */
};

enum oci_namespace_kind {
	OCI_NS_USER,
	OCI_NS_CGROUP,
	OCI_NS_IPC,
	OCI_NS_UTS,
	OCI_NS_NETWORK,
	OCI_NS_PID,
	OCI_NS_MOUNT,
	OCI_NAMESPACES,
};
/* What the specification calls them, what /proc/PID/ns does, and CLONE_NEW…. */
extern const struct oci_namespace_name {
	char spec[8], file[8];
	int flag;
} oci_namespace_names[OCI_NAMESPACES];

struct oci_id_map {
	u32 inside, outside, size;
};

struct oci_spec {
	json_t *root;                                  /* all texts are its */
	const char *root_path, *hostname, *domainname; /* names NULL = as they are */
	bool root_read_only, has_process;
	struct oci_process process;
	struct oci_hooks hooks[OCI_HOOK_TIMES];
	struct oci_mount *mounts;
	u32 mount_count;
	struct oci_namespace namespaces[OCI_NAMESPACES];
	struct oci_id_map *uid_maps, *gid_maps;
	u32 uid_map_count, gid_map_count;
	struct oci_device *devices;
	u32 device_count;
	const char **masked, **read_only; /* NULL-terminated; may be NULL */
	unsigned long propagation;        /* of the root: MS_…; 0 = not told */
	const char *cgroups_path;         /* NULL = not told */
	bool personality_32;
	bool no_network;                                    /* not from JSON: oci_spawn_check() */
	json_t *sysctl, *resources, *seccomp, *annotations; /* borrowed; may be NULL */
};

/* Parses a config.json. 0 or negative errno with the error filled. oci_spec_done() it. */
int oci_spec_parse(const char *json, size_t size, struct oci_spec *ret, struct oci_error *error) MUST_CHECK;
void oci_spec_done(struct oci_spec *spec);
/* Parses a process.json: *ret_root holds its texts, json_decref() it, and oci_process_done() the process. */
int oci_process_parse(const char *json, size_t size, json_t **ret_root, struct oci_process *ret,
		      struct oci_error *error) MUST_CHECK;
void oci_process_done(struct oci_process *process);

/* Reads a whole file of at most OCI_SPEC_MAX bytes; free(3) it. 0 or negative errno with the error filled. */
int oci_read_file(const char *path, char **ret, size_t *ret_size, struct oci_error *error) MUST_CHECK;

/* The number of a capability ("CAP_CHOWN", any case), -1 = there is none of the name. */
int oci_capability(const char *name);
const char *oci_capability_name(int number); /* NULL = none */

/* oci_mount_option.c: adds one option to a mount. 0 or negative errno. */
int oci_mount_option(struct oci_mount *mount, const char *option, struct oci_error *error) MUST_CHECK;
/* The names of all options, one after the other: NULL at the end. */
const char *oci_mount_option_name(size_t index);
/* A propagation ("rslave"): MS_…, 0 = no such. */
unsigned long oci_propagation(const char *name);

#endif
