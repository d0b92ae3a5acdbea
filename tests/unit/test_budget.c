// SPDX-License-Identifier: Apache-2.0
/*
 * Budgets: amounts and prices to the last nano-dollar; what is refused; what crashes leave; and that processes which reserve, settle and are killed at
 * random never have more set aside than there is. Over 600 lines: all of it works on one file, and one history of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flow/budget_file.h"
#include "flow/model_price.h"
#include "flow/money.h"
#include "unit.h"

#define NONE UINT64_MAX

static char dir[] = "/tmp/lichen-budget.XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/budget", dir);
	if (unlink(path) && errno != ENOENT)
		return -1;
	return 0;
}

static struct budget *open_as(const char *run, u64 cost, u64 tokens)
{
	struct budget *budget;
	assert_int_equal(budget_open(path, run, &(struct budget_limits){ .cost = cost, .tokens = tokens }, &budget), 0);
	return budget;
}

static struct budget_state look(struct budget *budget)
{
	struct budget_state state;
	assert_int_equal(budget_look(budget, &state), 0);
	return state;
}

static struct budget_amount amount(u64 cost, u64 tokens)
{
	return (struct budget_amount){ .cost = cost, .tokens = tokens };
}

static int reserve(struct budget *budget, u64 cost, u64 tokens, struct budget_claim *ret)
{
	struct budget_amount most = amount(cost, tokens);
	return budget_reserve(budget, &most, ret);
}

static int settle(struct budget *budget, const struct budget_claim *claim, u64 cost, u64 tokens)
{
	struct budget_amount is = amount(cost, tokens);
	return budget_settle(budget, claim, &is);
}

/* --- money and prices ------------------------------------------------------------------------------------------------------------- */

static void dollars_are_read_exactly(void **state)
{
	static const struct {
		const char *text;
		int error;
		u64 nano;
		const char *back;
	} rows[] = {
		{ "1.0", 0, 1000000000, "1.00" },
		{ "1", 0, 1000000000, "1.00" },
		{ "0", 0, 0, "0.00" },
		{ "0.1", 0, 100000000, "0.10" },
		{ "0.000000001", 0, 1, "0.000000001" },
		{ "0.0000000010", 0, 1, "0.000000001" },
		{ "00.15", 0, 150000000, "0.15" },
		{ "2.675", 0, 2675000000, "2.675" },
		{ "18446744073.709551615", 0, UINT64_MAX, "18446744073.709551615" },
		{ "18446744073.709551616", -ERANGE, 0, NULL },
		{ "18446744074", -ERANGE, 0, NULL },
		{ "99999999999999999999999", -ERANGE, 0, NULL },
		{ "0.0000000001", -ERANGE, 0, NULL },
		{ "", -EINVAL, 0, NULL },
		{ ".5", -EINVAL, 0, NULL },
		{ "1.", -EINVAL, 0, NULL },
		{ "-1", -EINVAL, 0, NULL },
		{ "+1", -EINVAL, 0, NULL },
		{ "1e3", -EINVAL, 0, NULL },
		{ " 1", -EINVAL, 0, NULL },
		{ "1 ", -EINVAL, 0, NULL },
		{ "1,0", -EINVAL, 0, NULL },
		{ "nan", -EINVAL, 0, NULL },
		{ "0x1", -EINVAL, 0, NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 nano = 77;
		char text[MONEY_TEXT];
		assert_int_equal(money_parse(rows[i].text, &nano), rows[i].error);
		assert_true(nano == (rows[i].error ? 77 : rows[i].nano));
		if (rows[i].back)
			assert_string_equal(money_text(nano, text), rows[i].back);
	}
}

static void models_are_known_by_name_and_date(void **state)
{
	static const char *const names[] = {
#define MODEL_PRICE(name, input, output) name,
#include "flow/model_price.def"
#undef MODEL_PRICE
	};
	struct model_price price;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(model_price_find(names[i], &price), 0);
	assert_int_equal(model_price_find("gpt-4o-mini", &price), 0);
	assert_int_equal(price.input, 150000000);
	assert_int_equal(price.output, 600000000);
	assert_int_equal(model_price_find("gpt-4o-mini-2024-07-18", &price), 0);
	assert_int_equal(price.input, 150000000);
	assert_int_equal(model_price_find("gpt-4o-2024-05-13", &price), 0);
	assert_int_equal(price.input, 5000000000ull);
	assert_int_equal(price.output, 15000000000ull);
	assert_int_equal(model_price_find("gpt-4o-2024-08-06", &price), 0);
	assert_int_equal(price.input, 2500000000ull);
	assert_int_equal(model_price_find("claude-sonnet-4-5-20250929", &price), 0);
	assert_int_equal(price.output, 15000000000ull);
	assert_int_equal(model_price_find("claude-3-5-haiku-latest", &price), 0);
	static const char *const unknown[] = {
		"",
		"gpt",
		"gpt-4o-realtime",
		"gpt-4o-mini-",
		"gpt-4o-mini-2024",
		"gpt-4o-mini-2024-07-1x",
		"GPT-4o",
		"gpt-4o ",
		"o",
		"claude-sonnet-4-5-thinking",
	};
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		assert_int_equal(model_price_find(unknown[i], &price), -ENOENT);
}

static void costs_are_rounded_up_and_never_wrap(void **state)
{
	const struct model_price mini = { .input = 150000000, .output = 600000000 };
	const struct model_price most = { .input = UINT64_MAX, .output = UINT64_MAX }, fine = { .input = 1, .output = 0 };
	u64 nano = 7;
	(void)state;
	assert_int_equal(model_price_cost(&mini, 1000000, 0, &nano), 0);
	assert_int_equal(nano, 150000000);
	assert_int_equal(model_price_cost(&mini, 1, 1, &nano), 0);
	assert_int_equal(nano, 750);
	assert_int_equal(model_price_cost(&fine, 1, 0, &nano), 0);
	assert_int_equal(nano, 1);
	assert_int_equal(model_price_cost(&fine, 1000001, 0, &nano), 0);
	assert_int_equal(nano, 2);
	assert_int_equal(model_price_cost(&most, 0, 0, &nano), 0);
	assert_int_equal(nano, 0);
	assert_int_equal(model_price_cost(&most, 1000000, 0, &nano), 0);
	assert_true(nano == UINT64_MAX);
	nano = 7;
	assert_int_equal(model_price_cost(&most, 1000001, 0, &nano), -EOVERFLOW);
	assert_int_equal(model_price_cost(&most, UINT64_MAX, UINT64_MAX, &nano), -EOVERFLOW);
	assert_int_equal(nano, 7);
}

/* --- decisions -------------------------------------------------------------------------------------------------------------------- */

static void what_exceeds_the_rest_is_refused(void **state)
{
	struct budget *budget = open_as("a", 1000, NONE);
	struct budget_claim one, two;
	(void)state;
	assert_int_equal(reserve(budget, 1001, 1, &one), -EDQUOT);
	assert_int_equal(reserve(budget, UINT64_MAX, 1, &one), -EDQUOT);
	assert_int_equal(reserve(budget, 600, 1, &one), 0);
	assert_int_equal(reserve(budget, 401, 1, &two), -EDQUOT);
	assert_int_equal(reserve(budget, 400, 1, &two), 0);
	assert_int_equal(reserve(budget, 1, 1, &two), -EDQUOT);
	assert_int_equal(reserve(budget, 0, 0, &two), 0);
	assert_int_equal(settle(budget, &one, 100, 1), 0);
	assert_int_equal(settle(budget, &one, 100, 1), -EALREADY);
	assert_int_equal(reserve(budget, 501, 1, &two), -EDQUOT);
	assert_int_equal(reserve(budget, 500, 1, &two), 0);
	struct budget_state now = look(budget);
	assert_int_equal(now.spent.cost, 100);
	assert_int_equal(now.reserved.cost, 900);
	assert_int_equal(now.run.cost, 1000);
	assert_int_equal(now.calls, 4);
	assert_false(now.over);
	budget_close(budget);
	budget = open_as("a", 1000, NONE);
	assert_memory_equal(&(struct budget_state[]){ look(budget) }, &now, sizeof(now));
	budget_close(budget);
}

static void tokens_of_a_run_have_a_limit_of_their_own(void **state)
{
	struct budget *a = open_as("a", NONE, 100), *b = open_as("b", NONE, 100);
	struct budget_claim claim;
	(void)state;
	assert_int_equal(reserve(a, 0, 101, &claim), -E2BIG);
	assert_int_equal(reserve(a, 0, 90, &claim), 0);
	assert_int_equal(reserve(a, 0, 11, &claim), -E2BIG);
	assert_int_equal(reserve(b, 0, 100, &claim), 0);
	assert_int_equal(look(a).run.tokens, 90);
	assert_int_equal(look(a).reserved.tokens, 190);
	budget_close(a);
	budget_close(b);
}

static void a_charge_above_the_reservation_ends_its_run(void **state)
{
	struct budget *a = open_as("a", 10000, NONE), *b = open_as("b", 10000, NONE);
	struct budget_claim claim, other;
	(void)state;
	assert_int_equal(reserve(a, 100, 10, &claim), 0);
	assert_int_equal(reserve(a, 100, 10, &other), 0);
	assert_int_equal(settle(a, &claim, 101, 10), -EOVERFLOW);
	assert_int_equal(reserve(a, 1, 1, &claim), -ECANCELED);
	assert_int_equal(settle(a, &other, 50, 5), 0);
	assert_int_equal(look(a).spent.cost, 151);
	assert_true(look(a).over);
	assert_false(look(b).over);
	assert_int_equal(reserve(b, 1, 1, &claim), 0);
	/* more tokens at no price are as wrong */
	assert_int_equal(settle(b, &claim, 0, 2), -EOVERFLOW);
	assert_int_equal(reserve(b, 1, 1, &claim), -ECANCELED);
	budget_close(a);
	budget_close(b);
}

static void without_a_limit_a_charge_ends_nothing(void **state)
{
	struct budget *a = open_as("a", NONE, NONE), *b = open_as("b", NONE, 1000);
	struct budget_claim claim;
	(void)state;
	assert_int_equal(reserve(a, 100, 10, &claim), 0);
	assert_int_equal(settle(a, &claim, 101, 11), 0);
	assert_false(look(a).over);
	assert_int_equal(look(a).spent.cost, 101);
	assert_int_equal(reserve(a, 1, 1, &claim), 0);
	assert_int_equal(reserve(b, 100, 10, &claim), 0);
	assert_int_equal(settle(b, &claim, 101, 11), -EOVERFLOW);
	budget_close(a);
	budget_close(b);
}

static void absurd_charges_neither_wrap_nor_vanish(void **state)
{
	struct budget *a = open_as("a", 1000, NONE), *b = open_as("b", 1000, NONE);
	struct budget_claim claim;
	(void)state;
	assert_int_equal(reserve(b, 10, 10, &claim), 0);
	assert_int_equal(settle(b, &claim, 5, 5), 0);
	assert_int_equal(reserve(a, 10, 10, &claim), 0);
	assert_int_equal(settle(a, &claim, UINT64_MAX, UINT64_MAX), -EOVERFLOW);
	assert_true(look(a).spent.cost >= UINT64_MAX - 20);
	assert_int_equal(reserve(b, 0, 0, &claim), -EDQUOT);
	assert_int_equal(reserve(b, 1, 1, &claim), -EDQUOT);
	budget_close(a);
	budget_close(b);
}

static void names_of_runs_are_checked(void **state)
{
	struct budget *budget;
	const struct budget_limits limits = { .cost = 1, .tokens = 1 };
	char longest[BUDGET_RUN_MAX + 2];
	(void)state;
	assert_int_equal(budget_open(path, "", &limits, &budget), -EINVAL);
	assert_int_equal(budget_open(path, "a b", &limits, &budget), -EINVAL);
	assert_int_equal(budget_open(path, "a\n", &limits, &budget), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[BUDGET_RUN_MAX + 1] = '\0';
	assert_int_equal(budget_open(path, longest, &limits, &budget), -EINVAL);
	longest[BUDGET_RUN_MAX] = '\0';
	assert_int_equal(budget_open(path, longest, &limits, &budget), 0);
	struct budget_claim claim;
	assert_int_equal(reserve(budget, 1, 1, &claim), 0);
	budget_close(budget);
	assert_int_equal(budget_open(dir, "a", &limits, &budget), -EISDIR);
	assert_int_equal(budget_open("/nonexistent/budget", "a", &limits, &budget), -ENOENT);
}

/* --- the file --------------------------------------------------------------------------------------------------------------------- */

static size_t read_file(char *to, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, to, room);
	close(fd);
	assert_true(n >= 0);
	return (size_t)n;
}

static void write_file(const char *from, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, from, size), size);
	close(fd);
}

/* Three records: 100 set aside, 60 set aside, the first settled to 30. */
static size_t three_records(char *to, size_t room)
{
	struct budget *budget = open_as("a", 1000, NONE);
	struct budget_claim one, two;
	assert_int_equal(reserve(budget, 100, 10, &one), 0);
	assert_int_equal(reserve(budget, 60, 6, &two), 0);
	assert_int_equal(settle(budget, &one, 30, 3), 0);
	budget_close(budget);
	size_t size = read_file(to, room);
	assert_int_equal(size, 3 * BUDGET_RECORD);
	return size;
}

/* Wherever a write ends, whole records count and nothing else does; and the next record lands where it belongs. */
static void a_torn_record_is_cut_off(void **state)
{
	static const u64 counts[] = { 0, 100, 160, 90 };
	char bytes[4 * BUDGET_RECORD];
	(void)state;
	size_t size = three_records(bytes, sizeof(bytes));
	for (size_t end = 0; end <= size; end++) {
		for (int zeros = 0; zeros < 2; zeros++) {
			char torn[4 * BUDGET_RECORD] = { 0 };
			size_t whole = end / BUDGET_RECORD;
			memcpy(torn, bytes, zeros ? whole * BUDGET_RECORD : end);
			write_file(torn, end);
			struct budget *budget = open_as("b", 1000, NONE);
			struct budget_claim claim;
			struct budget_state now = look(budget);
			assert_int_equal(now.spent.cost + now.reserved.cost, counts[whole]);
			assert_int_equal(reserve(budget, 1, 1, &claim), 0);
			assert_int_equal(claim.record, whole);
			budget_close(budget);
			budget = open_as("c", 1000, NONE);
			now = look(budget);
			assert_int_equal(now.spent.cost + now.reserved.cost, counts[whole] + 1);
			budget_close(budget);
		}
	}
}

static void damage_is_refused(void **state)
{
	char bytes[4 * BUDGET_RECORD];
	const struct budget_limits limits = { .cost = NONE, .tokens = NONE };
	struct budget *budget;
	(void)state;
	size_t size = three_records(bytes, sizeof(bytes));
	for (size_t at = 0; at < size; at++) {
		char damaged[sizeof(bytes)];
		memcpy(damaged, bytes, size);
		damaged[at] ^= 1;
		write_file(damaged, size);
		assert_int_equal(budget_open(path, "b", &limits, &budget), -EBADMSG);
	}
	/* zeros that records follow; records in another order, twice, and one whose reservation is not there */
	char other[sizeof(bytes)];
	memset(other, 0, BUDGET_RECORD);
	memcpy(other + BUDGET_RECORD, bytes + BUDGET_RECORD, 2 * BUDGET_RECORD);
	write_file(other, size);
	assert_int_equal(budget_open(path, "b", &limits, &budget), -EBADMSG);
	write_file(bytes + BUDGET_RECORD, BUDGET_RECORD);
	assert_int_equal(budget_open(path, "b", &limits, &budget), -EBADMSG);
	memcpy(other, bytes, size);
	memcpy(other + size, bytes + 2 * BUDGET_RECORD, BUDGET_RECORD);
	write_file(other, sizeof(other));
	assert_int_equal(budget_open(path, "b", &limits, &budget), -EBADMSG);
	write_file("notes\n", 6);
	assert_int_equal(budget_open(path, "b", &limits, &budget), -EBADMSG);
	write_file(
		"no budget at all, but a file of the user's with some lines of text in it that is longer than a single record, so that it is none",
		129);
	assert_int_equal(budget_open(path, "b", &limits, &budget), -EBADMSG);
}

static void another_file_in_its_place_is_refused(void **state)
{
	char bytes[BUDGET_RECORD], aside[80];
	struct budget_claim claim;
	struct budget_state now;
	(void)state;
	struct budget *budget = open_as("a", 1000, NONE);
	assert_int_equal(reserve(budget, 100, 1, &claim), 0);
	read_file(bytes, sizeof(bytes));
	snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(reserve(budget, 1, 1, &claim), -ESTALE);
	write_file(bytes, sizeof(bytes));
	assert_int_equal(reserve(budget, 1, 1, &claim), -ESTALE);
	assert_int_equal(budget_look(budget, &now), -ESTALE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(aside, path), 0);
	assert_int_equal(reserve(budget, 1, 1, &claim), -ESTALE);
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(reserve(budget, 1, 1, &claim), 0);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(reserve(budget, 1, 1, &claim), -EBADMSG);
	budget_close(budget);
}

/* A disk that is full in the middle of a record: refused, and nothing of it stays. */
static void a_full_disk_refuses(void **state)
{
	struct rlimit before, small;
	struct budget_claim claim;
	struct stat status;
	(void)state;
	struct budget *budget = open_as("a", 1000, NONE);
	assert_int_equal(reserve(budget, 100, 1, &claim), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = BUDGET_RECORD + 50;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int refused = reserve(budget, 100, 1, &claim), not_settled = settle(budget, &claim, 10, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(refused, -EFBIG);
	assert_int_equal(not_settled, -EFBIG);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, BUDGET_RECORD);
	assert_int_equal(look(budget).reserved.cost, 100);
	assert_int_equal(settle(budget, &claim, 10, 1), 0);
	budget_close(budget);
}

/* --- many at once ----------------------------------------------------------------------------------------------------------------- */

#define LIMIT 2000u
#define WORKERS 6

/* What a worker tells when a reservation was granted, and when it was settled. */
struct told {
	u64 record, cost;
	bool settled;
};

/* Reserves and settles at random until nothing is left, or until it is killed. */
static void work(int worker, int tell, unsigned seed)
{
	char run[16];
	struct budget *budget;
	struct budget_claim claim;
	const struct budget_limits limits = { .cost = LIMIT, .tokens = NONE };
	snprintf(run, sizeof(run), "w%d", worker);
	if (budget_open(path, run, &limits, &budget))
		_exit(2);
	for (int refused = 0; refused < 5;) {
		u64 most = 1 + (u64)rand_r(&seed) % 60, is = (u64)rand_r(&seed) % (most + 1);
		int error = reserve(budget, most, 1, &claim);
		refused += error == -EDQUOT;
		if (error && error != -EDQUOT)
			_exit(3);
		if (error)
			continue;
		struct told told = { .record = claim.record, .cost = most };
		if (write(tell, &told, sizeof(told)) != sizeof(told))
			_exit(4);
		if (rand_r(&seed) % 8 == 0)
			continue; /* an account that never comes */
		if (settle(budget, &claim, is, 1))
			_exit(5);
		told = (struct told){ .record = claim.record, .cost = is, .settled = true };
		if (write(tell, &told, sizeof(told)) != sizeof(told))
			_exit(4);
	}
	_exit(0);
}

struct history {
	struct budget_record records[4096];
	size_t count;
};

static int note_history(void *user, u64 number, const struct budget_record *record)
{
	struct history *history = user;
	assert_int_equal(number, history->count);
	assert_true(history->count < ARRAY_SIZE(history->records));
	history->records[history->count++] = *record;
	return 0;
}

/* At no moment of the file's history was more set aside and spent than there is. */
static void check_history(struct history *history)
{
	struct budget_file file;
	u64 in_use = 0;
	history->count = 0;
	assert_int_equal(budget_file_make(path, &file), 0);
	assert_int_equal(budget_file_lock(&file), 0);
	assert_int_equal(budget_file_read(&file, note_history, history), 0);
	budget_file_unlock(&file);
	budget_file_done(&file);
	for (size_t i = 0; i < history->count; i++) {
		in_use += history->records[i].amount.cost;
		if (history->records[i].kind == BUDGET_SETTLE)
			in_use -= history->records[history->records[i].number].amount.cost;
		assert_true(in_use <= LIMIT);
	}
}

static void killed_workers_never_overspend(void **state)
{
	static struct history history;
	int tell[2];
	pid_t pids[WORKERS];
	unsigned seed = 20261123;
	(void)state;
	assert_int_equal(pipe(tell), 0);
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			work(i, tell[1], seed + (unsigned)i);
		assert_true(pids[i] > 0);
	}
	close(tell[1]);
	/* Half of them are killed, each when some more reservations were told: at whatever instruction it is then. */
	struct told told;
	int number = 0, killed = 0;
	static struct told all[8192];
	while (read(tell[0], &told, sizeof(told)) == sizeof(told)) {
		assert_true(number < (int)ARRAY_SIZE(all));
		all[number++] = told;
		if (number % 13 == 0 && killed < WORKERS / 2)
			kill(pids[killed++], SIGKILL);
	}
	close(tell[0]);
	for (int i = 0; i < WORKERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	}
	check_history(&history);
	/* Whatever a worker was told is in the file. */
	for (int i = 0; i < number; i++) {
		bool found = false;
		for (size_t r = 0; r < history.count && !found; r++)
			found = history.records[r].number == all[i].record &&
				history.records[r].kind == (all[i].settled ? BUDGET_SETTLE : BUDGET_RESERVE) &&
				history.records[r].amount.cost == all[i].cost;
		assert_true(found);
	}
}

static void *reserve_much(void *user)
{
	struct budget *budget = user;
	struct budget_claim claim;
	u64 granted = 0;
	for (int i = 0; i < 40; i++)
		granted += reserve(budget, 7, 1, &claim) == 0;
	return (void *)(uintptr_t)granted;
}

static void threads_share_one_budget(void **state)
{
	pthread_t threads[4];
	u64 granted = 0;
	(void)state;
	struct budget *budget = open_as("a", 700, NONE);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reserve_much, budget), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *result;
		assert_int_equal(pthread_join(threads[i], &result), 0);
		granted += (u64)(uintptr_t)result;
	}
	assert_int_equal(granted, 100);
	assert_int_equal(look(budget).reserved.cost, 700);
	budget_close(budget);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(dollars_are_read_exactly),
		cmocka_unit_test(models_are_known_by_name_and_date),
		cmocka_unit_test(costs_are_rounded_up_and_never_wrap),
		cmocka_unit_test_setup(what_exceeds_the_rest_is_refused, set_up),
		cmocka_unit_test_setup(tokens_of_a_run_have_a_limit_of_their_own, set_up),
		cmocka_unit_test_setup(a_charge_above_the_reservation_ends_its_run, set_up),
		cmocka_unit_test_setup(without_a_limit_a_charge_ends_nothing, set_up),
		cmocka_unit_test_setup(absurd_charges_neither_wrap_nor_vanish, set_up),
		cmocka_unit_test_setup(names_of_runs_are_checked, set_up),
		cmocka_unit_test_setup(a_torn_record_is_cut_off, set_up),
		cmocka_unit_test_setup(damage_is_refused, set_up),
		cmocka_unit_test_setup(another_file_in_its_place_is_refused, set_up),
		cmocka_unit_test_setup(a_full_disk_refuses, set_up),
		cmocka_unit_test_setup(killed_workers_never_overspend, set_up),
		cmocka_unit_test_setup(threads_share_one_budget, set_up),
	};
	if (!mkdtemp(dir))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return failed;
}
