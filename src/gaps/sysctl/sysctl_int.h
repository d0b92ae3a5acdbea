/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sysctl gap's agent half. */
#ifndef LICHEN_GAPS_SYSCTL_INT_H
#define LICHEN_GAPS_SYSCTL_INT_H

#include "agent/vfs.h"
#include "gaps/sysctl/sysctl_table.h"

static inline struct sysctl_area *sysctl_area(void)
{
	return commons_area(GAP_sysctl);
}

/* A value: which row, of which interface. Files that are two names of one variable have one key: sysctl_key(). */
struct sysctl_key {
	u32 row;
	char instance[SYSCTL_INSTANCE_SIZE];
};

/* --- values written in this cell (sysctl_store.c) ------------------------------------------------------------------------------------- */

/* The value that was written for this very key: its text, NUL-terminated, and its length, or -ENOENT. text: SYSCTL_WIDE_SIZE bytes for
 * a BITMAP, else SYSCTL_TEXT_SIZE. text may be NULL: only whether there is one. */
long sysctl_store_get(const struct sysctl_key *key, char *text) MUST_CHECK;
/* Stores a value; the writers' lock is held. 0 or -ENOMEM. */
int sysctl_store_set(const struct sysctl_key *key, const char *text) MUST_CHECK;
/* Sets every value that is there for some interface of a row; the writers' lock is held. */
void sysctl_store_set_all(u32 row, const char *text);

/* --- what is not in the table (sysctl_truth.c) ------------------------------------------------------------------------------------------ */

/* What a read says before the first write: length. `text` has SYSCTL_TEXT_SIZE bytes. */
u64 sysctl_truth(const struct sysctl_key *key, char *text);

/* --- network interfaces (sysctl_links.c) -------------------------------------------------------------------------------------------------- */

/* Whether the caller's network namespace has an interface of that name. */
bool sysctl_link_exists(const char *name) MUST_CHECK;
/* The n-th interface, counted from 0; false behind the last. */
bool sysctl_link_at(u32 n, char name[SYSCTL_INSTANCE_SIZE]) MUST_CHECK;

/* --- rules between values (sysctl_rules.c) ------------------------------------------------------------------------------------------------- */

void sysctl_key_of(const struct sysctl_found *found, struct sysctl_key *key);
/* What was written for the key, or for one that it follows (an interface follows "default"): length or -ENOENT. */
long sysctl_written(const struct sysctl_key *key, char *text) MUST_CHECK;
/* The same, then the kernel's own, then the table's: never fails. Returns the length. */
u64 sysctl_current(const struct sysctl_key *key, char *text);
/* Applies a write under the lock, with what follows from it for other values. Bytes taken or negative errno. */
long sysctl_apply(const struct sysctl_key *key, struct sysctl_write *write, char *text, u64 room) MUST_CHECK;

#endif
