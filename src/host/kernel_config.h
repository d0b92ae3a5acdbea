/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a kernel's configuration (.config, /proc/config.gz, /boot/config-*, a defconfig) and says what a workload misses in it. The
 * knowledge is kernel_config.def.
 *
 * A configuration that Kconfig has written names every option that can be switched; what it does not name is off. A defconfig or a fragment
 * names only what differs from the defaults; what it does not name is taken at its default, and what it switches on without the
 * options that this depends on counts as off, as Kconfig drops it without a word.
 */
#ifndef LICHEN_HOST_KERNEL_CONFIG_H
#define LICHEN_HOST_KERNEL_CONFIG_H

#include "gaps/registry.h"

#define KERNEL_CONFIG_MAX (16u * 1024 * 1024) /* bytes of a configuration, compressed or not; real ones have 0.3 MiB */
#define CONFIG_ROWS_MAX 128                   /* more than kernel_config.def has needs */

enum config_value {
	CONFIG_OFF,
	CONFIG_MODULE,
	CONFIG_ON,
};

/* One line of a configuration. */
struct config_line {
	const char *name; /* without CONFIG_; not terminated */
	u32 length;
	enum config_value value;
};

struct kernel_config {
	char *text;
	struct config_line *lines; /* sorted by name; of two about one option the last counts */
	size_t line_count;
	bool whole; /* written by Kconfig: names every option */
};

/*
 * Takes a configuration apart. Owns `text` (from malloc) from then on, also on failure. Returns 0; -EINVAL when line *ret_line is neither
 * setting, comment nor empty; -EILSEQ when there is a NUL byte: a binary; -ENOMSG when no option is named at all; -ENOMEM.
 */
int kernel_config_parse(char *text, size_t size, struct kernel_config *ret_config, unsigned *ret_line) MUST_CHECK;

/*
 * The same for a file, or standard input ("-"), compressed by gzip or not. Returns also -EFBIG when it is longer than KERNEL_CONFIG_MAX,
 * -EBADMSG when the compressed data is damaged or cut short, or the negative errno of reading it.
 */
int kernel_config_read(const char *path, struct kernel_config *ret_config, unsigned *ret_line) MUST_CHECK;

/* Expands what gzip made; for tests. Returns 0 with *ret_text (malloc, the caller's) or -EBADMSG, -EFBIG, -ENOMEM. */
int kernel_config_expand(const u8 *data, size_t size, char **ret_text, size_t *ret_size) MUST_CHECK;

void kernel_config_done(struct kernel_config *config);

/* --- advice ------------------------------------------------------------------------------------------------------------------- */

enum config_level {
	CONFIG_REQUIRED,
	CONFIG_OPTIONAL,
};

/* A row of kernel_config.def. */
struct config_need {
	const char *options, *workloads, *why, *source;
	enum config_level level;
	int gap; /* -1: none */
};

struct config_row {
	const struct config_need *need;
	enum config_value value; /* of the whole expression */
	bool filled;             /* off, and lichen fills the gap */
	char missing[256];       /* off: what to switch on, "NETDEVICES NET_CORE VETH", prerequisites first; the shortest way */
	char dropped[64];        /* off though it is set: the option that Kconfig drops; else empty */
};

struct config_advice {
	struct config_row rows[CONFIG_ROWS_MAX]; /* the worst first: required and not filled, filled, optional, modules, built in */
	size_t count;
	size_t unmet; /* required, off, and not filled */
};

/*
 * What a workload needs: a name of workload_names, or NULL and the gaps that a program or a file of features needs (GAPS_ALL: everything).
 * When lichen is to fill something, what it needs itself is added. `built` is gaps_built().
 */
void kernel_config_advise(const struct kernel_config *config, const char *workload, u32 gaps, u32 built,
			  struct config_advice *ret_advice);

/* The value of an expression of kernel_config.def. */
enum config_value kernel_config_value(const struct kernel_config *config, const char *options);

#endif
