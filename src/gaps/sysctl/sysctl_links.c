/* SPDX-License-Identifier: Apache-2.0 */
/* Names of network interfaces, as /proc/self/net/dev lists them for the caller's network namespace: "  eth0: …" below two lines of titles. */
#include "gaps/sysctl/sysctl_int.h"

/* Calls for every interface: each(name, context) until it says true, which is returned. */
struct walk {
	const char *wanted; /* NULL: count down n */
	u32 n;
	char *name;
};

static bool visit(struct walk *walk, const char *name)
{
	if (walk->wanted)
		return !strcmp(name, walk->wanted);
	if (walk->n--)
		return false;
	memcpy(walk->name, name, SYSCTL_INSTANCE_SIZE);
	return true;
}

/* One character of the file. name and *used collect what stands before a colon at the beginning of a line. */
static bool take(struct walk *walk, char c, char *name, u32 *used, bool *in_name)
{
	if (c == '\n') {
		*used = 0;
		*in_name = true;
	} else if (*in_name && c == ':') {
		*in_name = false;
		for (u32 i = *used; i < SYSCTL_INSTANCE_SIZE; i++)
			name[i] = 0;
		return visit(walk, name);
	} else if (*in_name && c != ' ') {
		if (*used + 1 < SYSCTL_INSTANCE_SIZE)
			name[(*used)++] = c;
		else
			*in_name = false;
	}
	return false;
}

static bool walk_links(struct walk *walk)
{
	char buffer[512], name[SYSCTL_INSTANCE_SIZE];
	long fd = sys3(__NR_open, "/proc/self/net/dev", 02000000 /* O_CLOEXEC */, 0), n;
	bool found = false, in_name = false;
	u32 used = 0, titles = 2;

	if (fd < 0)
		return false;
	while (!found && (n = sys3(__NR_read, fd, buffer, sizeof(buffer))) > 0)
		for (long i = 0; i < n && !found; i++) {
			if (titles) {
				titles -= buffer[i] == '\n';
				in_name = !titles;
				continue;
			}
			found = take(walk, buffer[i], name, &used, &in_name);
		}
	(void)sys1(__NR_close, fd);
	return found;
}

bool sysctl_link_exists(const char *name)
{
	struct walk walk = { .wanted = name };
	return walk_links(&walk);
}

bool sysctl_link_at(u32 n, char name[SYSCTL_INSTANCE_SIZE])
{
	struct walk walk = { .n = n, .name = name };
	return walk_links(&walk);
}
