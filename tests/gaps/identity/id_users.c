/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of setuid, setreuid, setresuid, setfsuid and the same of groups: every call from every state, by root and by others. */
#include "identity.h"

static const unsigned some[] = { 0, 1000, 1001, 1002, UINT32_MAX };

/* A call in a child that is first made real, effective, saved; then what it is. keep: with CAP_SETUID and CAP_SETGID. */
static void try(const char *what, const unsigned *ids, long nr, unsigned a, unsigned b, unsigned c)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		char line[96];
		long r;

		MUST(syscall(SYS_setresgid, ids[0], ids[1], ids[2]));
		MUST(syscall(SYS_setresuid, ids[0], ids[1], ids[2]));
		r = syscall(nr, a, b, c);
		snprintf(line, sizeof(line), "%s(%d, %d, %d) of %u %u %u = %ld %s", what, (int)a, (int)b, (int)c, ids[0], ids[1],
			 ids[2], r, r == -1 ? errno_name(errno) : "");
		say_ids(line);
		_exit(0);
	}
	reap(pid);
}

static void try_all(const unsigned *ids, bool full)
{
	for (unsigned i = 0; i < COUNT(some); i++) {
		try("setuid", ids, SYS_setuid, some[i], 0, 0);
		try("setgid", ids, SYS_setgid, some[i], 0, 0);
		try("setfsuid", ids, SYS_setfsuid, some[i], 0, 0);
		try("setfsgid", ids, SYS_setfsgid, some[i], 0, 0);
		for (unsigned k = 0; k < COUNT(some) && full; k++) {
			try("setreuid", ids, SYS_setreuid, some[i], some[k], 0);
			try("setregid", ids, SYS_setregid, some[i], some[k], 0);
		}
		try("setresuid", ids, SYS_setresuid, some[i], some[(i + 2) % 5], some[(i + 4) % 5]);
		try("setresgid", ids, SYS_setresgid, some[i], some[(i + 2) % 5], some[(i + 4) % 5]);
	}
}

/* Calls that must not be told from no change. */
static void no_change(void)
{
	CHILD({
		MUST(syscall(SYS_setresuid, 1000, 0, 0));
		syscall(SYS_setfsuid, 1000);
		SHOW(syscall(SYS_setresuid, -1, -1, -1));
		say_ids("after setresuid(-1, -1, -1)");
		SHOW(syscall(SYS_setresuid, -1, 0, -1));
		say_ids("after setresuid(-1, 0, -1)");
		syscall(SYS_setfsuid, 1000);
		SHOW(syscall(SYS_setreuid, -1, -1));
		say_ids("after setreuid(-1, -1)");
	});
}

static void bad_pointers(void)
{
	unsigned id, *bad = bad_pointer();

	SHOW(syscall(SYS_getresuid, bad, &id, &id));
	SHOW(syscall(SYS_getresuid, &id, bad, &id));
	SHOW(syscall(SYS_getresgid, &id, &id, bad));
	SHOW(syscall(SYS_getresgid, &id, &id, tail(3)));
}

int main(void)
{
	static const unsigned states[][3] = {
		{ 0, 0, 0 }, { 1000, 1000, 1000 }, { 1000, 1001, 1002 }, { 1000, 0, 1000 }, { 1000, 1001, 0 }
	};

	MUST(setgroups(0, NULL));
	for (unsigned i = 0; i < COUNT(states); i++)
		try_all(states[i], i == 0 || i == 2);
	no_change();
	bad_pointers();
	SHOW(getuid());
	SHOW(geteuid());
	SHOW(getgid());
	SHOW(getegid());
	return 0;
}
