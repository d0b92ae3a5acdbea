/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of /proc/PID/maps in proc_self.c: input is the file, read in pieces of the size that its first byte gives. The path found must be
 * that of a line that begins with the agent's mark.
 */
#include "agent/engine.h"
#include "fuzz.h"

static struct input file;
static size_t piece;

long fake_sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	struct input part;

	(void)d, (void)e, (void)f;
	switch (nr) {
	case __NR_open:
		MUST(strncmp((const char *)a, "/proc/", 6) == 0);
		return 3;
	case __NR_read:
		MUST(c > 0);
		part = input_take(&file, piece < c ? piece : c);
		if (part.left)
			memcpy((void *)b, part.at, part.left);
		return (long)part.left;
	default:
		return 0;
	}
}

void *fake_memset(void *to, int byte, size_t size)
{
	return (memset)(to, byte, size);
}

s32 exe_kept(const char *path)
{
	(void)path;
	return -1;
}

void agent_fd_link(char out[AGENT_FD_LINK_SIZE], u32 fd)
{
	(void)out, (void)fd;
	abort();
}

int guest_write(u64 to, const void *from, u64 size)
{
	(void)to, (void)from, (void)size;
	return -EFAULT;
}

long guest_read_string(char *to, u64 from, u64 size)
{
	(void)to, (void)from, (void)size;
	return -EFAULT;
}

long agent_reissue(long nr, const u64 args[6])
{
	(void)nr, (void)args;
	return -ENOSYS;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char *const links[] = { "/proc/self/exe", "/proc/thread-self/exe", "/proc/123456789/exe" };
	struct input in = { data, size };
	char *out = malloc(4096), *work = malloc(8192);
	long n;

	piece = 1 + input_number(&in, 1) * 16;
	file = in;
	n = exe_link_target(links[piece / 16 % 3], out, work, 8192);
	MUST(n < 4096 && n > -4096);
	if (n > 0)
		MUST(out[0] == '/' && memchr(out, 0, 4096) && out[n] == 0 && memmem(in.at, in.left, "51ff00000000-", 13) &&
		     memmem(in.at, in.left, out, (size_t)n));
	MUST(exe_link_target("/proc/self/exes", out, work, 8192) < 0);
	free(out);
	free(work);
	return 0;
}
