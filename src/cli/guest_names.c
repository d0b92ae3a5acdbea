// SPDX-License-Identifier: Apache-2.0
/* What a guest is called, and what it counts from: --hostname, --pid, and /etc/hostname and /etc/hosts as docker makes them. */
#include "cli/guest_names.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

const char *const guest_names_files[GUEST_NAMES_FILES][2] = { { "hostname", "/etc/hostname" }, { "hosts", "/etc/hosts" } };

int guest_parse_hostname(void *field, const char *value, struct option_error *error)
{
	size_t length = strlen(value);
	bool valid = length > 0 && length < HOSTNAME_SIZE;
	for (const char *at = value; *at && valid; at++)
		valid = isgraph((unsigned char)*at);
	if (!valid) {
		snprintf(error->text, sizeof(error->text),
			 "option '--hostname' needs a name of 1 to 64 characters without blanks, not '%.100s'", value);
		return -EINVAL;
	}
	memcpy(field, value, length + 1);
	return 0;
}

int guest_parse_pid(void *field, const char *value, struct option_error *error)
{
	enum guest_pid *pid = field;
	*pid = strcmp(value, "private") == 0 ? GUEST_PID_PRIVATE : strcmp(value, "host") == 0 ? GUEST_PID_HOST : GUEST_PID_DEFAULT;
	if (*pid != GUEST_PID_DEFAULT)
		return 0;
	snprintf(error->text, sizeof(error->text), "option '--pid' needs private or host, not '%.100s'", value);
	return -EINVAL;
}

void guest_random_hostname(char hostname[HOSTNAME_SIZE])
{
	unsigned char bytes[6] = { 0 };
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		memcpy(bytes, (pid_t[2]){ getpid(), getppid() }, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(hostname + 2 * i, 3, "%02x", bytes[i]);
}

static int write_file(int dir, const char *name, const char *machine, const char *before, const char *hostname)
{
	CLEANUP_FD int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	CLEANUP_FD int from = machine ? open(machine, O_RDONLY | O_CLOEXEC) : FD_NONE;
	char text[4096], last = '\n';
	ssize_t n;
	if (fd < 0 || fchmod(fd, 0644) < 0)
		return -errno;
	while (from >= 0 && (n = read(from, text, sizeof(text))) > 0) {
		if (write(fd, text, (size_t)n) != n)
			return -EIO;
		last = text[n - 1];
	}
	if (last != '\n' && write(fd, "\n", 1) != 1)
		return -EIO;
	n = snprintf(text, sizeof(text), "%s%s\n", before, hostname);
	return write(fd, text, (size_t)n) == n ? 0 : -EIO;
}

int guest_names_write(const char *dir, const char *hostname)
{
	CLEANUP_FD int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = write_file(fd, guest_names_files[0][0], NULL, "", hostname);
	return r < 0 ? r : write_file(fd, guest_names_files[1][0], "/etc/hosts", "127.0.1.1\t", hostname);
}
