/* SPDX-License-Identifier: Apache-2.0 */
/* main() for a fuzz target without libFuzzer: replay FILE-OR-DIRECTORY… runs each input once. */
#include <dirent.h>

#include "fuzz.h"

static unsigned count;

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rbe");
	long size;
	u8 *data;

	if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET))
		abort();
	data = malloc(size ? (size_t)size : 1); /* exactly: AddressSanitizer sees a read beyond */
	if (!data || fread(data, 1, (size_t)size, file) != (size_t)size)
		abort();
	(void)fclose(file);
	(void)LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	count++;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		DIR *directory = opendir(argv[i]);
		struct dirent *entry;
		char path[4096];

		if (!directory)
			run_file(argv[i]);
		while (directory && (entry = readdir(directory))) {
			(void)snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
			if (entry->d_name[0] != '.')
				run_file(path);
		}
		if (directory)
			(void)closedir(directory);
	}
	printf("%u inputs\n", count);
	return count ? 0 : 1;
}
