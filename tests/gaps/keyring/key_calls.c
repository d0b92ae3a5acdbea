/* SPDX-License-Identifier: Apache-2.0 */
/* add_key, read, update, describe, revoke, invalidate, time-outs; arguments that are refused. */
#include "keys.h"

static char big[40000];

static void arguments(void)
{
	char type[40] = "";

	KEY(add("user", "empty", "", 0, SESSION));
	KEY(add("user", "null", NULL, 5, SESSION));
	KEY(add("user", "bad", bad_pointer(), 5, SESSION));
	KEY(add("user", "large", big, 32768, SESSION));
	KEY(add("user", "huge", big, 1 << 20, SESSION));
	KEY(add("user", "", "x", 1, SESSION));
	KEY(add("user", NULL, "x", 1, SESSION));
	KEY(add("user", bad_pointer(), "x", 1, SESSION));
	KEY(add(bad_pointer(), "x", "x", 1, SESSION));
	KEY(add("", "x", "x", 1, SESSION));
	KEY(add("none-such", "x", "x", 1, SESSION));
	KEY(add(".hidden", "x", "x", 1, SESSION));
	memset(type, 't', 35);
	KEY(add(type, "x", "x", 1, SESSION));
	KEY(add("logon", "x", "x", 1, SESSION));
	KEY(add("logon", ":x", "x", 1, SESSION));
	KEY(add("keyring", "x", "x", 1, SESSION));
	KEY(add("keyring", ".x", NULL, 0, SESSION));
	KEY(add("user", ".x", "x", 1, SESSION));
	KEY(add("user", "x", "x", 1, 0));
	KEY(add("user", "x", "x", 1, 0x7ffffff0));
	KEY(add("user", "x", "x", 1, KEY_SPEC_GROUP_KEYRING));
	KEY(add("user", "x", "x", 1, KEY_SPEC_REQKEY_AUTH_KEY));
	KEY(add("user", "x", "x", 1, KEY_SPEC_REQUESTOR_KEYRING));
	KEY(add("user", "x", "x", 1, -9));
	SHOW(CTL(999, 0, 0, 0, 0));
}

static void values(serial session)
{
	serial key = add("user", "mine", "value", 5, SESSION), logon = add("logon", "s:k", "secret", 6, SESSION);
	char text[16] = "##########";

	FACT(key > 0 && logon > 0 && key != logon);
	describe("user", key);
	describe("logon", logon);
	describe("session", SESSION);
	FACT(CTL(KEYCTL_GET_KEYRING_ID, SESSION, 0, 0, 0) == session);
	show_value("read", key);
	SHOW(CTL(KEYCTL_READ, key, text, 3, 0));
	say("%s", text);
	SHOW(CTL(KEYCTL_READ, key, NULL, 0, 0));
	SHOW(CTL(KEYCTL_READ, key, bad_pointer(), 10, 0));
	show_value("logon", logon);
	FACT(add("user", "mine", "other", 5, SESSION) == key);
	show_value("read", key);
	SHOW(CTL(KEYCTL_UPDATE, key, "third value", 11, 0));
	show_value("read", key);
	SHOW(CTL(KEYCTL_UPDATE, key, "", 0, 0));
	SHOW(CTL(KEYCTL_UPDATE, key, bad_pointer(), 5, 0));
	SHOW(CTL(KEYCTL_UPDATE, SESSION, "x", 1, 0));
	SHOW(CTL(KEYCTL_UPDATE, logon, "x", 1, 0));
	SHOW(CTL(KEYCTL_UPDATE, 12345, "x", 1, 0));
	memset(big, 'b', sizeof(big));
	KEY(add("user", "full", big, 32767, SESSION));
	SHOW(CTL(KEYCTL_DESCRIBE, key, text, 3, 0) > 3);
	SHOW(CTL(KEYCTL_DESCRIBE, key, bad_pointer(), 100, 0));
	SHOW(CTL(KEYCTL_GET_SECURITY, key, NULL, 0, 0) >= 1);
}

static void ends(void)
{
	serial key = add("user", "ends", "value", 5, SESSION), ring = add("keyring", "ring", NULL, 0, SESSION);
	int error = 0;

	SHOW(CTL(KEYCTL_SET_TIMEOUT, key, 1, 0, 0));
	show_value("before", key);
	for (int i = 0; i < 500 && error != EKEYEXPIRED; i++) {
		pause_ms(20);
		error = CTL(KEYCTL_READ, key, NULL, 0, 0) < 0 ? errno : 0;
	}
	say("then: %s", errno_name(error));
	describe("expired", key);
	KEY(syscall(SYS_request_key, "user", "ends", NULL, 0));
	key = add("user", "revoked", "value", 5, SESSION);
	SHOW(CTL(KEYCTL_REVOKE, key, 0, 0, 0));
	show_value("revoked", key);
	describe("revoked", key);
	SHOW(CTL(KEYCTL_REVOKE, key, 0, 0, 0));
	SHOW(CTL(KEYCTL_SETPERM, key, 0x3f3f3f3f, 0, 0));
	KEY(syscall(SYS_request_key, "user", "revoked", NULL, 0));
	KEY(add("user", "revoked", "again", 5, SESSION));
	KEY(syscall(SYS_request_key, "user", "revoked", NULL, 0));
	key = add("user", "gone", "value", 5, SESSION);
	SHOW(CTL(KEYCTL_INVALIDATE, key, 0, 0, 0));
	for (int i = 0; i < 5000 && (CTL(KEYCTL_READ, key, NULL, 0, 0) >= 0 || errno != ENOKEY); i++)
		pause_ms(1);
	show_value("invalidated", key);
	KEY(add("user", "inner", "x", 1, ring));
	SHOW(CTL(KEYCTL_REVOKE, ring, 0, 0, 0));
	show_count("revoked", ring);
	KEY(add("user", "inner", "x", 1, ring));
	SHOW(CTL(KEYCTL_SET_TIMEOUT, 99999, 1, 0, 0));
}

int main(void)
{
	serial session = begin();

	arguments();
	values(session);
	ends();
	return 0;
}
