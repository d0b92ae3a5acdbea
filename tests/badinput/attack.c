/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that spoils what the agent needs, then makes a system call that traps: attack WHAT HOW
 *   WHAT   text, private, commons, exe (the mappings of src/abi/layout.h)
 *   HOW    unmap, protect, readonly, map, move, discard, zero, ones, text (writes), or nothing (only the call)
 * Prints 'HOW: 0' or the errno that the attack met, then 'alive' once calls work again. How it ends is for the test to judge.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/layout.h"

struct place {
	const char *name;
	unsigned long at;
};

static const struct place places[] = {
	{ "text", LAYOUT_TEXT },       { "private", LAYOUT_PRIVATE }, { "pool", LAYOUT_PRIVATE + 0x100000 },
	{ "commons", LAYOUT_COMMONS }, { "exe", LAYOUT_EXE },
};

/* Bytes of the mapping at this address, from /proc/self/maps. */
static size_t mapping_size(unsigned long at)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];
	size_t size = 0;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= at && at < to)
			size = to - at;
	if (maps)
		(void)fclose(maps);
	return size;
}

static int attack(const char *how, void *at, size_t size)
{
	if (!strcmp(how, "unmap"))
		return munmap(at, size);
	if (!strcmp(how, "protect"))
		return mprotect(at, size, PROT_NONE);
	if (!strcmp(how, "readonly"))
		return mprotect(at, size, PROT_READ);
	if (!strcmp(how, "map"))
		return mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at ? 0 : -1;
	if (!strcmp(how, "move"))
		return mremap(at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x10000000000) == MAP_FAILED ? -1 : 0;
	if (!strcmp(how, "discard"))
		return madvise(at, size, MADV_DONTNEED);
	if (!strcmp(how, "zero") || !strcmp(how, "ones")) {
		memset(at, how[0] == 'z' ? 0 : 0xff, size < 65536 ? size : 65536);
		return 0;
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t size;
	unsigned long at = 0;
	int status, r;
	pid_t child;

	for (size_t i = 0; argc == 3 && i < sizeof(places) / sizeof(places[0]); i++)
		if (!strcmp(places[i].name, argv[1]))
			at = places[i].at;
	if (!at)
		return 64;
	size = mapping_size(at);
	if (!size)
		return 65;
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	r = attack(argv[2], (void *)at, size); /* NOLINT(performance-no-int-to-ptr) */
	printf("%s: %s\n", argv[2], r == 0 ? "0" : strerrorname_np(errno));
	(void)close(open("/dev/null", O_RDONLY)); /* traps */
	child = fork();
	if (child == 0)
		execl("/bin/true", "true", (char *)NULL);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 66;
	printf("alive, child %d\n", status);
	return 0;
}
