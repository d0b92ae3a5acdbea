/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sys/kernel/hostname and domainname: the names of the opener's UTS namespace (kernel/utsname_sysctl.c and proc_dostring() of Linux 6.18). */
#include "gaps/namespaces/namespaces_int.h"

#define NAME_SIZE 65u

static bool which_of(const char *path, enum uts_name *ret)
{
	if (strncmp(path, "/proc/sys/kernel/", 17))
		return false;
	*ret = path[17] == 'h' ? UTS_HOST : UTS_DOMAIN;
	return !strcmp(path + 17, *ret == UTS_HOST ? "hostname" : "domainname");
}

bool uts_file_find(const char *path, struct vnode *node)
{
	enum uts_name which;

	if (!which_of(path, &which))
		return false;
	node->id = 4096u + which;
	node->mode = VFS_REGULAR | 0644;
	return true;
}

long uts_file_read(const char *path, char *buffer, u64 size)
{
	struct uts_names names;
	enum uts_name which;
	const char *name;
	u64 length;

	if (!which_of(path, &which))
		return -ENOENT;
	uts_names_get(&names);
	name = which == UTS_HOST ? names.host : names.domain;
	length = strlen(name);
	if (length + 1 > size)
		return (long)length + 1;
	memcpy(buffer, name, length);
	buffer[length] = '\n';
	return (long)length + 1;
}

static bool is_root(void)
{
	struct agent_creds creds;

	agent_creds_get(&creds);
	return creds.euid == 0;
}

/* What is written replaces the name from the file position on, up to a NUL or newline; from beyond the name's end it is ignored. */
long uts_file_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	struct uts_names names;
	enum uts_name which;
	char text[NAME_SIZE];
	u64 length, at;
	long r;

	if (!which_of(path, &which))
		return -ENOENT;
	if (!is_root())
		return -EPERM; /* a descriptor may have changed hands */
	uts_names_get(&names);
	memcpy(text, which == UTS_HOST ? names.host : names.domain, sizeof(text));
	length = strlen(text);
	if (node->position <= length) {
		length = node->position;
		for (at = 0; at < size && length < NAME_SIZE - 1 && bytes[at] && bytes[at] != '\n'; at++)
			text[length++] = bytes[at];
		r = uts_set(which, text, length);
		if (r < 0)
			return r;
	}
	return (long)size;
}
