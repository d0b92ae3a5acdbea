/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what to which file: modes, groups, capabilities, search permission, sticky directories, set-user-ID programs of others. */
#include "identity.h"

static const char *const names[] = { "owner",   "group", "other",   "none", "exec",   "open",
				     "open/in", "shut",  "shut/in", "link", "missing" };

static int here;

static void ask(const char *who)
{
	say("%s:", who);
	for (unsigned i = 0; i < COUNT(names); i++) {
		char line[256] = "";

		for (int mode = 0; mode < 8; mode++) {
			snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s/%s",
				 access(names[i], mode) ? errno_name(errno) : "ok",
				 faccessat(AT_FDCWD, names[i], mode, AT_EACCESS) ? errno_name(errno) : "ok");
		}
		for (int flags = 0; flags < 3; flags++) {
			int fd = open(names[i], flags | O_CLOEXEC);

			snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", fd < 0 ? errno_name(errno) : "ok");
			if (fd >= 0)
				close(fd);
		}
		say("  %s:%s", names[i], line);
	}
	SHOW(chdir("shut"));
	MUST(fchdir(here));
	SHOW(truncate("owner", 4));
	SHOW(chmod("owner", 0600));
	SHOW(chown("owner", 1000, -1));
	SHOW(chown("owner", -1, 2000));
	SHOW(utimensat(AT_FDCWD, "other", NULL, 0));
	SHOW(utimensat(AT_FDCWD, "other", (struct timespec[]){ { 1, 0 }, { 1, 0 } }, 0));
	SHOW(mkdir("shut/new", 0777));
	SHOW(rename("open/in", "open/out"));
	SHOW(rename("open/out", "open/in"));
	SHOW(unlink("open/missing"));
	SHOW(open("open/new", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600) >= 0);
	SHOW(unlink("open/new"));
}

static void sticky(void)
{
	MUST(mkdir("sticky", 0777));
	MUST(chmod("sticky", 01777));
	write_file("sticky/roots", "x", 0666);
	write_file("sticky/thousands", "x", 0666);
	MUST(chown("sticky/thousands", 1000, 1000));
	AS_USER(1000, 1000, {
		SHOW(unlink("sticky/roots"));
		SHOW(rename("sticky/roots", "sticky/mine"));
		SHOW(rename("sticky/thousands", "sticky/roots"));
		SHOW(rename("sticky/thousands", "sticky/mine"));
		SHOW(unlink("sticky/mine"));
		SHOW(rmdir("sticky"));
	});
	CHILD(MUST(syscall(SYS_setresuid, 1000, 1000, 0)); SHOW(unlink("sticky/roots")));
	SHOW(unlink("sticky/roots"));
}

static void programs(char *self)
{
	copy_file("/proc/self/exe", "users", 0755);
	MUST(chown("users", 1234, 2345));
	MUST(chmod("users", 06755));
	CHILD(execl("./users", self, "set-user-ID 1234, by root", NULL));
	AS_USER(1000, 1000, execl("./users", self, "set-user-ID 1234, by 1000", NULL));
	MUST(chmod("users", 0700));
	AS_USER(1000, 1000, execl("./users", self, "not executable", NULL); say("not executed: %s", errno_name(errno)));
	MUST(chmod("users", 0644));
	CHILD(execl("./users", self, "not executable", NULL); say("not executed by root: %s", errno_name(errno)));
}

int main(int argc, char **argv)
{
	static const gid_t groups[] = { 2000, 3000 };

	if (argc > 1) {
		say_ids(argv[1]);
		return 0;
	}
	here = (int)MUST(open(".", O_PATH | O_CLOEXEC));
	umask(0);
	MUST(setgroups(0, NULL));
	MUST(chmod(".", 0755));
	write_file("owner", "text", 0640);
	MUST(chown("owner", 1000, 1500));
	write_file("group", "text", 0060);
	MUST(chown("group", 1001, 2000));
	write_file("other", "text", 0006);
	MUST(chown("other", 1001, 1001));
	write_file("none", "", 0);
	write_file("exec", "", 0001);
	MUST(mkdir("open", 0777));
	write_file("open/in", "text", 0644);
	MUST(mkdir("shut", 0700));
	write_file("shut/in", "text", 0666);
	MUST(symlink("shut/in", "link"));
	ask("root");
	AS_USER(1000, 1000, ask("1000"));
	AS_USER(1001, 1001, ask("1001"));
	CHILD(MUST(setgroups(2, groups)); MUST(setresgid(1002, 1002, 1002)); MUST(setresuid(1002, 1002, 1002));
	      ask("1002 with 2000"));
	CHILD(MUST(syscall(SYS_setresuid, 1000, 0, 0)); ask("1000, effective root"));
	CHILD(MUST(syscall(SYS_setresuid, 0, 1000, 0)); ask("root, effective 1000"));
	CHILD(MUST(caps_set(BIT(CAP_DAC_READ_SEARCH), ~0ULL & CAPS_TOLD, 0)); ask("root that may only read and search"));
	CHILD(MUST(caps_set(0, 0, 0)); ask("root without capabilities"));
	sticky();
	programs(argv[0]);
	return 0;
}
