// SPDX-License-Identifier: Apache-2.0
/* config.json: the member `linux`. */
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "oci/oci_spec_read.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

/* In the order in which they are entered: that of users gives the right to the others, that of mounts takes the paths away. */
const struct oci_namespace_name oci_namespace_names[OCI_NAMESPACES] = {
	[OCI_NS_USER] = { "user", "user", CLONE_NEWUSER },     [OCI_NS_CGROUP] = { "cgroup", "cgroup", CLONE_NEWCGROUP },
	[OCI_NS_IPC] = { "ipc", "ipc", CLONE_NEWIPC },         [OCI_NS_UTS] = { "uts", "uts", CLONE_NEWUTS },
	[OCI_NS_NETWORK] = { "network", "net", CLONE_NEWNET }, [OCI_NS_PID] = { "pid", "pid", CLONE_NEWPID },
	[OCI_NS_MOUNT] = { "mount", "mnt", CLONE_NEWNS },
};

static void read_namespace(struct oci_reader *r, json_t *row, struct oci_spec *spec)
{
	const char *type = oci_read_needed(r, row, "type"), *path = oci_read_text(r, row, "path");

	if (strncmp(type, "network", 8) != 0 && strcmp(type, "net") == 0)
		type = "network";
	for (size_t i = 0; i < OCI_NAMESPACES; i++) {
		if (strcmp(type, oci_namespace_names[i].spec) != 0)
			continue;
		if (spec->namespaces[i].asked)
			oci_read_wrong(r, "config: the namespace '%s' is there twice", type);
		if (path && *path && *path != '/')
			oci_read_wrong(r, "config: the path of a namespace is not absolute: %s", path);
		spec->namespaces[i] = (struct oci_namespace){ .asked = true, .path = path && *path ? path : NULL };
		return;
	}
	oci_read_wrong(r, "config: namespace type '%s' is not supported", type);
}

static struct oci_id_map *read_map(struct oci_reader *r, json_t *from, const char *name, u32 *ret_count)
{
	json_t *rows = oci_read_array(r, from, name);
	struct oci_id_map *map = oci_read_alloc(r, json_array_size(rows), sizeof(*map));

	for (size_t i = 0; i < json_array_size(rows) && !r->status; i++) {
		json_t *row = json_array_get(rows, i);

		map[i].inside = oci_read_u32(r, row, "containerID");
		map[i].outside = oci_read_u32(r, row, "hostID");
		map[i].size = oci_read_u32(r, row, "size");
		*ret_count += 1;
	}
	return map;
}

static mode_t device_type(const char *type)
{
	switch (*type) {
	case 'c':
	case 'u':
		return S_IFCHR;
	case 'b':
		return S_IFBLK;
	case 'p':
		return S_IFIFO;
	default:
		return 0;
	}
}

static void read_devices(struct oci_reader *r, json_t *from, struct oci_spec *spec)
{
	json_t *rows = oci_read_array(r, from, "devices");

	spec->devices = oci_read_alloc(r, json_array_size(rows), sizeof(*spec->devices));
	for (size_t i = 0; i < json_array_size(rows) && !r->status; i++) {
		json_t *row = json_array_get(rows, i);
		struct oci_device *device = &spec->devices[spec->device_count++];
		const char *type = oci_read_needed(r, row, "type");
		u64 mode = 0666;

		device->path = oci_read_needed(r, row, "path");
		device->type = type[0] && type[1] ? 0 : device_type(type);
		device->major = oci_read_u32(r, row, "major");
		device->minor = oci_read_u32(r, row, "minor");
		(void)oci_read_u64(r, row, "fileMode", &mode);
		device->mode = (mode_t)mode & 07777;
		device->uid = oci_read_u32(r, row, "uid");
		device->gid = oci_read_u32(r, row, "gid");
		if (!device->type || *device->path != '/')
			oci_read_wrong(r, "config: invalid device '%s' of type '%s'", device->path, type);
	}
}

static void read_propagation(struct oci_reader *r, json_t *from, struct oci_spec *spec)
{
	const char *name = oci_read_text(r, from, "rootfsPropagation");

	if (!name || !*name)
		return;
	spec->propagation = oci_propagation(name);
	if (!spec->propagation)
		oci_read_wrong(r, "config: rootfsPropagation=%s is not supported", name);
}

static void read_personality(struct oci_reader *r, json_t *from, struct oci_spec *spec)
{
	json_t *personality = oci_read_object(r, from, "personality");
	const char *domain = personality ? oci_read_needed(r, personality, "domain") : "LINUX";

	spec->personality_32 = strcmp(domain, "LINUX32") == 0;
	if (!spec->personality_32 && strcmp(domain, "LINUX") != 0)
		oci_read_wrong(r, "config: invalid personality domain: %s", domain);
}

/* What is refused, rather than forgotten. */
static void refuse(struct oci_reader *r, json_t *from, const struct oci_spec *spec)
{
	static const char *const unsupported[] = { "intelRdt", "timeOffsets" };
	json_t *seccomp = spec->seccomp;
	bool users = spec->namespaces[OCI_NS_USER].asked && !spec->namespaces[OCI_NS_USER].path;

	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++)
		if (json_object_size(json_object_get(from, unsupported[i])))
			oci_read_wrong(r, "config: linux.%s is not supported", unsupported[i]);
	if (seccomp && json_string_length(json_object_get(seccomp, "listenerPath")))
		oci_read_wrong(
			r, "config: linux.seccomp.listenerPath is not supported: system calls are not handed to another program");
	if ((spec->uid_map_count || spec->gid_map_count) && !spec->namespaces[OCI_NS_USER].asked)
		oci_read_wrong(r, "config: user namespace mappings specified, but user namespace isn't enabled in the config");
	if (users && (!spec->uid_map_count || !spec->gid_map_count))
		oci_read_wrong(r, "config: a user namespace without uidMappings and gidMappings");
	if (!spec->namespaces[OCI_NS_MOUNT].asked)
		oci_read_wrong(r, "config: a container without a mount namespace of its own is not supported");
	if (spec->hostname && *spec->hostname && !spec->namespaces[OCI_NS_UTS].asked)
		oci_read_wrong(r, "config: unable to set hostname without a private UTS namespace");
}

void oci_read_linux(struct oci_reader *r, json_t *from, struct oci_spec *spec)
{
	json_t *namespaces = oci_read_array(r, from, "namespaces");

	for (size_t i = 0; i < json_array_size(namespaces); i++)
		read_namespace(r, json_array_get(namespaces, i), spec);
	spec->uid_maps = read_map(r, from, "uidMappings", &spec->uid_map_count);
	spec->gid_maps = read_map(r, from, "gidMappings", &spec->gid_map_count);
	read_devices(r, from, spec);
	spec->masked = oci_read_texts(r, from, "maskedPaths");
	spec->read_only = oci_read_texts(r, from, "readonlyPaths");
	read_propagation(r, from, spec);
	read_personality(r, from, spec);
	spec->cgroups_path = oci_read_text(r, from, "cgroupsPath");
	spec->sysctl = oci_read_object(r, from, "sysctl");
	spec->resources = oci_read_object(r, from, "resources");
	spec->seccomp = oci_read_object(r, from, "seccomp");
	refuse(r, from, spec);
}
