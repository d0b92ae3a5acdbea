/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of gap identity share: who one is, by raw calls (libc's change all threads), and without what environments differ in. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "difftest.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

/* CAP_SYS_RESOURCE: some machines' root lacks it. */
#define CAPS_TOLD (~(UINT64_C(1) << 24))
#define BIT(cap) (UINT64_C(1) << (cap))

struct caps {
	uint64_t effective, permitted, inheritable;
};

MAYBE_UNUSED static int caps_get(struct caps *caps)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	int r = (int)syscall(SYS_capget, &header, data);

	caps->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	caps->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	caps->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return r;
}

MAYBE_UNUSED static int caps_set(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
	};

	return (int)syscall(SYS_capset, &header, data);
}

/* A bit per capability of a set that prctl tells one by one. */
MAYBE_UNUSED static uint64_t caps_asked(int option, unsigned long first)
{
	uint64_t set = 0;

	for (unsigned long cap = 0; cap < 64; cap++) {
		int r = option == PR_CAP_AMBIENT ? prctl(option, first, cap, 0, 0) : prctl(option, cap, 0, 0, 0);

		if (r > 0)
			set |= BIT(cap);
	}
	return set;
}

/* One line: ids, and where they are asked for, capabilities. */
MAYBE_UNUSED static void say_ids(const char *what)
{
	unsigned u[3], g[3];

	MUST(syscall(SYS_getresuid, &u[0], &u[1], &u[2]));
	MUST(syscall(SYS_getresgid, &g[0], &g[1], &g[2]));
	say("%s: uid %u %u %u fs %ld, gid %u %u %u fs %ld", what, u[0], u[1], u[2], syscall(SYS_setfsuid, -1), g[0], g[1], g[2],
	    syscall(SYS_setfsgid, -1));
}

MAYBE_UNUSED static void say_caps(const char *what)
{
	struct caps caps = { 0 };
	int r = caps_get(&caps);

	say("%s: %s effective %#llx permitted %#llx inheritable %#llx bounding %#llx ambient %#llx securebits %#x nnp %d", what,
	    r ? errno_name(errno) : "ok", (unsigned long long)(caps.effective & CAPS_TOLD),
	    (unsigned long long)(caps.permitted & CAPS_TOLD), (unsigned long long)(caps.inheritable & CAPS_TOLD),
	    (unsigned long long)(caps_asked(PR_CAPBSET_READ, 0) & CAPS_TOLD),
	    (unsigned long long)(caps_asked(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET) & CAPS_TOLD), prctl(PR_GET_SECUREBITS),
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

#endif
