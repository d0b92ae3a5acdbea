/* SPDX-License-Identifier: Apache-2.0 */
/* faccessat2 where real and effective identity differ: AT_EACCESS asks as the effective one, with its groups and capabilities. */
#include "difftest.h"

static void ask_all(const char *who)
{
	static const char *const names[] = { "owner", "group", "other", "exec", "folder", "folder/inner", "link", "missing" };

	say("%s:", who);
	for (unsigned i = 0; i < COUNT(names); i++)
		for (int f = 0; f < 4; f++) {
			int flags = (f & 1 ? AT_EACCESS : 0) | (f & 2 ? AT_SYMLINK_NOFOLLOW : 0);
			char answers[200] = "";

			for (int mode = 0; mode < 8; mode++) {
				long r = syscall(SYS_faccessat2, AT_FDCWD, names[i], mode, flags);

				strcat(answers, " ");
				strcat(answers, r ? errno_name(errno) : "ok");
			}
			say("  %s flags %#x:%s", names[i], (unsigned)flags, answers);
		}
}

int main(void)
{
	static const gid_t groups[] = { 2000, 2001 };

	if (getuid() != 0) {
		say("only for root");
		return 0;
	}
	MUST(chmod(".", 0755));
	write_file("owner", "x", 0600);
	MUST(chown("owner", 1000, 3000));
	write_file("group", "x", 0460);
	MUST(chown("group", 0, 2001));
	write_file("other", "x", 0604);
	write_file("exec", "x", 0010);
	MUST(chown("exec", 0, 1000));
	MUST(mkdir("folder", 0710));
	MUST(chown("folder", 0, 1000));
	write_file("folder/inner", "x", 0040);
	MUST(chown("folder/inner", 0, 2000));
	MUST(symlink("owner", "link"));
	ask_all("root");
	CHILD({
		MUST(setresuid(-1, 1000, 0));
		ask_all("root, effective 1000");
	});
	CHILD({
		MUST(setgroups(2, groups));
		MUST(setresgid(-1, 1000, 0));
		MUST(setresuid(-1, 1000, 0));
		ask_all("root, effective 1000, groups");
	});
	CHILD({
		MUST(setresuid(1000, 0, 0));
		ask_all("1000, effective root");
	});
	CHILD({
		MUST(setresgid(1000, 2000, 0));
		MUST(setresuid(1000, 1001, 0));
		ask_all("1000, effective 1001");
	});
	CHILD({
		MUST(setresgid(1000, 1000, 1000));
		MUST(setresuid(1000, 1000, 1000));
		ask_all("1000");
	});
	return 0;
}
