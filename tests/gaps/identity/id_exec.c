/* SPDX-License-Identifier: Apache-2.0 */
/* What execve does to an identity: ids and groups survive, capabilities are made anew, set-user-ID programs of root, no_new_privs, AT_*. */
#include "identity.h"
#include <sys/auxv.h>

static char self[4096];

static void told(const char *what)
{
	gid_t groups[8];

	say_ids(what);
	say_caps("  caps");
	say("  aux: uid %lu %lu gid %lu %lu secure %lu, groups %d", getauxval(AT_UID), getauxval(AT_EUID), getauxval(AT_GID),
	    getauxval(AT_EGID), getauxval(AT_SECURE), getgroups(8, groups));
}

static void run(const char *program, const char *what)
{
	execl(program, program, what, NULL);
	say("%s: %s not executed: %s", what, program, errno_name(errno));
}

/* The same from a vfork child, and by a thread. */
static void *in_thread(void *what)
{
	run(self, what);
	return NULL;
}

static void plain(void)
{
	static const gid_t groups[] = { 5, 6, 7 };

	CHILD(run(self, "root"));
	CHILD(MUST(setgroups(3, groups)); run(self, "groups"));
	CHILD(MUST(setresgid(1000, 1001, 1002)); MUST(setresuid(1000, 1000, 1000)); run(self, "1000"));
	CHILD(MUST(setresuid(1000, 0, 0)); run(self, "1000, effective 0"));
	CHILD(MUST(setresuid(0, 1000, 0)); run(self, "0, effective 1000"));
	CHILD(MUST(setresuid(1000, 1001, 0)); run(self, "1000, effective 1001, saved 0"));
	CHILD(syscall(SYS_setfsuid, 1000); run(self, "fsuid 1000"));
	CHILD(MUST(setresgid(0, 1000, 0)); pthread_join(thread_start(in_thread, (char[]){ "thread" }), NULL));
	CHILD({
		pid_t pid;

		MUST(setresuid(1000, 1000, 1000));
		pid = vfork();
		if (pid == 0) {
			execl(self, self, "vfork child of 1000", NULL);
			_exit(1);
		}
		reap(pid);
	});
}

static void capabilities(void)
{
	CHILD(MUST(caps_set(0xff, 0xff, 0xf0)); run(self, "root with few"));
	CHILD(MUST(prctl(PR_CAPBSET_DROP, 0)); MUST(prctl(PR_CAPBSET_DROP, 21)); run(self, "root, two not bounding"));
	CHILD(MUST(prctl(PR_SET_KEEPCAPS, 1)); MUST(setresuid(1000, 1000, 1000)); run(self, "1000, kept"));
	CHILD({
		MUST(caps_set(0xff, 0xff, 0xff));
		MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5, 0, 0));
		MUST(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP));
		MUST(setresuid(1000, 1000, 1000));
		run(self, "1000, ambient");
	});
	CHILD(MUST(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT)); run(self, "root, noroot"));
	CHILD(MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); MUST(caps_set(0xff, 0xff, 0));
	      run(self, "root with few, no_new_privs"));
	CHILD(MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); MUST(setresuid(1000, 1001, 0));
	      run(self, "no_new_privs, effective 1001"));
}

static void set_user_id(void)
{
	copy_file("/proc/self/exe", "suid", 04755);
	copy_file("/proc/self/exe", "sgid", 02755);
	copy_file("/proc/self/exe", "locked", 02745);
	AS_USER(1000, 1000, run("./suid", "suid by 1000"));
	AS_USER(1000, 1000, run("./sgid", "sgid by 1000"));
	AS_USER(1000, 1000, run("./locked", "sgid without x by 1000"));
	AS_USER(1000, 1000, MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); run("./suid", "suid by 1000, no_new_privs"));
	CHILD(MUST(setresuid(1000, 1000, 0)); run("./suid", "suid by 1000, saved 0"));
	CHILD(run("./suid", "suid by root"));
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		told(argv[1]);
		return 0;
	}
	MUST(setgroups(0, NULL));
	MUST(chmod(".", 0755));
	MUST(readlink("/proc/self/exe", self, sizeof(self) - 1));
	copy_file("/proc/self/exe", "plain", 0755);
	strcpy(self, "./plain");
	told("start");
	plain();
	capabilities();
	set_user_id();
	return 0;
}
