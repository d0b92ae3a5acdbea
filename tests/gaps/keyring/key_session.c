/* SPDX-License-Identifier: Apache-2.0 */
/* Session, process, thread and user keyrings: joined, made, inherited by threads, fork and execve; /proc/keys. */
#include "keys.h"
#include <spawn.h>

static void show_files(const char *what, serial key)
{
	static char text[262144];
	char hex[16], *line, flags[16], uses[16], expiry[16], perm[16], type[16], rest[300] = "";
	unsigned uid;
	int gid;

	snprintf(hex, sizeof(hex), "%08x ", (unsigned)key);
	read_file("/proc/keys", text, sizeof(text));
	line = strstr(text, hex);
	if (!line ||
	    sscanf(line + 9, "%15s %15s %15s %15s %u %d %15s %299[^\n]", flags, uses, expiry, perm, &uid, &gid, type, rest) < 7)
		say("%s: not listed", what);
	else
		say("%s: %s %s %s %s %s %s", what, flags, expiry, perm, uid == geteuid() ? "own" : "another's", type, rest);
}

static void *in_thread(void *arg)
{
	serial session = *(serial *)arg, mine;

	FACT(CTL(KEYCTL_GET_KEYRING_ID, SESSION, 0, 0, 0) == session);
	KEY(CTL(KEYCTL_GET_KEYRING_ID, THREAD, 0, 0, 0));
	mine = (serial)CTL(KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
	FACT(mine > 0 && mine != session);
	FACT(CTL(KEYCTL_GET_KEYRING_ID, SESSION, 0, 0, 0) == mine);
	return NULL;
}

static char shared_name[64]; /* of this run: others of the same user may be at the same place */

static void join_again(serial named)
{
	CHILD(begin(); FACT(CTL(KEYCTL_JOIN_SESSION_KEYRING, shared_name, 0, 0, 0) == named));
}

int main(int argc, char **argv)
{
	serial session, key, user;
	struct timespec now;
	char number[16];

	if (argc > 1) {
		session = atoi(argv[1]);
		FACT(CTL(KEYCTL_GET_KEYRING_ID, SESSION, 0, 0, 0) == session);
		KEY(CTL(KEYCTL_GET_KEYRING_ID, PROCESS, 0, 0, 0));
		KEY(CTL(KEYCTL_GET_KEYRING_ID, THREAD, 0, 0, 0));
		KEY(CTL(KEYCTL_SEARCH, SESSION, "user", "kept", 0));
		return 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(shared_name, sizeof(shared_name), TEST_NAME "%d-%ld", (int)getpid(), now.tv_nsec);
	session = begin();
	describe("session", session);
	KEY(CTL(KEYCTL_GET_KEYRING_ID, PROCESS, 0, 0, 0));
	KEY(CTL(KEYCTL_GET_KEYRING_ID, PROCESS, 1, 0, 0));
	KEY(CTL(KEYCTL_GET_KEYRING_ID, THREAD, 1, 0, 0));
	describe("process", PROCESS);
	describe("thread", THREAD);
	CHILD(KEY(CTL(KEYCTL_GET_KEYRING_ID, PROCESS, 0, 0, 0)); KEY(CTL(KEYCTL_GET_KEYRING_ID, THREAD, 0, 0, 0));
	      FACT(CTL(KEYCTL_GET_KEYRING_ID, SESSION, 0, 0, 0) == session));
	key = add("user", "kept", "value", 5, SESSION);
	CHILD(FACT(CTL(KEYCTL_SEARCH, SESSION, "user", "kept", 0) == key); FACT(begin() != session);
	      KEY(CTL(KEYCTL_SEARCH, SESSION, "user", "kept", 0)));
	FACT(CTL(KEYCTL_SEARCH, SESSION, "user", "kept", 0) == key);
	pthread_join(thread_start(in_thread, &session), NULL);
	FACT(CTL(KEYCTL_GET_KEYRING_ID, SESSION, 0, 0, 0) == session);
	user = (serial)CTL(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0, 0, 0);
	FACT(user > 0);
	FACT(CTL(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0, 0, 0) == user);
	KEY(CTL(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_SESSION_KEYRING, 0, 0, 0));
	SHOW(CTL(KEYCTL_GET_KEYRING_ID, KEY_SPEC_GROUP_KEYRING, 0, 0, 0));
	SHOW(CTL(KEYCTL_GET_KEYRING_ID, KEY_SPEC_REQKEY_AUTH_KEY, 0, 0, 0));
	SHOW(CTL(KEYCTL_GET_KEYRING_ID, 0, 0, 0, 0));
	SHOW(CTL(KEYCTL_GET_KEYRING_ID, -77, 0, 0, 0));
	/* joined by name: one that may be searched by who does not possess it */
	CHILD(serial named = (serial)CTL(KEYCTL_JOIN_SESSION_KEYRING, shared_name, 0, 0, 0); FACT(named > 0);
	      describe("named", named); SHOW(CTL(KEYCTL_SETPERM, named, 0x3f1b0000, 0, 0)); join_again(named));
	SHOW(CTL(KEYCTL_JOIN_SESSION_KEYRING, ".hidden", 0, 0, 0));
	SHOW(CTL(KEYCTL_JOIN_SESSION_KEYRING, bad_pointer(), 0, 0, 0));
	show_files("session", session);
	show_files("key", key);
	SHOW(CTL(KEYCTL_SET_TIMEOUT, key, 3000, 0, 0));
	SHOW(CTL(KEYCTL_UNLINK, key, SESSION, 0, 0));
	FACT(read_file("/proc/key-users", (char[4096]){ 0 }, 4096) > 20);
	key = add("user", "kept", "value", 5, SESSION);
	snprintf(number, sizeof(number), "%d", session);
	CHILD(execl("/proc/self/exe", argv[0], number, NULL));
	if (vfork() == 0) {
		execl("/proc/self/exe", argv[0], number, NULL);
		_exit(127);
	}
	wait(NULL);
	execl("/proc/self/exe", argv[0], number, NULL);
	return 1;
}
