/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A budget: money that is set aside before it can be spent. One file, shared by all steps and runs that spend from it, whatever processes they are.
 *
 *     budget_reserve()   before a call: the most that it can cost. Refused when that, what was spent and what others have set aside exceed the limit.
 *     the call
 *     budget_settle()    what it cost, by the provider's own account. A call whose account does not come is never settled: the reservation counts.
 *
 * The file grows by records of BUDGET_RECORD bytes, lines of text, each with its checksum:
 *
 *     reserve <number> <nano-dollars> <tokens> <run> <crc32>       the number counts records from 0
 *     settle  <number of the reservation> <nano-dollars> <tokens> <run> <crc32>
 *
 * A writer holds flock(2) from before it reads what others have written until its record is durable (fdatasync); so no two decide on the same money. A
 * reservation is durable before the call is made. What a crash leaves is on the safe side: a run that is killed leaves its reservation, which counts for
 * ever; a record that is torn (the file ends within it, or in zeros) was never acted upon, and the next writer cuts it off. A record that is whole and
 * wrong is damage, and the budget is refused (-EBADMSG), as is a file that was removed or replaced meanwhile (-ESTALE).
 *
 * A settlement above the reservation is charged in full, and ends its run, unless that has no limit at all: each further reservation of that run is refused.
 * The limit can be exceeded in this way only, by what the provider charged against the bound.
 */
#ifndef LICHEN_FLOW_BUDGET_H
#define LICHEN_FLOW_BUDGET_H

#include "base/types.h"

#define BUDGET_RECORD 128u            /* bytes */
#define BUDGET_RUN_MAX 47u            /* characters of a run's name: letters, digits, '.', '_', '-' */
#define BUDGET_RECORDS_MAX (1u << 20) /* of a file; then -EFBIG */

struct budget;

struct budget_limits {
	u64 cost;   /* nano-dollars, of all runs of the file; UINT64_MAX: none */
	u64 tokens; /* of this run; UINT64_MAX: none */
};

/* What a call costs, or the most that it can cost. */
struct budget_amount {
	u64 cost;   /* nano-dollars */
	u64 tokens; /* input and output */
};

struct budget_claim {
	u64 record;
	struct budget_amount amount;
};

struct budget_state {
	struct budget_limits limits;
	struct budget_amount spent;    /* settled, by all runs */
	struct budget_amount reserved; /* set aside and not settled, by all runs */
	struct budget_amount run;      /* this run's, settled or not */
	u64 calls;                     /* this run's reservations */
	bool over;                     /* this run was charged above a reservation */
};

/*
 * Opens or makes the file (mode 0600; its directory is there). Several threads may use one struct budget, and processes after fork() each their copy.
 * Returns 0; -EINVAL: the run's name; -EBADMSG: the file is damaged, or no budget; or what the file system says.
 */
int budget_open(const char *path, const char *run, const struct budget_limits *limits, struct budget **ret) MUST_CHECK;
void budget_close(struct budget *budget);

/*
 * Sets money aside, durably. Returns 0; -EDQUOT: it exceeds what is left; -E2BIG: the tokens exceed what the run has left; -ECANCELED: the run is over
 * (struct budget_state, over); -EBADMSG, -ESTALE, -EFBIG, or what the file system says: the call must not be made either.
 */
int budget_reserve(struct budget *budget, const struct budget_amount *most, struct budget_claim *ret_claim) MUST_CHECK;

/*
 * Puts what the call cost in the place of its reservation, durably; once for each. Returns 0; -EOVERFLOW: it was more than was set aside, it is charged,
 * and the run, which has a limit, is over; -EALREADY: it was settled before; or as above: then the reservation counts.
 */
int budget_settle(struct budget *budget, const struct budget_claim *claim, const struct budget_amount *cost) MUST_CHECK;

/* What stands in the file now. Returns 0 or as above. */
int budget_look(struct budget *budget, struct budget_state *ret) MUST_CHECK;

#endif
