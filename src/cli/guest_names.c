// SPDX-License-Identifier: Apache-2.0
/* What a guest is called, what it counts from, and what network it sees: --hostname, --pid, --network. */
#include "cli/guest_names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/launch.h"

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
	return options_refuse(error, "option '--pid' needs private or host, not '%.100s'", value);
}

int guest_parse_network(void *field, const char *value, struct option_error *error)
{
	enum launch_network *network = field;
	if (strcmp(value, "none") != 0 && strcmp(value, "host") != 0)
		return options_refuse(error, "option '--network' knows host and none, not '%.100s'", value);
	*network = *value == 'n' ? LAUNCH_NETWORK_NONE : LAUNCH_NETWORK_HOST;
	return 0;
}

void guest_random_hostname(char hostname[HOSTNAME_SIZE])
{
	unsigned char bytes[6] = { 0 };
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		memcpy(bytes, (pid_t[2]){ getpid(), getppid() }, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(hostname + 2 * i, 3, "%02x", bytes[i]);
}
