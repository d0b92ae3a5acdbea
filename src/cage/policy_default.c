// SPDX-License-Identifier: Apache-2.0
/* What everybody gets unless `files.defaults` is false, and the built-in profiles. `lichen cage check` lists them all. */
#include <string.h>

#include "cage/policy_int.h"

/* Nothing here tells of other users' data, and all of it is wanted by libc, by its resolver, or by run-times of languages. */
static const struct cage_default defaults[] = {
	{ "/dev/null", CAGE_READ | CAGE_WRITE },
	{ "/dev/zero", CAGE_READ | CAGE_WRITE },
	{ "/dev/full", CAGE_READ | CAGE_WRITE },
	{ "/dev/random", CAGE_READ },
	{ "/dev/urandom", CAGE_READ },
	{ "/dev/tty", CAGE_READ | CAGE_WRITE },
	{ "/proc/self", CAGE_READ },
	{ "/proc/cpuinfo", CAGE_READ },
	{ "/proc/filesystems", CAGE_READ },
	{ "/proc/loadavg", CAGE_READ },
	{ "/proc/meminfo", CAGE_READ },
	{ "/proc/stat", CAGE_READ },
	{ "/proc/uptime", CAGE_READ },
	{ "/proc/version", CAGE_READ },
	{ "/proc/sys/kernel/cap_last_cap", CAGE_READ },
	{ "/proc/sys/kernel/ngroups_max", CAGE_READ },
	{ "/proc/sys/kernel/osrelease", CAGE_READ },
	{ "/proc/sys/vm/overcommit_memory", CAGE_READ },
	{ "/sys/devices/system/clocksource", CAGE_READ }, /* Redis warns of slow ones */
	{ "/sys/devices/system/cpu", CAGE_READ },
	{ "/sys/devices/system/node", CAGE_READ },
	{ "/sys/kernel/mm/hugepages", CAGE_READ },
	{ "/sys/kernel/mm/transparent_hugepage", CAGE_READ },
	{ "/sys/fs/cgroup", CAGE_READ }, /* run-times fit themselves into the limits that they find there */
	{ "/etc/ld.so.cache", CAGE_READ },
	{ "/etc/ld.so.preload", CAGE_READ },
	{ "/etc/locale.alias", CAGE_READ },
	{ "/etc/localtime", CAGE_READ },
	{ "/usr/lib/locale", CAGE_READ },
	{ "/usr/share/locale", CAGE_READ },
	{ "/usr/share/zoneinfo", CAGE_READ },
	{ "/etc/ssl/certs", CAGE_READ },
	{ "/etc/ssl/openssl.cnf", CAGE_READ },
	{ "/etc/pki/tls/certs", CAGE_READ },
	{ "/usr/share/ca-certificates", CAGE_READ },
	{ "/usr/local/share/ca-certificates", CAGE_READ },
	{ "/etc/alternatives", CAGE_READ },
	{ "/etc/passwd", CAGE_READ },
	{ "/etc/group", CAGE_READ },
	{ "/etc/nsswitch.conf", CAGE_READ },
	{ "/etc/resolv.conf", CAGE_READ },
	{ "/etc/hosts", CAGE_READ },
	{ "/etc/host.conf", CAGE_READ },
	{ "/etc/services", CAGE_READ },
	{ "/etc/protocols", CAGE_READ },
};

const struct cage_default *cage_default_paths(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(defaults);
	return defaults;
}

static const char offline[] = "# The system's programs, read-only; the working directory, writable; no network.\n"
			      "version: 1\n"
			      "files:\n"
			      "  read: [/etc]\n"
			      "  execute: [/usr, /bin, /sbin, /lib, /lib32, /lib64, /libx32, /opt, .]\n"
			      "  write: [.]\n"
			      "  tmp: true\n";

const char *policy_profile_text(const char *name)
{
	return strcmp(name, "offline") == 0 ? offline : NULL;
}
