/* SPDX-License-Identifier: Apache-2.0 */
/* Permissions: who possesses a key, whose it is, by group, and of others; setperm, chown; quotas of users. */
#include "keys.h"

static void try_all(const char *who, serial key)
{
	say("%s:", who);
	describe("  describe", key);
	show_value("  read", key);
	SHOW(CTL(KEYCTL_UPDATE, key, "changed", 7, 0));
	KEY(CTL(KEYCTL_SEARCH, SESSION, "user", "tried", 0));
	SHOW(CTL(KEYCTL_LINK, key, PROCESS, 0, 0));
	SHOW(CTL(KEYCTL_SETPERM, key, 0x3f3f3f3f, 0, 0));
	SHOW(CTL(KEYCTL_SET_TIMEOUT, key, 0, 0, 0));
	SHOW(CTL(KEYCTL_CHOWN, key, -1, -1, 0));
	SHOW(CTL(KEYCTL_REVOKE, key, 0, 0, 0));
}

static const unsigned perms[] = { 0x01000000, 0x02000000, 0x0b000000, 0x1f000000, 0x3f000000, 0x003f0000,
				  0x00030000, 0x0000003f, 0x00000003, 0x3f3f3f3f, 0x00000000 };

/* One key for each mask, which the caller tries itself, and another user. */
static void masks(bool others)
{
	for (unsigned i = 0; i < COUNT(perms); i++) {
		serial key = add("user", "tried", "value", 5, SESSION);
		char who[64];

		MUST(CTL(KEYCTL_SETPERM, key, perms[i], 0, 0));
		snprintf(who, sizeof(who), "%08x%s", perms[i], others ? ", another user" : "");
		if (others) {
			AS_USER(1000, 1000, begin(); try_all(who, key));
			CTL(KEYCTL_SETPERM, key, 0x3f3f3f3f, 0, 0);
		} else {
			CHILD(try_all(who, key));
		}
		CTL(KEYCTL_CLEAR, SESSION, 0, 0, 0);
	}
}

static void owners(void)
{
	serial key = add("user", "given", "value", 5, SESSION);

	SHOW(CTL(KEYCTL_SETPERM, key, 0xffffffff, 0, 0));
	SHOW(CTL(KEYCTL_SETPERM, key, 0x3f3f0000, 0, 0));
	SHOW(CTL(KEYCTL_CHOWN, key, 1000, -1, 0));
	describe("given away", key);
	AS_USER(1000, 1000, begin(); describe("its user", key); show_value("its user", key); SHOW(CTL(KEYCTL_CHOWN, key, 5, -1, 0));
		SHOW(CTL(KEYCTL_CHOWN, key, -1, 5, 0)); SHOW(CTL(KEYCTL_CHOWN, key, 1000, 1000, 0)));
	SHOW(CTL(KEYCTL_CHOWN, key, -1, 7777, 0));
	SHOW(CTL(KEYCTL_CHOWN, 31, 0, 0, 0));
}

static void quota(void)
{
	static char big[15000];
	int made = 0;

	begin();
	memset(big, 'x', sizeof(big));
	KEY(add("user", "first", big, sizeof(big), SESSION));
	KEY(add("user", "second", big, sizeof(big), SESSION));
	for (int i = 0; i < 300; i++) {
		char name[16];

		snprintf(name, sizeof(name), "k%d", i);
		if (add("user", name, "x", 1, SESSION) < 0) {
			say("no more: %s", errno_name(errno));
			break;
		}
		made++;
	}
	FACT(made > 150 && made < 200);
}

int main(void)
{
	begin();
	masks(false);
	if (geteuid() == 0) {
		masks(true);
		owners();
		AS_USER(54321, 54321, quota());
	}
	return 0;
}
