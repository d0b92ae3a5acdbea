/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest is called, and the files of an image's tree that say so. */
#ifndef LICHEN_CLI_GUEST_NAMES_H
#define LICHEN_CLI_GUEST_NAMES_H

#include "abi/commons.h"
#include "cli/options.h"

/* An option_row.parse for a char[HOSTNAME_SIZE]. */
int guest_parse_hostname(void *field, const char *value, struct option_error *error);

/* An option_row.parse for an enum guest_pid: private, host. */
enum guest_pid { GUEST_PID_DEFAULT, GUEST_PID_PRIVATE, GUEST_PID_HOST };
int guest_parse_pid(void *field, const char *value, struct option_error *error);

/* Twelve random hexadecimal digits: the name of an image's command that is no cell. */
void guest_random_hostname(char hostname[HOSTNAME_SIZE]);

#define GUEST_NAMES_FILES 2u
/* Writes DIR/hostname and DIR/hosts, which is the machine's and a line for the name. Returns 0 or negative errno. */
int guest_names_write(const char *dir, const char *hostname) MUST_CHECK;
/* Their names in DIR, and in the tree. */
extern const char *const guest_names_files[GUEST_NAMES_FILES][2];

#endif
