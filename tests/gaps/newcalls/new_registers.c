/* SPDX-License-Identifier: Apache-2.0 */
/* A call that lichen makes as another one leaves the registers as the kernel does, also when signals interrupt and restart it. */
#include "difftest.h"

#include <linux/openat2.h>
#include <sys/uio.h>

static volatile int signals;

static void count(int sig)
{
	(void)sig;
	signals++;
}

/* Makes a call and tells which of the six argument registers it changed. */
static long call(const char *what, long nr, const long *args, bool show)
{
	register long r10 __asm__("r10") = args[3];
	register long r8 __asm__("r8") = args[4];
	register long r9 __asm__("r9") = args[5];
	long ret = nr, di = args[0], si = args[1], dx = args[2], bx = 0x1234, changed;

	__asm__ volatile("syscall"
			 : "+a"(ret), "+D"(di), "+S"(si), "+d"(dx), "+r"(r10), "+r"(r8), "+r"(r9), "+b"(bx)
			 :
			 : "rcx", "r11", "memory");
	changed = (di != args[0]) | (si != args[1]) << 1 | (dx != args[2]) << 2 | (r10 != args[3]) << 3 | (r8 != args[4]) << 4 |
		  (r9 != args[5]) << 5 | (bx != 0x1234) << 6;
	if (show)
		say("%s: %ld, changed %#lx", what, ret, changed);
	return ret;
}

static void *kicker(void *arg)
{
	long *target = arg;

	for (int i = 0; i < 3; i++) {
		wait_state(getpid(), (pid_t)target[0], 'S');
		syscall(SYS_tgkill, getpid(), target[0], SIGUSR1);
	}
	wait_state(getpid(), (pid_t)target[0], 'S');
	MUST(write((int)target[1], "late", 4));
	return NULL;
}

static void blocked(int flags)
{
	struct sigaction action = { .sa_handler = count, .sa_flags = flags };
	struct iovec iov = { (char[8]){ 0 }, 4 };
	long target[2] = { getpid(), 0 };
	int ends[2];
	pthread_t thread;

	MUST(sigaction(SIGUSR1, &action, NULL));
	MUST(pipe(ends));
	target[1] = ends[1];
	signals = 0;
	thread = thread_start(kicker, target);
	while (call("preadv2 of a pipe", SYS_preadv2, (long[6]){ ends[0], (long)&iov, 1, -1, -1, 0 }, true) == -EINTR)
		;
	pthread_join(thread, NULL);
	say("signals %d, '%s'", signals, (char *)iov.iov_base);
}

int main(void)
{
	struct open_how how = { .flags = O_RDONLY };
	char statx[256], byte[8];
	struct iovec iov = { byte, 1 };
	int fd = (int)MUST(open("/dev/zero", O_RDONLY)), opened;

	opened =
		(int)call("openat2", SYS_openat2, (long[6]){ AT_FDCWD, (long)"/", (long)&how, sizeof(how), 0x5555, 0x6666 }, false);
	say("openat2: %s", opened > fd ? "ok" : "failed");
	call("openat2 again", SYS_openat2, (long[6]){ AT_FDCWD, (long)"/nothing", (long)&how, sizeof(how), 0x5555, 0x6666 }, true);
	call("faccessat2", SYS_faccessat2, (long[6]){ AT_FDCWD, (long)"/", R_OK, AT_EACCESS, 0x5555, 0x6666 }, true);
	call("faccessat2", SYS_faccessat2, (long[6]){ AT_FDCWD, (long)"/", R_OK, 0, 0x5555, 0x6666 }, true);
	call("statx", SYS_statx, (long[6]){ AT_FDCWD, (long)"/", AT_NO_AUTOMOUNT, 0x7ff, (long)statx, 0x6666 }, true);
	call("statx", SYS_statx, (long[6]){ fd, 0, AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0x7ff, (long)statx, 0x6666 }, true);
	call("preadv2", SYS_preadv2, (long[6]){ fd, (long)&iov, 1, 0, 0, 1 }, true);
	call("preadv2", SYS_preadv2, (long[6]){ fd, (long)&iov, 1, -1, -1, 0 }, true);
	call("getrandom", SYS_getrandom, (long[6]){ (long)byte, 8, 4, 0x4444, 0x5555, 0x6666 }, true);
	call("close_range", SYS_close_range, (long[6]){ 900, 901, 0, 0x4444, 0x5555, 0x6666 }, true);
	say("SA_RESTART:");
	blocked(SA_RESTART);
	say("no SA_RESTART:");
	blocked(0);
	return 0;
}
