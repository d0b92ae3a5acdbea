// SPDX-License-Identifier: Apache-2.0
/* A sealed copy of the program: memfd_create(2), fcntl(2). */
#include "oci/oci_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define COPIED "LICHEN_OCI_COPIED" /* says so in the environment of the copy, which then removes it */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int make_copy(void)
{
	CLEANUP_FD int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = FD_NONE;
	struct stat st;
	off_t at = 0;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	to = memfd_create("lichen-oci", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (to < 0)
		return -errno;
	while (at < st.st_size)
		if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
			return errno ? -errno : -EIO;
	if (fcntl(to, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return take_fd(&to);
}

int oci_copy_enter(char **argv)
{
	CLEANUP_FD int copy = FD_NONE;

	if (getenv(COPIED)) {
		(void)unsetenv(COPIED);
		return 0;
	}
	copy = make_copy();
	if (copy < 0)
		return copy;
	if (setenv(COPIED, "1", 1) < 0)
		return -ENOMEM;
	(void)fexecve(copy, argv, environ);
	(void)unsetenv(COPIED);
	return -errno;
}
