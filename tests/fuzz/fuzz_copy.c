/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile cell sends to `lichen cp`: any bytes, lines and archive; nothing outside the place that was named changes, and of it but one name, unless
 * what is in a directory was asked for: of the inputs with an odd number of bytes. */
#include <sys/socket.h>

#include "image/copy.h"
#include "unpack_place.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct place place = place_make();
	struct image_error why;
	char path[80];
	struct stat st;
	int pair[2];
	u64 lost;

	(void)snprintf(path, sizeof(path), "%s/root", place.path);
	const struct copy_target target = { .path = path, .name = size % 2 ? "." : "n", .flags = UNPACK_HOST | UNPACK_OURS };
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
	if (write(pair[0], data, size) == (ssize_t)size) {
		(void)shutdown(pair[0], SHUT_WR);
		MUST(copy_receive(pair[1], &target, &lost, &why) <= 0);
	}
	close(pair[0]);
	close(pair[1]);
	if (size % 2 == 0) /* what is not called n is as it was */
		MUST(fstatat(place.root, "a", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 1 && st.st_nlink == 1);
	place_check(&place);
	return 0;
}
