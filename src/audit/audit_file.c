// SPDX-License-Identifier: Apache-2.0
/* Durable files: see the header. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_file.h"
#include "base/cleanup.h"

int audit_fail(struct audit_error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	error->entry = AUDIT_NO_ENTRY;
	return code;
}

int audit_fail_errno(struct audit_error *error, int code, const char *format, ...)
{
	va_list args;
	size_t used;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	used = strlen(error->text);
	(void)snprintf(error->text + used, sizeof(error->text) - used, ": %s", strerrordesc_np(-code));
	error->entry = AUDIT_NO_ENTRY;
	return code;
}

static int create(int dir, const char *path, int flags, mode_t mode)
{
	return openat(dir, path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
}

static int rename_in(int dir, const char *from, const char *to)
{
	return renameat(dir, from, dir, to);
}

const struct audit_io audit_io_system = {
	.create = create,
	.write = write,
	.sync = fsync,
	.truncate = ftruncate,
	.rename = rename_in,
	.mkdir = mkdirat,
};

int audit_write(const struct audit_io *io, int fd, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = io->write(fd, (const u8 *)bytes + done, size - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

int audit_file_write(const struct audit_io *io, int dir, const char *path, const void *bytes, size_t size, mode_t mode)
{
	CLEANUP_FD int fd = io->create(dir, path, O_WRONLY | O_TRUNC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = audit_write(io, fd, bytes, size);
	return r < 0 ? r : take_fd(&fd);
}

/* Writes a file anew and syncs it, not its directory. */
static int write_synced(const struct audit_io *io, int dir, const char *path, const void *bytes, size_t size, mode_t mode)
{
	CLEANUP_FD int fd = audit_file_write(io, dir, path, bytes, size, mode);

	return fd < 0 ? fd : io->sync(fd) < 0 ? -errno : 0;
}

int audit_file_replace(const struct audit_io *io, int dir, const char *name, const void *bytes, size_t size, mode_t mode)
{
	char temporary[64];
	int r;

	(void)snprintf(temporary, sizeof(temporary), "%s.new", name);
	r = write_synced(io, dir, temporary, bytes, size, mode);
	if (r == 0 && io->rename(dir, temporary, name) < 0)
		r = -errno;
	if (r == 0 && io->sync(dir) < 0)
		r = -errno;
	return r;
}

int audit_file_read(int dir, const char *path, size_t most, char **ret_bytes, size_t *ret_size)
{
	CLEANUP_FD int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP_FREE char *bytes = NULL;
	struct stat st;
	size_t done = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((u64)st.st_size > most)
		return -EFBIG;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (done < (size_t)st.st_size) {
		ssize_t n = read(fd, bytes + done, (size_t)st.st_size - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
	}
	bytes[done] = 0;
	*ret_size = done;
	*ret_bytes = bytes;
	bytes = NULL;
	return 0;
}
