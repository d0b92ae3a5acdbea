/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a budget: its lock, its records (budget.h tells their form), and what crashes leave of them. */
#ifndef LICHEN_FLOW_BUDGET_FILE_H
#define LICHEN_FLOW_BUDGET_FILE_H

#include <sys/types.h>

#include "flow/budget.h"

enum budget_record_kind {
	BUDGET_RESERVE,
	BUDGET_SETTLE,
};

struct budget_record {
	enum budget_record_kind kind;
	u64 number; /* its own place, or that of the reservation */
	struct budget_amount amount;
	char run[BUDGET_RUN_MAX + 1];
};

/* The descriptor is opened anew for each lock: a copy made by fork() would share the lock, and two would decide at once. */
struct budget_file {
	char *path;
	int fd; /* while it is locked, else FD_NONE */
	dev_t device;
	ino_t inode;
	u64 count; /* records that were read */
};

/* Makes the file if there is none, durably. Returns 0 or negative errno; budget_file_done() in any case. */
int budget_file_make(const char *path, struct budget_file *ret) MUST_CHECK;
void budget_file_done(struct budget_file *file);

/* Waits for the lock. Returns 0, or -ESTALE and others with nothing locked. */
int budget_file_lock(struct budget_file *file) MUST_CHECK;
void budget_file_unlock(struct budget_file *file);

/* Hands on the records that were not read yet. Returns 0, what `note` returned, or -EBADMSG. Under the lock, as all that follow. */
int budget_file_read(struct budget_file *file, int (*note)(void *user, u64 number, const struct budget_record *record),
		     void *user) MUST_CHECK;
/* The number of records. */
u64 budget_file_count(const struct budget_file *file);
/* Adds one behind what was read, and cuts off what is torn there. Returns when it is durable; after an error it is not there. */
int budget_file_append(struct budget_file *file, const struct budget_record *record) MUST_CHECK;

#endif
