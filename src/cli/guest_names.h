/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest is called, what it counts from, and what network it sees: --hostname, --pid, --network. */
#ifndef LICHEN_CLI_GUEST_NAMES_H
#define LICHEN_CLI_GUEST_NAMES_H

#include "abi/commons.h"
#include "cli/options.h"

/* An option_row.parse for a char[HOSTNAME_SIZE]. */
int guest_parse_hostname(void *field, const char *value, struct option_error *error);

/* An option_row.parse for an enum guest_pid: private, host. */
enum guest_pid { GUEST_PID_DEFAULT, GUEST_PID_PRIVATE, GUEST_PID_HOST };
int guest_parse_pid(void *field, const char *value, struct option_error *error);

/* An option_row.parse for an enum launch_network: host, none. */
int guest_parse_network(void *field, const char *value, struct option_error *error);

/* Twelve random hexadecimal digits: the name of an image's command that is no cell. */
void guest_random_hostname(char hostname[HOSTNAME_SIZE]);

#endif
