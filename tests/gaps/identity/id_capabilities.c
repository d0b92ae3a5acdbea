/* SPDX-License-Identifier: Apache-2.0 */
/* Capability sets: what changes of ids do to them, capset's rules, bounding and ambient sets, securebits and keepcaps, odd headers. */
#include "identity.h"

#define LOW 0xffULL
#define CHOWN BIT(CAP_CHOWN)
#define SETPCAP BIT(CAP_SETPCAP)

static void changes_of_ids(void)
{
	CHILD(MUST(syscall(SYS_setresuid, -1, 1000, -1)); say_caps("effective 1000"); MUST(syscall(SYS_setresuid, -1, 0, -1));
	      say_caps("effective 0 again"));
	CHILD(MUST(syscall(SYS_setresuid, 1000, 1000, 1000)); say_caps("1000 for good"));
	CHILD(MUST(prctl(PR_SET_KEEPCAPS, 1)); MUST(syscall(SYS_setresuid, 1000, 1000, 1000)); say_caps("kept");
	      OK(caps_set(CHOWN, CHOWN, 0)); say_caps("some raised"));
	CHILD(syscall(SYS_setfsuid, 1000); say_caps("fsuid 1000"); syscall(SYS_setfsuid, 0); say_caps("fsuid 0"));
	CHILD(MUST(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)); MUST(syscall(SYS_setresuid, 1000, 1000, 1000));
	      say_caps("no fixup"));
	CHILD(MUST(caps_set(LOW, LOW, 0)); MUST(syscall(SYS_setresuid, 1000, 1000, 0)); say_caps("few, saved 0");
	      MUST(syscall(SYS_setresuid, 0, 0, 0)); say_caps("few, 0 again"));
}

static void sets(void)
{
	CHILD(OK(caps_set(LOW, LOW, LOW)); say_caps("low"); OK(caps_set(LOW | BIT(10), LOW | BIT(10), 0));
	      OK(caps_set(LOW | BIT(10), LOW, 0)); OK(caps_set(0, LOW, 0)); say_caps("none effective"); OK(caps_set(0, LOW, LOW));
	      OK(caps_set(0, LOW, LOW | BIT(20))); OK(caps_set(LOW, LOW, 0)); OK(caps_set(~0ULL, LOW, 0)); say_caps("low again"));
	CHILD(MUST(caps_set(CHOWN, CHOWN, 0)); OK(caps_set(CHOWN, CHOWN, CHOWN)); OK(caps_set(CHOWN, CHOWN, BIT(5)));
	      OK(prctl(PR_CAPBSET_DROP, 3)); say_caps("only chown"));
	CHILD(OK(prctl(PR_CAPBSET_DROP, 3)); OK(prctl(PR_CAPBSET_DROP, 3)); OK(prctl(PR_CAPBSET_DROP, 63));
	      OK(prctl(PR_CAPBSET_DROP, -1L)); OK(prctl(PR_CAPBSET_READ, 63)); OK(prctl(PR_CAPBSET_READ, -1L));
	      say_caps("3 dropped"); OK(caps_set(LOW, LOW, BIT(3))); OK(caps_set(LOW, CAPS_TOLD, 0));
	      OK(caps_set(LOW, LOW, BIT(2))); say_caps("after"));
}

static void ambient(void)
{
	CHILD(SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0)); MUST(caps_set(LOW, LOW, LOW));
	      SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	      SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 4, 0, 0));
	      SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 4, 1, 0));
	      SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 99, 0, 0)); SHOW(prctl(PR_CAP_AMBIENT, 7, 4, 0, 0));
	      SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 4, 0, 0));
	      SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 5, 0, 0)); say_caps("two raised"); MUST(caps_set(LOW, LOW, CHOWN));
	      say_caps("follows inheritable"); SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, 0, 0, 0));
	      SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
	      SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)); say_caps("cleared");
	      MUST(prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE));
	      SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0)));
	CHILD(MUST(caps_set(LOW, LOW, LOW)); MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	      MUST(prctl(PR_SET_KEEPCAPS, 1)); MUST(syscall(SYS_setresuid, 1000, 1000, 1000)); say_caps("ambient, then 1000"));
}

static void bits(void)
{
	static const unsigned values[] = { 0, 1, 2, 3, 4, 0x10, 0x20, 0x40, 0x50, 0x80, 0x1000, 0xc0, 0x30, 0 };

	CHILD(for (unsigned i = 0; i < COUNT(values); i++)
		      say("securebits %#x: %s, now %#x", values[i], prctl(PR_SET_SECUREBITS, values[i]) ? errno_name(errno) : "ok",
			  prctl(PR_GET_SECUREBITS)));
	CHILD(SHOW(prctl(PR_SET_KEEPCAPS, 2)); SHOW(prctl(PR_SET_KEEPCAPS, 1)); SHOW(prctl(PR_GET_KEEPCAPS));
	      MUST(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED)); SHOW(prctl(PR_GET_KEEPCAPS));
	      SHOW(prctl(PR_SET_KEEPCAPS, 1)); SHOW(prctl(PR_SET_KEEPCAPS, 0)));
	CHILD(MUST(caps_set(CHOWN, CHOWN, 0)); SHOW(prctl(PR_SET_SECUREBITS, 0)); SHOW(prctl(PR_SET_SECUREBITS, 1)));
	CHILD(SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)); SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 1));
	      SHOW(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0)); SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	      SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	      SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)));
}

static void headers(void)
{
	static const unsigned versions[] = { _LINUX_CAPABILITY_VERSION_1, _LINUX_CAPABILITY_VERSION_2, 0x12345678 };
	struct __user_cap_header_struct header = { 0 };
	struct __user_cap_data_struct data[2];

	for (unsigned i = 0; i < COUNT(versions); i++) {
		header = (struct __user_cap_header_struct){ versions[i], 0 };
		memset(data, 0x5a, sizeof(data));
		SHOW(syscall(SYS_capget, &header, data));
		say("version %#x, second %#x", header.version, data[1].effective);
		header.version = versions[i];
		SHOW(syscall(SYS_capget, &header, NULL));
		header.version = versions[i];
		SHOW(syscall(SYS_capset, &header, data));
	}
	header = (struct __user_cap_header_struct){ _LINUX_CAPABILITY_VERSION_3, -1 };
	SHOW(syscall(SYS_capget, &header, data));
	SHOW(syscall(SYS_capset, &header, data));
	header.pid = 0x3fffffff;
	SHOW(syscall(SYS_capget, &header, data));
	SHOW(syscall(SYS_capset, &header, data));
	header.pid = getppid();
	SHOW(syscall(SYS_capset, &header, data));
	header.pid = getpid();
	SHOW(syscall(SYS_capget, &header, data));
	SHOW(syscall(SYS_capset, &header, data));
	SHOW(syscall(SYS_capget, bad_pointer(), data));
	SHOW(syscall(SYS_capget, tail_copy(&header, 4), data));
	SHOW(syscall(SYS_capget, &header, tail(23)));
	SHOW(syscall(SYS_capset, &header, tail(23)));
	SHOW(syscall(SYS_capset, &header, NULL));
}

static void of_others(void)
{
	struct gate begun = gate_new(), over = gate_new();
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	pid_t pid = fork_or_die();

	if (pid == 0) {
		MUST(caps_set(LOW, LOW, CHOWN));
		gate_open(&begun);
		gate_wait(&over);
		_exit(0);
	}
	gate_wait(&begun);
	header.pid = pid;
	SHOW(syscall(SYS_capget, &header, data));
	say("its: %#x %#x %#x", data[0].effective, data[0].permitted, data[0].inheritable);
	gate_open(&over);
	reap(pid);
}

int main(void)
{
	say_caps("start");
	changes_of_ids();
	sets();
	ambient();
	bits();
	headers();
	of_others();
	return 0;
}
