// SPDX-License-Identifier: Apache-2.0
/* connect to a path waits for room in the queue. */
#include "socket_waits.h"

int main(void)
{
	static const struct way way = { "connect", by_connect, SOCK_STREAM };

	tree_make();
	try_all(&way);
	return 0;
}
