/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's text has system call instructions at known addresses, which its own filter exempts. A guest that jumps to one with registers of
 * its own is past the agent; it must not be past the cage. ARG: none; gaps are filled.
 */
#include "attack.h"

#include "abi/layout.h"

/* The text's size, from /proc/self/maps. */
static size_t text_size(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];
	size_t size = 0;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= LAYOUT_TEXT && LAYOUT_TEXT < to)
			size = to - LAYOUT_TEXT;
	if (maps)
		(void)fclose(maps);
	return size;
}

/* 'syscall; ret' in it; NULL: there is no agent here. */
static const unsigned char *gadget(void)
{
	const unsigned char *text = (const unsigned char *)LAYOUT_TEXT; /* NOLINT(performance-no-int-to-ptr) */
	size_t size = text_size();

	for (size_t i = 0; i + 2 < size; i++)
		if (text[i] == 0x0f && text[i + 1] == 0x05 && text[i + 2] == 0xc3)
			return text + i;
	return NULL;
}

static long through(const unsigned char *at, long number, long one, long two, long three)
{
	long result;

	__asm__ volatile("xor %%r10d, %%r10d\n\txor %%r8d, %%r8d\n\tsub $256, %%rsp\n\tcall *%[at]\n\tadd $256, %%rsp"
			 : "=a"(result)
			 : "a"(number), "D"(one), "S"(two), "d"(three), [at] "r"(at)
			 : "rcx", "r8", "r10", "r11", "memory");
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* No gadget, no attack: then no gap is filled, and there is no agent. */
static int call(long number, long one, long two, long three, long *result)
{
	const unsigned char *at = gadget();

	if (!at)
		return NOTHING;
	*result = through(at, number, one, two, three);
	return *result < 0 ? errno : 0;
}

static int open_secret(const struct attack *a)
{
	char path[4096];

	long fd;
	int r = call(SYS_openat, AT_FDCWD, (long)below(path, sizeof(path), a->outside, "secret"), O_RDONLY, &fd);

	return r != 0 ? r : is_secret((int)fd);
}

static int user_fault(const struct attack *a)
{
	long fd;

	(void)a;
	return call(SYS_userfaultfd, O_CLOEXEC, 0, 0, &fd);
}

static int trace_parent(const struct attack *a)
{
	struct iovec none = { NULL, 0 };
	long n;
	int r = call(SYS_process_vm_readv, a->parent, (long)&none, 1, &n);

	return r == EINVAL ? 0 : r; /* of liovcnt without riovcnt: it went in */
}

static int key(const struct attack *a)
{
	long id;

	(void)a;
	return call(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -4, 1, &id);
}

static const struct way ways[] = {
	{ "open", open_secret },
	{ "userfaultfd", user_fault },
	{ "process_vm_readv", trace_parent },
	{ "keyctl", key },
};

ATTACK_MAIN(ways)
