/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands about cells share: finding one by what was typed, and saying why not. */
#ifndef LICHEN_CLI_CELLS_H
#define LICHEN_CLI_CELLS_H

#include "cli/commands.h"
#include "host/cell_store.h"
#include "host/detach_keys.h"

/* The exit status of a command about cells that could not do it: docker's. */
#define CELLS_FAILED 1

/* A cell that was found. */
struct cell_found {
	char id[CELL_ID_SIZE];
	int dir;
	json_t *config; /* NULL: its config.json is damaged */
	struct cell_state state;
};
#define CELL_FOUND_NONE ((struct cell_found){ .dir = FD_NONE })

/* Opens the directory of cells. A descriptor; or negative, after saying what is wrong. */
int cells_open(const struct command *command);

/* Finds a cell by name, id or the beginning of an id. 0; or negative errno, after saying what is wrong. */
int cells_find(const struct command *command, int store, const char *word, struct cell_found *ret);
/* The same by its id, without a word. */
int cells_get(int store, const char *id, struct cell_found *ret) MUST_CHECK;
void cells_done(struct cell_found *found);
/* Ends what is left of a cell whose monitor was killed. 0, or -EBUSY: it does not end. */
int cells_clear_up(const struct cell_found *found);

/* Says "lichen NAME: cell 'WORD': TEXT". Returns CELLS_FAILED. */
int cells_say(const struct command *command, const char *word, const char *format, ...) PRINTF_LIKE(3, 4);

/* Runs `act` for each word, all of them whatever becomes of the others. Returns the exit status: 0, or CELLS_FAILED when any returned so. */
int cells_each(const struct command *command, int count, char **words, int (*act)(int store, const char *word, void *data),
	       void *data);

/* Removes a cell that does not run, and what a killed monitor left of it; force: one that runs, too. 0, -EBUSY: it runs; -ENOENT; negative errno. (cmd_rm.c) */
int cells_remove(int store, const struct cell_found *found, bool force) MUST_CHECK;

/* The ids of cells by the named volumes that they were made with, {"NAME": ["ID"]}, also of cells that have ended. NULL after saying what is wrong.
 * (cmd_volume.c) */
json_t *volume_users(const struct command *command) MUST_CHECK;

/* What `lichen inspect` prints of a cell (docs/cell-json.md). NULL without memory. */
json_t *cells_json(const struct cell_found *found) MUST_CHECK;

/* "Up 3 minutes", "Exited (0) 2 hours ago". Returns `text`. */
const char *cells_status(const struct cell_found *found, char *text, size_t size);
/* "3 minutes". Returns `text`. */
const char *cells_duration(s64 nanoseconds, char *text, size_t size);
s64 cells_now(void);

/* The environment of a cell's processes: which cell that is, is in it, so that they are found when nothing else tells. The words are not copied;
 * the array is the caller's, its last word lives as long as the process. NULL without memory. */
char **cells_env(char *const *envp, const char *id);
void cells_env_free(char **env);

/* --detach-keys of the commands that attach. */
struct cells_keys {
	struct detach_keys keys;
	bool given;
};
int cells_parse_keys(void *field, const char *value, struct option_error *error);
/* Those that were given, else docker's. */
struct detach_keys cells_keys(const struct cells_keys *given);
/* Says that it goes on without us, and which cell that is. */
void cells_say_detached(const struct command *command, const char *what, const char *back);
/* clang-format off */
#define CELLS_KEYS_OPTION(type, field, is_rare) \
	{ .name = "detach-keys", .value = "KEYS", .may_be_empty = true, .offset = offsetof(type, field), .parse = cells_parse_keys, .rare = (is_rare), \
	  .help = "the keys that detach (ctrl-p,ctrl-q); empty: none" }
/* clang-format on */

/* A signal as kill -l names it, or its number; 0 = unknown. */
int cell_signal_number(const char *name);

#endif
