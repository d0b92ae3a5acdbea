/* SPDX-License-Identifier: Apache-2.0 */
/* Keyrings in keyrings: link, unlink, clear, search, request_key; what lies nowhere is gone. */
#include "keys.h"

/* The kernel lets go of it in a moment. */
static void wait_gone(const char *what, serial key)
{
	for (int i = 0; i < 5000 && CTL(KEYCTL_DESCRIBE, key, NULL, 0, 0) >= 0; i++)
		pause_ms(1);
	describe(what, key);
}

static void links(void)
{
	serial outer = add("keyring", "outer", NULL, 0, SESSION), inner = add("keyring", "inner", NULL, 0, outer);
	serial key = add("user", "key", "value", 5, inner), other;

	FACT(outer > 0 && inner > 0 && key > 0);
	describe("keyring", outer);
	show_count("session", SESSION);
	show_count("outer", outer);
	SHOW(CTL(KEYCTL_LINK, outer, inner, 0, 0));
	SHOW(CTL(KEYCTL_LINK, outer, outer, 0, 0));
	SHOW(CTL(KEYCTL_LINK, key, outer, 0, 0));
	SHOW(CTL(KEYCTL_LINK, key, outer, 0, 0));
	show_count("outer", outer);
	SHOW(CTL(KEYCTL_LINK, outer, key, 0, 0));
	SHOW(CTL(KEYCTL_LINK, 4711, outer, 0, 0));
	SHOW(CTL(KEYCTL_LINK, key, 4711, 0, 0));
	other = add("user", "key", "another", 7, outer); /* there is one: it is changed */
	FACT(other == key);
	show_value("key", key);
	other = add("user", "key", "one more", 8, SESSION);
	FACT(other != key);
	SHOW(CTL(KEYCTL_LINK, other, outer, 0, 0)); /* it takes the place of the other one */
	show_count("outer", outer);
	SHOW(CTL(KEYCTL_UNLINK, key, outer, 0, 0));
	SHOW(CTL(KEYCTL_UNLINK, key, inner, 0, 0));
	wait_gone("lies nowhere", key);
	SHOW(CTL(KEYCTL_CLEAR, outer, 0, 0, 0));
	show_count("outer", outer);
	wait_gone("inner", inner);
	describe("other", other);
	SHOW(CTL(KEYCTL_CLEAR, other, 0, 0, 0));
	SHOW(CTL(KEYCTL_CLEAR, SESSION, 0, 0, 0));
	wait_gone("outer", outer);
	SHOW(CTL(KEYCTL_UNLINK, SESSION, SESSION, 0, 0));
}

static void searches(void)
{
	serial ring = add("keyring", "ring", NULL, 0, SESSION), deep = add("keyring", "deep", NULL, 0, ring);
	serial key = add("user", "found", "value", 5, deep), to = add("keyring", "to", NULL, 0, SESSION);
	char type[40];

	FACT(CTL(KEYCTL_SEARCH, SESSION, "user", "found", 0) == key);
	FACT(CTL(KEYCTL_SEARCH, ring, "user", "found", to) == key);
	show_count("to", to);
	KEY(CTL(KEYCTL_SEARCH, to, "user", "none", 0));
	KEY(CTL(KEYCTL_SEARCH, key, "user", "found", 0));
	KEY(CTL(KEYCTL_SEARCH, ring, "none-such", "found", 0));
	KEY(CTL(KEYCTL_SEARCH, ring, "logon", "found", 0));
	FACT(CTL(KEYCTL_SEARCH, ring, "keyring", "deep", 0) == deep);
	FACT(CTL(KEYCTL_SEARCH, ring, "keyring", "ring", 0) == ring);
	KEY(CTL(KEYCTL_SEARCH, ring, "user", "found", key));
	KEY(CTL(KEYCTL_SEARCH, ring, bad_pointer(), "found", 0));
	KEY(CTL(KEYCTL_SEARCH, ring, "user", bad_pointer(), 0));
	FACT(syscall(SYS_request_key, "user", "found", NULL, 0) == key);
	FACT(syscall(SYS_request_key, "user", "found", NULL, THREAD) == key);
	show_count("thread", THREAD);
	KEY(syscall(SYS_request_key, "user", "none", NULL, 0));
	KEY(syscall(SYS_request_key, "none-such", "none", NULL, 0));
	memset(type, 't', sizeof(type) - 1);
	type[39] = 0;
	KEY(syscall(SYS_request_key, type, "none", NULL, 0));
	SHOW(CTL(KEYCTL_SETPERM, deep, 0x37000000, 0, 0)); /* no search */
	KEY(CTL(KEYCTL_SEARCH, ring, "user", "found", 0));
	KEY(CTL(KEYCTL_SEARCH, SESSION, "user", "found", 0)); /* by the other way */
}

int main(void)
{
	begin();
	links();
	searches();
	return 0;
}
