// SPDX-License-Identifier: Apache-2.0
/* A file without a name gets one on the mount that it was made on, and on no other. */
#include "fs_test.h"

static void linked_from_nowhere(const char *directory, const char *to)
{
	char name[32];
	int fd = (int)MUST(open(directory, O_RDWR | O_TMPFILE, 0600));

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	say("%s → %s", directory, to);
	OK(linkat(AT_FDCWD, name, AT_FDCWD, to, AT_SYMLINK_FOLLOW));
	OK(fchmod(fd, 0640));
	unlink(to);
	close(fd);
}

int main(void)
{
	tree_make();
	linked_from_nowhere("/bind", "/bind/new");
	linked_from_nowhere("/bind", "/t/new");
	linked_from_nowhere("/t", "/t/new");
	linked_from_nowhere("/t", "/bind/new");
	return 0;
}
