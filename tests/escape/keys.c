/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's keyrings, which know users, not cages. */
#include "attack.h"

#include <linux/keyctl.h>

static int add(const struct attack *a)
{
	(void)a;
	return outcome(syscall(SYS_add_key, "user", "lichen-escape", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

static int session(const struct attack *a)
{
	(void)a;
	return outcome(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1));
}

static int request(const struct attack *a)
{
	int r = outcome(syscall(SYS_request_key, "user", "lichen-escape-none", NULL, 0));

	(void)a;
	return r == ENOKEY ? 0 : r; /* it was looked for */
}

static const struct way ways[] = {
	{ "add_key", add },
	{ "keyctl", session },
	{ "request_key", request },
};

ATTACK_MAIN(ways)
