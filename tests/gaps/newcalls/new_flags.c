/* SPDX-License-Identifier: Apache-2.0 */
/* Newer flags of older calls: memfd_create(MFD_EXEC, MFD_NOEXEC_SEAL), getrandom(GRND_INSECURE). */
#include "difftest.h"

static void memfds(void)
{
	static const unsigned flags[] = { 0, 1, 2, 3, 8, 9, 10, 16, 17, 18, 24, 0x20, 0x28, 0x30, 0x48, 0x80000000u };

	for (unsigned i = 0; i < COUNT(flags); i++) {
		int fd = (int)syscall(SYS_memfd_create, "x", flags[i]);
		struct stat st = { 0 };

		if (fd < 0) {
			say("memfd flags %#x: %s", flags[i], errno_name(errno));
			continue;
		}
		fstat(fd, &st);
		say("memfd flags %#x: mode %o, sealed %d, close-on-exec %d", flags[i], st.st_mode & 0777,
		    fcntl(fd, F_GET_SEALS) & F_SEAL_SEAL, fcntl(fd, F_GETFD));
		say("  write %zd", write(fd, "x", 1));
		close(fd);
	}
	OK(syscall(SYS_memfd_create, NULL, 8));
	OK(syscall(SYS_memfd_create, bad_pointer(), 16));
	OK(syscall(SYS_memfd_create, NULL, 24));
	OK(syscall(SYS_memfd_create, tail_copy("name", 5), 9));
}

static void randoms(void)
{
	char a[64] = "", b[64] = "";

	for (unsigned flags = 0; flags < 16; flags++) {
		long r = syscall(SYS_getrandom, a, sizeof(a), flags);

		say("getrandom flags %u: %ld %s", flags, r, r < 0 ? errno_name(errno) : "");
	}
	SHOW(syscall(SYS_getrandom, a, sizeof(a), 4));
	SHOW(syscall(SYS_getrandom, b, sizeof(b), 4));
	FACT(memcmp(a, b, sizeof(a)) != 0);
	SHOW(syscall(SYS_getrandom, bad_pointer(), 1, 4));
	SHOW(syscall(SYS_getrandom, NULL, 0, 4));
	SHOW(syscall(SYS_getrandom, NULL, 0, 5));
}

int main(void)
{
	memfds();
	randoms();
	return 0;
}
