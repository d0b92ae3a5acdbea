/* SPDX-License-Identifier: Apache-2.0 */
/* /dev lists its devices, each once and as a character device, whatever the size of the reader's buffer. */
#include "difftest.h"

#include <dirent.h>

static const char *const names[] = { "kmsg", "null", "zero", "full", "random", "urandom", "tty", "no-such" };

static void list(size_t size)
{
	int fd = (int)MUST(open("/dev", O_RDONLY | O_DIRECTORY)), count[COUNT(names)] = { 0 };
	unsigned char *buffer = malloc(size), type[COUNT(names)] = { 0 };
	long n;

	while ((n = syscall(SYS_getdents64, fd, buffer, size)) > 0)
		for (long at = 0; at < n;) {
			struct dirent64 *entry = (void *)(buffer + at);

			for (size_t i = 0; i < COUNT(names); i++)
				if (!strcmp(entry->d_name, names[i])) {
					count[i]++;
					type[i] = entry->d_type;
				}
			at += entry->d_reclen;
		}
	say("end: %ld", n);
	for (size_t i = 0; i < COUNT(names); i++)
		say("%s: %d, %s", names[i], count[i], type[i] == DT_CHR ? "device" : "-");
	free(buffer);
	close(fd);
}

int main(void)
{
	DIR *dir;
	int found = 0;

	list(32768);
	list(65536);
	dir = opendir("/dev");
	for (struct dirent *entry; (entry = readdir(dir));)
		found += !strcmp(entry->d_name, "kmsg");
	say("kmsg by readdir: %d", found);
	closedir(dir);
	return 0;
}
