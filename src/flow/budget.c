// SPDX-License-Identifier: Apache-2.0
/*
 * The budget's decisions, under the lock of its file (budget_file.h).
 *
 * What was read is kept: sums, and of each reservation that is not settled its amount. Each operation reads what was added since.
 */
#include "flow/budget.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "flow/budget_file.h"

struct budget {
	pthread_mutex_t mutex; /* of what follows; taken before the file's lock */
	struct budget_file file;
	struct budget_state state;
	char run[BUDGET_RUN_MAX + 1];
	struct open_claim {
		u64 record;
		struct budget_amount amount;
		bool own; /* of this run */
	} * open;
	size_t open_count, open_room;
};

static bool add(struct budget_amount *to, const struct budget_amount *amount)
{
	struct budget_amount sum;
	if (__builtin_add_overflow(to->cost, amount->cost, &sum.cost) ||
	    __builtin_add_overflow(to->tokens, amount->tokens, &sum.tokens))
		return false;
	*to = sum;
	return true;
}

/* What is subtracted has been added before. */
static void subtract(struct budget_amount *from, const struct budget_amount *amount)
{
	from->cost -= amount->cost;
	from->tokens -= amount->tokens;
}

static struct open_claim *find_open(struct budget *budget, u64 record)
{
	for (size_t i = 0; i < budget->open_count; i++)
		if (budget->open[i].record == record)
			return &budget->open[i];
	return NULL;
}

static int note_reserve(struct budget *budget, u64 number, const struct budget_record *record, bool own)
{
	if (record->number != number)
		return -EBADMSG;
	if (budget->open_count == budget->open_room) {
		size_t room = budget->open_room ? 2 * budget->open_room : 16;
		struct open_claim *longer = reallocarray(budget->open, room, sizeof(*longer));
		if (!longer)
			return -ENOMEM;
		budget->open = longer;
		budget->open_room = room;
	}
	if (!add(&budget->state.reserved, &record->amount) || (own && !add(&budget->state.run, &record->amount)))
		return -EBADMSG;
	budget->open[budget->open_count++] = (struct open_claim){ .record = number, .amount = record->amount, .own = own };
	budget->state.calls += own;
	return 0;
}

/* Without any limit costs are counted, and end nothing. */
static bool is_above(const struct budget *budget, const struct budget_amount *cost, const struct budget_amount *claim)
{
	bool limited = budget->state.limits.cost != UINT64_MAX || budget->state.limits.tokens != UINT64_MAX;
	return limited && (cost->cost > claim->cost || cost->tokens > claim->tokens);
}

static int note_settle(struct budget *budget, const struct budget_record *record, bool own)
{
	struct open_claim *claim = find_open(budget, record->number);
	if (!claim || claim->own != own)
		return -EBADMSG;
	if (own && is_above(budget, &record->amount, &claim->amount))
		budget->state.over = true;
	subtract(&budget->state.reserved, &claim->amount);
	if (own)
		subtract(&budget->state.run, &claim->amount);
	*claim = budget->open[--budget->open_count];
	if (!add(&budget->state.spent, &record->amount) || (own && !add(&budget->state.run, &record->amount)))
		return -EBADMSG;
	return 0;
}

static int note(void *user, u64 number, const struct budget_record *record)
{
	struct budget *budget = user;
	bool own = strcmp(record->run, budget->run) == 0;
	return record->kind == BUDGET_RESERVE ? note_reserve(budget, number, record, own) : note_settle(budget, record, own);
}

/* Adds a record, durably, and takes note of it. */
static int append(struct budget *budget, struct budget_record *record)
{
	memcpy(record->run, budget->run, sizeof(record->run));
	int error = budget_file_append(&budget->file, record);
	return error ? error : budget_file_read(&budget->file, note, budget);
}

static int lock_and_read(struct budget *budget)
{
	pthread_mutex_lock(&budget->mutex);
	int error = budget_file_lock(&budget->file);
	return error ? error : budget_file_read(&budget->file, note, budget);
}

static void unlock(struct budget *budget)
{
	budget_file_unlock(&budget->file);
	pthread_mutex_unlock(&budget->mutex);
}

/* Is what is in use already, and so much more, within the limit? */
static bool fits(u64 used, u64 set_aside, u64 more, u64 limit)
{
	u64 sum;
	return !__builtin_add_overflow(used, set_aside, &sum) && !__builtin_add_overflow(sum, more, &sum) && sum <= limit;
}

static int decide(const struct budget_state *state, const struct budget_amount *most)
{
	if (state->over)
		return -ECANCELED;
	if (!fits(state->spent.cost, state->reserved.cost, most->cost, state->limits.cost))
		return -EDQUOT;
	if (!fits(state->run.tokens, 0, most->tokens, state->limits.tokens) ||
	    !fits(state->spent.tokens, state->reserved.tokens, most->tokens, UINT64_MAX))
		return -E2BIG;
	return 0;
}

int budget_reserve(struct budget *budget, const struct budget_amount *most, struct budget_claim *ret_claim)
{
	struct budget_record record = { .kind = BUDGET_RESERVE, .amount = *most };
	int error = lock_and_read(budget);
	if (!error)
		error = decide(&budget->state, most);
	record.number = budget_file_count(&budget->file);
	if (!error)
		error = append(budget, &record);
	unlock(budget);
	if (!error)
		*ret_claim = (struct budget_claim){ .record = record.number, .amount = *most };
	return error;
}

/* A charge beyond all bounds is one up to what can be counted: the sums must not wrap, and the run is over in any case. */
static struct budget_amount countable(const struct budget_state *state, const struct budget_amount *cost)
{
	struct budget_amount most = { .cost = UINT64_MAX - state->spent.cost, .tokens = UINT64_MAX - state->spent.tokens };
	if (most.cost > UINT64_MAX - state->run.cost)
		most.cost = UINT64_MAX - state->run.cost;
	if (most.tokens > UINT64_MAX - state->run.tokens)
		most.tokens = UINT64_MAX - state->run.tokens;
	return (struct budget_amount){
		.cost = cost->cost < most.cost ? cost->cost : most.cost,
		.tokens = cost->tokens < most.tokens ? cost->tokens : most.tokens,
	};
}

int budget_settle(struct budget *budget, const struct budget_claim *claim, const struct budget_amount *cost)
{
	int error = lock_and_read(budget);
	bool more = is_above(budget, cost, &claim->amount);
	if (!error) {
		struct budget_record record = {
			.kind = BUDGET_SETTLE,
			.number = claim->record,
			.amount = countable(&budget->state, cost),
		};
		error = find_open(budget, claim->record) ? append(budget, &record) : -EALREADY;
	}
	unlock(budget);
	return error ? error : more ? -EOVERFLOW : 0;
}

int budget_look(struct budget *budget, struct budget_state *ret)
{
	int error = lock_and_read(budget);
	if (!error)
		*ret = budget->state;
	unlock(budget);
	return error;
}

static bool run_is_named(const char *run)
{
	size_t length = strlen(run);
	return length > 0 && length <= BUDGET_RUN_MAX &&
	       strspn(run, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

int budget_open(const char *path, const char *run, const struct budget_limits *limits, struct budget **ret)
{
	struct budget_state state;
	if (!run_is_named(run))
		return -EINVAL;
	struct budget *budget = calloc(1, sizeof(*budget));
	if (!budget)
		return -ENOMEM;
	pthread_mutex_init(&budget->mutex, NULL);
	memcpy(budget->run, run, strlen(run) + 1);
	budget->state.limits = *limits;
	int error = budget_file_make(path, &budget->file);
	if (!error)
		error = budget_look(budget, &state);
	if (error) {
		budget_close(budget);
		return error;
	}
	*ret = budget;
	return 0;
}

void budget_close(struct budget *budget)
{
	if (!budget)
		return;
	budget_file_done(&budget->file);
	pthread_mutex_destroy(&budget->mutex);
	free(budget->open);
	free(budget);
}
