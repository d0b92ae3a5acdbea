/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of gap keyring share: the calls, without libkeyutils; keys as lines without their numbers. */
#ifndef KEYS_H
#define KEYS_H

#include "difftest.h"

#include <linux/keyctl.h>

typedef int32_t serial;

#define THREAD KEY_SPEC_THREAD_KEYRING
#define PROCESS KEY_SPEC_PROCESS_KEYRING
#define SESSION KEY_SPEC_SESSION_KEYRING

MAYBE_UNUSED static serial add(const char *type, const char *name, const void *payload, size_t size, serial ring)
{
	return (serial)syscall(SYS_add_key, type, name, payload, size, ring);
}

MAYBE_UNUSED static long ctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return syscall(SYS_keyctl, op, a, b, c, d);
}

#define CTL(op, a, b, c, d) ctl((op), (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), (unsigned long)(d))

/* Whether it is the number of a key, or why not. */
#define KEY(call) say("%s: %s", #call, (call) > 0 ? "a key" : errno_name(errno))

#define TEST_NAME "lichen-test-" /* the rest of such a name is not told */

/* Its description, but for the ids of whose it is. */
MAYBE_UNUSED static void describe(const char *what, serial key)
{
	char text[512] = "";
	long n = CTL(KEYCTL_DESCRIBE, key, text, sizeof(text), 0);
	unsigned uid, perm;
	char type[32], name[300] = "";
	int gid;

	if (n < 0) {
		say("%s: %s", what, errno_name(errno));
		return;
	}
	if (sscanf(text, "%31[^;];%u;%d;%x;%299[^\n]", type, &uid, &gid, &perm, name) < 4) {
		say("%s: odd: %s", what, text);
		return;
	}
	n -= (long)(strlen(text) - strlen(type));
	if (!strncmp(name, TEST_NAME, strlen(TEST_NAME)))
		name[strlen(TEST_NAME)] = 0;
	say("%s: %s, %s, perm %08x, %s, %ld bytes", what, type, uid == geteuid() ? "own" : "another's", perm, name,
	    n + (long)strlen(name));
}

MAYBE_UNUSED static void show_value(const char *what, serial key)
{
	char text[256] = "";
	long n = CTL(KEYCTL_READ, key, text, sizeof(text) - 1, 0);

	say("%s: %ld %s %s", what, n, n < 0 ? errno_name(errno) : "", n < 0 ? "" : text);
}

/* How many links a keyring has. */
MAYBE_UNUSED static void show_count(const char *what, serial ring)
{
	long n = CTL(KEYCTL_READ, ring, NULL, 0, 0);

	say("%s: %ld links %s", what, n < 0 ? n : n / 4, n < 0 ? errno_name(errno) : "");
}

/* Begins with a session keyring that nobody else has. */
MAYBE_UNUSED static serial begin(void)
{
	return (serial)MUST(CTL(KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0));
}

#endif
