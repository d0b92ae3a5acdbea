/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of `lichen flow` share, and how runs are printed. */
#ifndef LICHEN_CLI_FLOW_CLI_H
#define LICHEN_CLI_FLOW_CLI_H

#include <jansson.h>
#include <limits.h>
#include <stdio.h>

#include "flow/flow_run.h"

struct flow_options {
	const char *directory, *config, *resume, *step;
	u32 weaker; /* bit per layer of the cage that may be missing */
	bool no_sandbox, json;
};

/* The words of the command line, the base directory, and config.yaml. */
struct flow_cli {
	const struct flow_options *given;
	char base[PATH_MAX]; /* absolute */
	char config_path[PATH_MAX];
	struct flow_config config;
	char *config_text;
};

/* Finds the base directory and reads config.yaml. 0, or an exit status, after saying why. */
int flow_cli_begin(struct flow_cli *cli);
void flow_cli_done(struct flow_cli *cli);

/* The verbs run, validate and init: they print. Each returns an exit status, after saying why. */
int flow_cli_run(struct flow_cli *cli, const char *file);
int flow_cli_validate(struct flow_cli *cli, const char *file);
int flow_cli_init(const char *directory);

/* One run as text, and a list of runs. */
void flow_print_run(const json_t *state, FILE *to);
void flow_print_list(const json_t *runs, FILE *to);

#endif
