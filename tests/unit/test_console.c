// SPDX-License-Identifier: Apache-2.0
/* Who is attached to a command's streams: keys that detach, wherever reads cut them; several clients, one that does not read; who has gone how. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/types.h"
#include "host/console.h"
#include "host/detach_keys.h"
#include "unit.h"

/* What goes to the command of what is typed, in pieces of that size. Returns whether the keys were found. */
static bool filtered(const char *with, const char *typed, size_t piece, char *ret)
{
	struct detach_keys keys;
	size_t length = strlen(typed), all = 0;
	bool found = false;

	assert_int_equal(detach_keys_parse(with, &keys), 0);
	for (size_t at = 0; at < length && !found; at += piece) {
		char out[64 + DETACH_KEYS_MAX];
		size_t size = length - at < piece ? length - at : piece, n;

		found = detach_keys_filter(&keys, typed + at, size, out, &n);
		memcpy(ret + all, out, n);
		all += n;
	}
	ret[all] = 0;
	return found;
}

static void test_keys_are_found_however_they_are_cut(void **state)
{
	static const struct {
		const char *keys, *typed, *out;
		bool found;
	} rows[] = {
		{ "ctrl-p,ctrl-q", "ab\x10\x11rest", "ab", true },
		{ "ctrl-p,ctrl-q", "a\x10g\x11", "a\x10g\x11", false },
		{ "ctrl-p,ctrl-q", "\x10\x10\x10\x11", "\x10\x10", true },
		{ "a,a,b", "aaab", "a", true },
		{ "a,b,a,c", "ababac", "ab", true },
		{ "a,b,a,c", "abac", "", true },
		{ "a,b,a,c", "abaababx", "abaababx", false },
		{ "x", "x", "", true },
		{ "", "\x10\x11x", "\x10\x11x", false },
		{ "ctrl-@", "ab", "ab", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t piece = 1; piece < 8; piece++) {
			char out[128];

			assert_int_equal(filtered(rows[i].keys, rows[i].typed, piece, out), rows[i].found);
			assert_string_equal(out, rows[i].out);
		}
}

static void test_keys_that_are_none(void **state)
{
	static const char *const wrong[] = { ",",      "a,,b",  "ab", "ctrl-A",
					     "ctrl-1", "ctrl-", "a,", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q" };
	struct detach_keys keys;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(detach_keys_parse(wrong[i], &keys), -EINVAL);
}

struct told {
	char output[256];
	size_t size;
	int signal, lost;
};

static void told_output(void *data, enum cell_stream stream, const char *bytes, size_t size)
{
	struct told *told = data;

	(void)stream;
	if (told->size + size <= sizeof(told->output))
		memcpy(told->output + told->size, bytes, size);
	told->size += size;
}

static void told_signal(void *data, int sig)
{
	struct told *told = data;

	told->signal = sig;
}

static void told_lost(void *data)
{
	struct told *told = data;

	told->lost++;
}

struct bench {
	struct console *console;
	struct told told;
	int out, err, in; /* the command's ends */
};

static void begin(struct bench *bench)
{
	struct console_owner owner = { told_output, told_signal, told_lost, &bench->told };
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, in[2] = { -1, -1 };

	assert_true(pipe(out) == 0 && pipe(err) == 0 && pipe(in) == 0);
	memset(&bench->told, 0, sizeof(bench->told));
	bench->console = console_new(&owner);
	assert_non_null(bench->console);
	assert_int_equal(console_pipes(bench->console, (const int[]){ out[0], err[0] }, in[1]), 0);
	bench->out = out[1];
	bench->err = err[1];
	bench->in = in[0];
}

static void end(const struct bench *bench, int status)
{
	(void)close(bench->out);
	(void)close(bench->err);
	(void)close(bench->in);
	console_end(bench->console, status);
}

static int attach(const struct bench *bench, enum console_client kind)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	console_attach(bench->console, pair[1], kind);
	return pair[0];
}

static void expect_message(int client, char kind, const char *text)
{
	char message[CONSOLE_CHUNK + 1];
	ssize_t n = recv(client, message, sizeof(message), MSG_DONTWAIT);

	assert_int_equal(n, 1 + (ssize_t)strlen(text));
	assert_int_equal(message[0], kind);
	assert_memory_equal(message + 1, text, strlen(text));
}

static void expect_end(int client, s32 status)
{
	char message[CONSOLE_CHUNK + 1];

	assert_int_equal(recv(client, message, sizeof(message), MSG_DONTWAIT), 1 + sizeof(status));
	assert_int_equal(message[0], CONSOLE_END);
	assert_memory_equal(message + 1, &status, sizeof(status));
	assert_int_equal(recv(client, message, sizeof(message), MSG_DONTWAIT), 0);
	(void)close(client);
}

static void test_all_clients_get_all_and_the_status(void **state)
{
	struct bench bench;
	char typed[16];
	int a, b;

	(void)state;
	begin(&bench);
	a = attach(&bench, CONSOLE_STARTER);
	b = attach(&bench, CONSOLE_GUEST);
	assert_int_equal(write(bench.out, "out", 3), 3);
	console_ready(bench.console);
	assert_int_equal(write(bench.err, "err", 3), 3);
	console_ready(bench.console);
	for (int i = 0; i < 2; i++) {
		expect_message(i ? b : a, CONSOLE_STDOUT, "out");
		expect_message(i ? b : a, CONSOLE_STDERR, "err");
	}
	assert_int_equal(send(a, (char[]){ CONSOLE_INPUT, 'h', 'i' }, 3, 0), 3);
	assert_int_equal(send(b, (char[]){ CONSOLE_SIGNAL, 15, 0, 0, 0 }, 5, 0), 5);
	console_ready(bench.console);
	assert_int_equal(read(bench.in, typed, sizeof(typed)), 2);
	assert_memory_equal(typed, "hi", 2);
	assert_int_equal(bench.told.signal, 15);
	assert_int_equal(write(bench.out, "last", 4), 4);
	end(&bench, 7);
	expect_message(a, CONSOLE_STDOUT, "last");
	expect_message(b, CONSOLE_STDOUT, "last");
	expect_end(a, 7);
	expect_end(b, 7);
	assert_memory_equal(bench.told.output, "outerrlast", 10);
	assert_int_equal(bench.told.lost, 0);
}

static void test_who_does_not_read_loses_nothing(void **state)
{
	struct bench bench;
	char bytes[CONSOLE_CHUNK + 1] = { 0 };
	size_t written = 0, got = 0;
	ssize_t n;
	int a;

	(void)state;
	begin(&bench);
	a = attach(&bench, CONSOLE_GUEST);
	assert_int_equal(fcntl(bench.out, F_SETFL, O_NONBLOCK), 0);
	for (int idle = 0; idle < 3;) { /* until nothing moves any more */
		n = write(bench.out, bytes, 8192);
		written += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		console_ready(bench.console);
	}
	assert_true(written < 4000000);
	while (got < written) {
		n = recv(a, bytes, sizeof(bytes), MSG_DONTWAIT);
		assert_true(n > 1 || (n < 0 && errno == EAGAIN));
		got += n > 0 ? (size_t)n - 1 : 0;
		console_ready(bench.console);
	}
	assert_int_equal(got, written);
	assert_int_equal(bench.told.size, written);
	end(&bench, 0);
	expect_end(a, 0);
}

static void test_who_detaches_is_not_lost(void **state)
{
	struct bench bench;
	char bytes[CONSOLE_CHUNK + 1] = { CONSOLE_INPUT };

	(void)state;
	for (int detaches = 0; detaches < 2; detaches++)
		for (int stuck = 0; stuck < 2; stuck++) { /* stuck: the command does not take what was typed before */
			int a, guest;

			begin(&bench);
			a = attach(&bench, CONSOLE_STARTER);
			guest = attach(&bench, CONSOLE_GUEST);
			for (int i = 0; i < (stuck ? 8 : 0); i++) {
				assert_int_equal(send(a, bytes, sizeof(bytes), 0), sizeof(bytes));
				console_ready(bench.console);
			}
			if (detaches)
				assert_int_equal(send(a, (char[]){ CONSOLE_DETACH }, 1, 0), 1);
			(void)close(a);
			(void)close(guest);
			console_ready(bench.console);
			assert_int_equal(bench.told.lost, !detaches);
			end(&bench, 0);
		}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_found_however_they_are_cut),
		cmocka_unit_test(test_keys_that_are_none),
		cmocka_unit_test(test_all_clients_get_all_and_the_status),
		cmocka_unit_test(test_who_does_not_read_loses_nothing),
		cmocka_unit_test(test_who_detaches_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
