/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of lichen: one cmd_*.c each, listed by hand in main.c. */
#ifndef LICHEN_CLI_COMMANDS_H
#define LICHEN_CLI_COMMANDS_H

#include "cli/options.h"

extern const struct command command_run;
extern const struct command command_doctor;
extern const struct command command_why;
extern const struct command command_image;
extern const struct command command_images;
extern const struct command command_pull;
extern const struct command command_exec;
extern const struct command command_ps;
extern const struct command command_top;
extern const struct command command_logs;
extern const struct command command_stop;
extern const struct command command_kill;
extern const struct command command_wait;
extern const struct command command_attach;
extern const struct command command_rm;
extern const struct command command_diff;
extern const struct command command_commit;
extern const struct command command_cp;
extern const struct command command_export;
extern const struct command command_stats;
extern const struct command command_pause;
extern const struct command command_unpause;
extern const struct command command_update;
extern const struct command command_rename;
extern const struct command command_volume;
extern const struct command command_system;
extern const struct command command_audit;
extern const struct command command_cage;
extern const struct command command_oci;
extern const struct command command_pii;
extern const struct command command_flow;
extern const struct command command_init; /* not listed: what --init runs in a guest */
extern const struct command command_inspect;
extern const struct command command_up;
extern const struct command command_down;
extern const struct command command_restart;
extern const struct command command_reload;
extern const struct command command_status;
extern const struct command command_load;
extern const struct command command_save;
extern const struct command command_tag;
extern const struct command command_rmi;

/*
 * Parses a command's own options. Returns -1 when the command goes on; else the exit status: --help was printed (0), or the command
 * line is wrong, which has been said on stderr (command->usage_status).
 */
int command_parse(const struct command *command, int argc, char **argv, void *into, int *ret_first);

/* Says "lichen NAME: TEXT" and where help is on stderr. Returns command->usage_status. */
int command_usage(const struct command *command, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same, of a word that is none of a command's actions (NULL: none was given); `actions` lists them: "df or prune". */
int command_no_action(const struct command *command, const char *word, const char *actions);

/* Flushes stdout. Returns `status`, or LICHEN_EXIT_IO when what was printed could not be written, which is said on stderr. */
int command_flush(int status);

#endif
