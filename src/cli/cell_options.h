/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `lichen run` that make a command a cell: named, watched over, listed by `lichen ps`. */
#ifndef LICHEN_CLI_CELL_OPTIONS_H
#define LICHEN_CLI_CELL_OPTIONS_H

#include "cli/cells.h"
#include "cli/guest.h"
#include "cli/guest_image.h"
#include "cli/guest_root.h"
#include "cli/resource_options.h"
#include "host/cell_config.h"

struct cell_limit_list {
	struct launch_limit *limits;
	size_t count;
};

struct cell_restart_policy {
	enum cell_restart restart;
	u32 max;
	bool given;
};

struct cell_options {
	const char *name, *cidfile;
	bool detach, remove, interactive, tty;
	struct option_words labels;
	struct cell_limit_list limits;
	int stop_signal;  /* 0 = SIGTERM */
	s64 stop_timeout; /* seconds + 1; 0 = 10 seconds */
	s64 log_size;     /* bytes; 0 = CELL_LOG_SIZE_DEFAULT */
	struct cell_restart_policy restart;
	const char *user; /* --user: to be noted */
	struct resource_options resources;
	struct cells_keys keys;  /* --detach-keys */
	struct run_audit *audit; /* NULL = none (run_audit.h) */
};

/* Option rows for a command whose struct `type` has a struct cell_options `field`. */
/* clang-format off */
#define CELL_OPTIONS(type, field) \
	{ .name = "name", .value = "NAME", .offset = offsetof(type, field.name), .help = "call the cell so" }, \
	{ .name = "detach", .letter = 'd', .offset = offsetof(type, field.detach), \
	  .help = "run in the background, with output to `lichen logs`; print the cell's id" }, \
	{ .name = "rm", .offset = offsetof(type, field.remove), .help = "remove the cell when it has ended" }, \
	{ .name = "interactive", .letter = 'i', .offset = offsetof(type, field.interactive), \
	  .help = "with -t: let it read from our terminal; with -d: keep its standard input open" }, \
	{ .name = "tty", .letter = 't', .offset = offsetof(type, field.tty), \
	  .help = "give the command a terminal of its own" }, \
	{ .name = "label", .letter = 'l', .value = "KEY=VALUE", .offset = offsetof(type, field.labels), .parse = options_add_word, \
	  .rare = true, .help = "note this with the cell" }, \
	{ .name = "label-file", .value = "FILE", .offset = offsetof(type, field.labels), .parse = cell_parse_label_file, \
	  .rare = true, .help = "note what a file lists, KEY=VALUE a line" }, \
	{ .name = "cidfile", .value = "FILE", .offset = offsetof(type, field.cidfile), \
	  .rare = true, .help = "write the cell's id to this file, which must not be there" }, \
	{ .name = "ulimit", .value = "NAME=SOFT:HARD", .offset = offsetof(type, field.limits), .parse = cell_parse_ulimit, \
	  .rare = true, .help = "set a resource limit: nofile=1024, core=0:unlimited" }, \
	{ .name = "stop-signal", .value = "SIGNAL", .offset = offsetof(type, field.stop_signal), .parse = cell_parse_signal, \
	  .rare = true, .help = "what `lichen stop` sends first (TERM)" }, \
	{ .name = "stop-timeout", .value = "SECONDS", .offset = offsetof(type, field.stop_timeout), .parse = cell_parse_seconds, \
	  .rare = true, .help = "when `lichen stop` goes on to KILL (10)" }, \
	{ .name = "restart", .value = "POLICY", .offset = offsetof(type, field.restart), .parse = cell_parse_restart, .rare = true, \
	  .help = "no, on-failure[:N], always, unless-stopped: start CMD again when it ends" }, \
	{ .name = "log-size", .value = "BYTES", .offset = offsetof(type, field.log_size), .parse = cell_parse_size, \
	  .rare = true, .help = "keep so much output of a detached cell (16M)" }, \
	CELLS_KEYS_OPTION(type, field.keys, true), \
	RESOURCE_OPTIONS(type, field.resources, true)
/* clang-format on */

int cell_parse_label_file(void *field, const char *value, struct option_error *error);
int cell_parse_ulimit(void *field, const char *value, struct option_error *error);
int cell_parse_signal(void *field, const char *value, struct option_error *error);
int cell_parse_seconds(void *field, const char *value, struct option_error *error);
int cell_parse_restart(void *field, const char *value, struct option_error *error);
int cell_parse_size(void *field, const char *value, struct option_error *error);

/* Frees what parsing allocated. */
void cell_options_done(struct cell_options *given);

/* Whether any option asks for a cell. */
bool cell_wanted(const struct cell_options *given);

/*
 * Runs the command as a cell: launch and plans as `lichen run` made them. Returns the exit status: the command's; with --detach 0 when it has been
 * started. image: NULL, or whose command it is: then `root` is laid out here, what is changed goes into the cell's directory, and the image is
 * kept as long as the cell is.
 */
int cell_run_command(const struct command *command, const struct cell_options *given, const struct launch *launch,
		     const struct plan *plan, const struct native_plan *mechanisms, struct guest_root *root,
		     const struct guest_image *image);

#endif
