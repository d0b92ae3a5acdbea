// SPDX-License-Identifier: Apache-2.0
/* tmpfs: files with holes, whose holes do not count. */
#include "tmpfs.h"

int main(void)
{
	int fd, other;

	make_places();
	OK(mount("t", "/m/a", "tmpfs", 0, "size=16k"));
	fd = make("/m/a/one", 0);
	other = make("/m/a/two", 0);
	told("write a page", write(fd, bytes, PAGE));
	told("write behind a hole", pwrite(fd, bytes, PAGE, 6 * PAGE));
	space("with a hole");
	OK(ftruncate(fd, 20 * PAGE));
	space("longer");
	told("write the rest and more", write(other, bytes, 3 * PAGE));
	told("write over", pwrite(fd, bytes, PAGE, 6 * PAGE));
	told("write over the end of the hole", pwrite(fd, bytes, 2 * PAGE, 5 * PAGE));
	told("write over its beginning", pwrite(fd, bytes, 2 * PAGE, 10));
	told("write behind all", pwrite(fd, bytes, 10, 30 * PAGE));
	OK(fallocate(other, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	space("punched");
	told("write into the hole", pwrite(fd, bytes, 3 * PAGE, 2 * PAGE));
	space("full");
	close(fd);
	close(other);
	OK(umount("/m/a"));
	return 0;
}
