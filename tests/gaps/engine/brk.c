/* SPDX-License-Identifier: Apache-2.0 */
/* The heap: sbrk grows and shrinks, fresh memory is zero, limits hold, a child has its own. */
#include "difftest.h"

#include <sys/resource.h>

static uintptr_t brk_raw(uintptr_t to)
{
	return (uintptr_t)syscall(SYS_brk, to);
}

int main(void)
{
	char *start = sbrk(0), *at;
	uintptr_t end;
	struct rlimit limit = { 4 << 20, RLIM_INFINITY };

	FACT(start != (void *)-1);
	at = sbrk(100000);
	FACT(at == start);
	for (int i = 0; i < 100000; i++)
		if (at[i]) {
			say("heap not zero at %d", i);
			break;
		}
	memset(at, 7, 100000);
	FACT(sbrk(0) == start + 100000);
	OK(sbrk(-60000));
	FACT(sbrk(0) == start + 40000);
	FACT(at[39999] == 7);
	OK(sbrk(60000));
	FACT(at[99999] == 0);
	end = brk_raw(0);
	FACT(end == (uintptr_t)sbrk(0));
	FACT(brk_raw(1) == end);
	FACT(brk_raw(end + 4096 * 5 + 3) == end + 4096 * 5 + 3);
	FACT(brk_raw(end) == end);
	FACT(brk_raw(UINT64_C(1) << 62) == end);
	at = sbrk(64 << 20);
	FACT(at != (void *)-1);
	at[(64 << 20) - 1] = 1;
	CHILD({
		FACT(sbrk(0) == (char *)at + (64 << 20));
		OK(sbrk(-(64 << 20)));
		OK(sbrk(4096));
	});
	FACT(at[(64 << 20) - 1] == 1);
	CHILD({
		MUST(setrlimit(RLIMIT_DATA, &limit));
		OK(sbrk(1 << 20));
		void *p = malloc(100 << 20);

		say("malloc of 100 MiB: %s", p ? "ok" : errno_name(errno));
	});
	for (int i = 0; i < 1000; i++) {
		volatile char *p = malloc((size_t)i * 100 + 1);

		p[0] = 1;
		p[i * 100] = 1;
		if (i % 2)
			free((void *)(uintptr_t)p);
	}
	SHOW(trapped_ok());
	return 0;
}
