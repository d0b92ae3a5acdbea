/* SPDX-License-Identifier: Apache-2.0 */
/* Names of cells. */
#ifndef LICHEN_HOST_CELL_NAME_H
#define LICHEN_HOST_CELL_NAME_H

#include "host/cell_config.h"

/* Makes one up: a word for how, and a genus of lichens; with a number behind it where that is not enough. 0 or negative errno. */
int cell_name_generate(char name[CELL_NAME_MAX + 1], bool numbered) MUST_CHECK;

/* Whether a cell may be called so: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most CELL_NAME_MAX. */
bool cell_name_valid(const char *name);

#endif
