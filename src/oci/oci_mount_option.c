// SPDX-License-Identifier: Apache-2.0
/* Options of mounts: config.md of the runtime specification, mount(8); what is none of them is the file system's. */
#include <errno.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/oci_spec.h"

enum option_kind { FLAG, CLEAR, PROPAGATION, RECURSIVE_SET, RECURSIVE_CLEAR, SPECIAL };

static const struct {
	char name[16];
	enum option_kind kind;
	unsigned long value;
} options[] = {
	{ "acl", FLAG, MS_POSIXACL },
	{ "async", CLEAR, MS_SYNCHRONOUS },
	{ "atime", CLEAR, MS_NOATIME },
	{ "bind", FLAG, MS_BIND },
	{ "defaults", FLAG, 0 },
	{ "dev", CLEAR, MS_NODEV },
	{ "diratime", CLEAR, MS_NODIRATIME },
	{ "dirsync", FLAG, MS_DIRSYNC },
	{ "exec", CLEAR, MS_NOEXEC },
	{ "iversion", FLAG, MS_I_VERSION },
	{ "lazytime", FLAG, MS_LAZYTIME },
	{ "loud", CLEAR, MS_SILENT },
	{ "mand", FLAG, MS_MANDLOCK },
	{ "noacl", CLEAR, MS_POSIXACL },
	{ "noatime", FLAG, MS_NOATIME },
	{ "nodev", FLAG, MS_NODEV },
	{ "nodiratime", FLAG, MS_NODIRATIME },
	{ "noexec", FLAG, MS_NOEXEC },
	{ "noiversion", CLEAR, MS_I_VERSION },
	{ "nolazytime", CLEAR, MS_LAZYTIME },
	{ "nomand", CLEAR, MS_MANDLOCK },
	{ "norelatime", CLEAR, MS_RELATIME },
	{ "nostrictatime", CLEAR, MS_STRICTATIME },
	{ "nosuid", FLAG, MS_NOSUID },
	{ "nosymfollow", FLAG, MS_NOSYMFOLLOW },
	{ "private", PROPAGATION, MS_PRIVATE },
	{ "ratime", RECURSIVE_CLEAR, MOUNT_ATTR_NOATIME },
	{ "rbind", FLAG, MS_BIND | MS_REC },
	{ "rdev", RECURSIVE_CLEAR, MOUNT_ATTR_NODEV },
	{ "rdiratime", RECURSIVE_CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "relatime", FLAG, MS_RELATIME },
	{ "remount", FLAG, MS_REMOUNT },
	{ "rexec", RECURSIVE_CLEAR, MOUNT_ATTR_NOEXEC },
	{ "rnoatime", RECURSIVE_SET, MOUNT_ATTR_NOATIME },
	{ "rnodev", RECURSIVE_SET, MOUNT_ATTR_NODEV },
	{ "rnodiratime", RECURSIVE_SET, MOUNT_ATTR_NODIRATIME },
	{ "rnoexec", RECURSIVE_SET, MOUNT_ATTR_NOEXEC },
	{ "rnorelatime", RECURSIVE_CLEAR, MOUNT_ATTR_RELATIME },
	{ "rnostrictatime", RECURSIVE_CLEAR, MOUNT_ATTR_STRICTATIME },
	{ "rnosuid", RECURSIVE_SET, MOUNT_ATTR_NOSUID },
	{ "rnosymfollow", RECURSIVE_SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro", FLAG, MS_RDONLY },
	{ "rprivate", PROPAGATION, MS_PRIVATE | MS_REC },
	{ "rrelatime", RECURSIVE_SET, MOUNT_ATTR_RELATIME },
	{ "rro", RECURSIVE_SET, MOUNT_ATTR_RDONLY },
	{ "rrw", RECURSIVE_CLEAR, MOUNT_ATTR_RDONLY },
	{ "rshared", PROPAGATION, MS_SHARED | MS_REC },
	{ "rslave", PROPAGATION, MS_SLAVE | MS_REC },
	{ "rstrictatime", RECURSIVE_SET, MOUNT_ATTR_STRICTATIME },
	{ "rsuid", RECURSIVE_CLEAR, MOUNT_ATTR_NOSUID },
	{ "rsymfollow", RECURSIVE_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "runbindable", PROPAGATION, MS_UNBINDABLE | MS_REC },
	{ "rw", CLEAR, MS_RDONLY },
	{ "shared", PROPAGATION, MS_SHARED },
	{ "silent", FLAG, MS_SILENT },
	{ "slave", PROPAGATION, MS_SLAVE },
	{ "strictatime", FLAG, MS_STRICTATIME },
	{ "suid", CLEAR, MS_NOSUID },
	{ "symfollow", CLEAR, MS_NOSYMFOLLOW },
	{ "sync", FLAG, MS_SYNCHRONOUS },
	{ "tmpcopyup", SPECIAL, OCI_MOUNT_COPY_UP },
	{ "unbindable", PROPAGATION, MS_UNBINDABLE },
};

const char *oci_mount_option_name(size_t index)
{
	return index < ARRAY_SIZE(options) ? options[index].name : NULL;
}

unsigned long oci_propagation(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].kind == PROPAGATION && strcmp(options[i].name, name) == 0)
			return options[i].value;
	return 0;
}

/* One of the file system's own. */
static int add_data(struct oci_mount *mount, const char *option, struct oci_error *error)
{
	char *data;

	if (asprintf(&data, "%s%s%s", mount->data ? mount->data : "", mount->data ? "," : "", option) < 0)
		return oci_fail(error, -ENOMEM, "out of memory");
	free(mount->data);
	mount->data = data;
	return 0;
}

int oci_mount_option(struct oci_mount *mount, const char *option, struct oci_error *error)
{
	if (strcmp(option, "idmap") == 0 || strcmp(option, "ridmap") == 0)
		return oci_fail(error, -EINVAL, "config: mounts with ID mappings are not supported ('%s')", mount->destination);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		unsigned long value = options[i].value;

		if (strcmp(options[i].name, option) != 0)
			continue;
		switch (options[i].kind) {
		case FLAG:
			mount->flags |= value;
			break;
		case CLEAR:
			mount->flags &= ~value;
			break;
		case PROPAGATION:
			if (mount->propagation_count == ARRAY_SIZE(mount->propagation))
				return oci_fail(error, -EINVAL, "config: too many propagations of '%s'", mount->destination);
			mount->propagation[mount->propagation_count++] = value;
			break;
		case RECURSIVE_SET: /* MOUNT_ATTR_RELATIME is 0: the bits for access times are one value */
			mount->recursive_set |= value;
			if (value == MOUNT_ATTR_RELATIME || value == MOUNT_ATTR_NOATIME || value == MOUNT_ATTR_STRICTATIME)
				mount->recursive_clear |= MOUNT_ATTR__ATIME;
			break;
		case RECURSIVE_CLEAR:
			mount->recursive_clear |= (value & MOUNT_ATTR__ATIME) ? MOUNT_ATTR__ATIME : value;
			break;
		case SPECIAL:
			mount->special |= (u32)value;
			break;
		}
		return 0;
	}
	return add_data(mount, option, error);
}
