/* SPDX-License-Identifier: Apache-2.0 */
/* getgroups and setgroups: order, repetition, sizes, the limit, bad pointers, inheritance. */
#include "identity.h"

static gid_t many[65537];

static void say_groups(const char *what)
{
	gid_t got[16];
	char line[256] = "";
	int n = getgroups((int)COUNT(got), got);

	for (int i = 0; i < n; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " %u", got[i]);
	say("%s: %d%s", what, n, line);
}

static void large(size_t count)
{
	uint64_t sum = 0;
	bool rising = true;
	long n;

	for (size_t i = 0; i < count && i < COUNT(many); i++)
		many[i] = (gid_t)((i * 7919 + 13) % 100003);
	say("setgroups of %zu: %s", count, syscall(SYS_setgroups, count, many) ? errno_name(errno) : "ok");
	memset(many, 0, sizeof(many));
	n = syscall(SYS_getgroups, COUNT(many), many);
	for (long i = 0; i < n; i++) {
		sum = sum * 31 + many[i];
		rising &= !i || many[i - 1] <= many[i];
	}
	say("getgroups: %ld, sum %llu, rising %d", n, (unsigned long long)sum, rising);
}

int main(void)
{
	static const gid_t some[] = { 7, 3, 1000, 3, 0, 4294967294u }, bad[] = { 5, UINT32_MAX };
	gid_t got[8];

	SHOW(setgroups(0, NULL));
	say_groups("none");
	SHOW(setgroups(COUNT(some), some));
	say_groups("some");
	CHILD(say_groups("a child's"); MUST(setgroups(1, some)); say_groups("a child's own"));
	say_groups("still");
	SHOW(setgroups(2, bad));
	SHOW(setgroups(2, bad_pointer()));
	SHOW(syscall(SYS_setgroups, -1, some));
	SHOW(syscall(SYS_setgroups, 65537, many));
	say_groups("still");
	SHOW(getgroups(0, NULL));
	SHOW(getgroups(0, bad_pointer()));
	SHOW(getgroups(5, got));
	SHOW(getgroups(6, got));
	SHOW(syscall(SYS_getgroups, -1, got));
	SHOW(getgroups(8, bad_pointer()));
	SHOW(getgroups(8, tail(5 * sizeof(gid_t))));
	SHOW(getgroups(8, tail(6 * sizeof(gid_t))));
	large(1);
	large(1000);
	large(9217);
	large(65536);
	large(65537);
	AS_USER(1000, 1000, {
		say_groups("of 1000");
		SHOW(setgroups(0, NULL));
		SHOW(setgroups(1, some));
	});
	CHILD({
		MUST(syscall(SYS_setresuid, -1, 1000, 0));
		SHOW(syscall(SYS_setgroups, 1, some));
	});
	return 0;
}
