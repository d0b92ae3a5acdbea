/* SPDX-License-Identifier: Apache-2.0 */
/* What a cell was made with: its file config.json. docs/cell-json.md describes the members. */
#ifndef LICHEN_HOST_CELL_CONFIG_H
#define LICHEN_HOST_CELL_CONFIG_H

#include <jansson.h>

#include "base/types.h"
#include "host/launch.h"
#include "host/native_plan.h"
#include "host/plan.h"

#define CELL_ID_SIZE 13u /* 12 hexadecimal digits */
#define CELL_NAME_MAX 64u

enum cell_restart {
	CELL_RESTART_NO,
	CELL_RESTART_ON_FAILURE,
	CELL_RESTART_ALWAYS,
	CELL_RESTART_UNLESS_STOPPED,
};

struct cell_enforcement;
struct cell_resources;
struct cell_tree;

struct cell_config {
	char id[CELL_ID_SIZE];
	char name[CELL_NAME_MAX + 1];
	s64 created; /* nanoseconds since 1970 */
	char *const *argv, *const *env;
	const char *workdir;       /* absolute */
	const char *const *labels; /* KEY=VALUE, NULL-terminated; may be NULL */
	const struct launch_limit *limits;
	size_t limit_count;
	int stop_signal;  /* what `lichen stop` begins with */
	u32 stop_timeout; /* seconds until it goes on with SIGKILL */
	enum cell_restart restart;
	u32 restart_max; /* of CELL_RESTART_ON_FAILURE; 0 = no end */
	bool detached, remove, interactive, tty;
	const char *user; /* as it was asked for; NULL = not, or as the image says */
	bool network_none, init;
	u64 log_size; /* bytes that the log may take */
	const struct plan *plan;
	const struct cell_resources *resources;
	const struct cell_enforcement *enforcement; /* how they are kept; NULL with `resources` */
	const struct cell_tree *tree;               /* NULL = the machine's own */
	const struct native_plan *mechanisms;       /* who makes its tree; NULL: nobody */
};

/* The file's content; NULL without memory. */
json_t *cell_config_json(const struct cell_config *config) MUST_CHECK;

const char *cell_restart_name(enum cell_restart restart);

/*
 * Strings of the kernel in JSON: any bytes are kept. What is not UTF-8, byte by byte, becomes U+EF80 and following (as MirBSD's OPTU-8 has
 * it), and so do those characters themselves. cell_text_json() gives a JSON string, cell_text_bytes() the bytes (malloc); NULL without memory.
 */
json_t *cell_text_json(const char *bytes) MUST_CHECK;
char *cell_text_bytes(const json_t *string) MUST_CHECK;

/* A NULL-terminated array of such strings from a member of `object`; freed by cell_strings_free(). NULL: no memory, or no such member. */
char **cell_strings(const json_t *object, const char *member) MUST_CHECK;
void cell_strings_free(char **strings);

/* The limits of config.json; free(3) them. 0 or negative errno. */
int cell_limits(const json_t *config, struct launch_limit **ret, size_t *ret_count) MUST_CHECK;

#endif
