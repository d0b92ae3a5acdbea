/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are one variable, and files that follow another: forwarding, "all" and "default", conntrack's size. */
#include "sysctl_common.h"

static void set(const char *path, const char *value)
{
	int result = writes(path, value, strlen(value));

	say("%s = %s: %s", path, value, result_name(result));
}

static void show(const char *const *paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		say("  %s: %s", paths[i], reads(paths[i]));
}

int main(void)
{
	static const char *const forwarding[] = { "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding",
						  "net/ipv4/conf/default/forwarding", "net/ipv4/conf/lo/forwarding" };
	static const char *const forwarding6[] = { "net/ipv6/conf/all/forwarding", "net/ipv6/conf/default/forwarding",
						   "net/ipv6/conf/lo/forwarding" };
	static const char *const disable[] = { "net/ipv6/conf/all/disable_ipv6", "net/ipv6/conf/default/disable_ipv6",
					       "net/ipv6/conf/lo/disable_ipv6" };
	static const char *const media[] = { "net/ipv4/conf/all/shared_media", "net/ipv4/conf/default/shared_media",
					     "net/ipv4/conf/lo/shared_media" };

	if (geteuid() != 0)
		return 0; /* nothing can be set */
	isolate();
	set("net/ipv4/ip_forward", "1");
	show(forwarding, COUNT(forwarding));
	set("net/ipv4/conf/lo/forwarding", "0");
	show(forwarding, COUNT(forwarding));
	set("net/ipv4/conf/all/forwarding", "0");
	set("net/ipv4/conf/all/forwarding", "1");
	show(forwarding, COUNT(forwarding));
	set("net/ipv6/conf/all/forwarding", "1");
	show(forwarding6, COUNT(forwarding6));
	set("net/ipv6/conf/lo/forwarding", "0");
	set("net/ipv6/conf/default/forwarding", "0");
	show(forwarding6, COUNT(forwarding6));
	set("net/ipv6/conf/all/disable_ipv6", "1");
	show(disable, COUNT(disable));
	set("net/ipv6/conf/lo/disable_ipv6", "0");
	show(disable, COUNT(disable));
	/* one that nobody sets on the machine: interfaces of a new namespace follow "default" only until somebody did */
	set("net/ipv4/conf/default/shared_media", "2");
	show(media, COUNT(media));
	set("net/ipv4/conf/lo/shared_media", "1");
	set("net/ipv4/conf/default/shared_media", "0");
	set("net/ipv4/conf/all/shared_media", "1");
	show(media, COUNT(media));
	return 0;
}
