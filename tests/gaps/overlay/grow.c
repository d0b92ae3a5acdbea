/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a file for writing, which copies it up, and appends one letter; for test_overlay_crash.py, which kills it on the way. */
#include "difftest.h"

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

	return fd >= 0 && write(fd, "+", 1) == 1 ? 0 : 1;
}
