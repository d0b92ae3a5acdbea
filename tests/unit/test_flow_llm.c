// SPDX-License-Identifier: Apache-2.0
/* What models are asked and what is understood of their answers; providers and prices of config.yaml; the rate of requests. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow_models.h"
#include "flow/llm_request.h"
#include "flow/rate.h"
#include "flow/sse.h"
#include "unit.h"

/* --- config.yaml ------------------------------------------------------------------------------------------------------------------ */

static void read_config(const char *text, struct flow_config *ret)
{
	struct yaml_error error;
	assert_int_equal(flow_config_parse(text, strlen(text), ret, &error), 0);
}

static void providers_and_prices_of_the_operator_come_first(void **state)
{
	struct flow_config config;
	struct flow_provider provider;
	struct model_price price;
	struct yaml_error error;
	(void)state;
	read_config(
		"providers:\n  local: {socket: /run/llama.sock}\n  openai: {api: anthropic, url: 'http://10.0.0.5:80/v1', key: K}\n"
		"models:\n  llama: {input: 0, output: 0}\n  gpt-4o: {input: 2.675, output: 0.000000001}\n",
		&config);
	assert_int_equal(flow_models_check(&config, &error), 0);
	assert_int_equal(flow_provider_find(&config, "local", &provider), 0);
	assert_string_equal(provider.socket, "/run/llama.sock");
	assert_true(provider.declared && !provider.url && !provider.key && provider.api == LLM_OPENAI);
	assert_int_equal(flow_provider_find(&config, "openai", &provider), 0);
	assert_true(provider.api == LLM_ANTHROPIC && strcmp(provider.key, "K") == 0);
	assert_int_equal(flow_provider_find(&config, "mistral", &provider), 0);
	assert_string_equal(provider.key, "MISTRAL_API_KEY");
	assert_false(provider.asks_usage);
	assert_false(provider.declared);
	assert_int_equal(flow_provider_find(&config, "echo", &provider), 0);
	assert_true(provider.echo);
	assert_int_equal(flow_provider_find(&config, "nobody", &provider), -ENOENT);
	assert_int_equal(flow_model_price(&config, "llama", &price), 0);
	assert_true(price.input == 0 && price.output == 0);
	assert_int_equal(flow_model_price(&config, "gpt-4o", &price), 0);
	assert_true(price.input == 2675000000u && price.output == 1);
	assert_int_equal(flow_model_price(&config, "gpt-4o-mini", &price), 0);
	assert_int_equal(flow_model_price(&config, "other", &price), -ENOENT);
	flow_config_done(&config);
}

static void what_is_wrong_there_is_refused(void **state)
{
	static const char *const texts[] = {
		"providers: [local]",
		"providers: {a: x}",
		"providers: {a: {}}",
		"providers: {a: {key: K}}",
		"providers: {a: {socket: relative}}",
		"providers: {a: {url: 'ftp://a/'}}",
		"providers: {a: {url: 'https://a/', api: other}}",
		"providers: {a: {url: 'https://a/', key: sk-1234}}",
		"providers: {a: {url: 'https://a/', password: a}}",
		"providers: {a: {url: 'https://a/', max_tokens_field: n}}",
		"providers: {a: {url: 'https://a/', stream_options: 1}}",
		"providers: {echo: {url: 'https://a/'}}",
		"models: {a: 1}",
		"models: {a: {input: 1}}",
		"models: {a: {input: -1, output: 1}}",
		"models: {a: {input: '1', output: 1}}",
		"models: {a: {input: .nan, output: 1}}",
		"models: {a: {input: 0.0000000001, output: 1}}",
		"models: {a: {input: 1, output: 99999999}}",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct flow_config config;
		struct yaml_error error = { .line = 0 };
		read_config(texts[i], &config);
		assert_int_equal(flow_models_check(&config, &error), -EINVAL);
		assert_true(error.line == 1 && *error.text);
		flow_config_done(&config);
	}
}

/* --- requests --------------------------------------------------------------------------------------------------------------------- */

/* The request as text, the body for itself. */
static void request(const struct flow_provider *provider, bool stream, bool completion, const char *socket, const char *key,
		    char **ret_request, char **ret_body)
{
	json_t *messages = json_pack("[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]", "role", "system", "content", "be short", "role",
				     "user", "content", "hi", "role", "system", "content", "now");
	json_t *temperature = json_real(0.5), *stop = json_pack("[s]", "END");
	const struct llm_question question = { .model = "m",
					       .messages = messages,
					       .most = 7,
					       .temperature = temperature,
					       .stop = stop,
					       .stream = stream,
					       .completion = completion };
	*ret_body = llm_request_body(provider, &question);
	assert_non_null(*ret_body);
	json_t *made = llm_request(provider, &question, "BODY", socket, key, 99);
	assert_non_null(made);
	*ret_request = json_dumps(made, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(made);
	json_decref(messages);
	json_decref(temperature);
	json_decref(stop);
}

static void each_api_gets_its_own_shape(void **state)
{
	const struct flow_provider openai = { .url = "https://api.example.com/v1",
					      .most_field = "max_completion_tokens",
					      .asks_usage = true };
	const struct flow_provider anthropic = {
		.api = LLM_ANTHROPIC, .url = "http://[fd00::1]:8080/v1/", .most_field = "max_tokens", .declared = true
	};
	const struct flow_provider local = { .socket = "/s", .most_field = "max_tokens", .declared = true };
	char *made, *body;
	(void)state;
	request(&openai, true, false, NULL, "KEY", &made, &body);
	assert_string_equal(
		made,
		"{\"allow\":[\"api.example.com:443\"],\"body\":\"BODY\",\"headers\":{\"Content-Type\":\"application/json\"},\"max_body\":99,"
		"\"method\":\"POST\",\"secrets\":{\"Authorization\":{\"env\":\"KEY\",\"prefix\":\"Bearer \"}},"
		"\"url\":\"https://api.example.com/v1/chat/completions\"}");
	assert_string_equal(
		body,
		"{\"model\":\"m\",\"max_completion_tokens\":7,\"messages\":[{\"role\":\"system\",\"content\":\"be short\"},{\"role\":\"user\","
		"\"content\":\"hi\"},{\"role\":\"system\",\"content\":\"now\"}],\"temperature\":0.5,\"stop\":[\"END\"],\"stream\":true,"
		"\"stream_options\":{\"include_usage\":true}}");
	free(made);
	free(body);
	request(&anthropic, true, false, NULL, "KEY", &made, &body);
	assert_string_equal(
		made,
		"{\"body\":\"BODY\",\"headers\":{\"Content-Type\":\"application/json\",\"anthropic-version\":\"2023-06-01\"},\"max_body\":99,"
		"\"method\":\"POST\",\"private\":[\"[fd00::1]:8080\"],\"secrets\":{\"x-api-key\":{\"env\":\"KEY\",\"prefix\":\"\"}},"
		"\"url\":\"http://[fd00::1]:8080/v1/messages\"}");
	assert_string_equal(
		body,
		"{\"model\":\"m\",\"max_tokens\":7,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"system\":\"be short\\n\\nnow\","
		"\"temperature\":0.5,\"stop_sequences\":[\"END\"],\"stream\":true}");
	free(made);
	free(body);
	request(&local, false, true, "/s", NULL, &made, &body);
	assert_string_equal(
		made,
		"{\"body\":\"BODY\",\"headers\":{\"Content-Type\":\"application/json\"},\"max_body\":99,\"method\":\"POST\",\"unix\":\"/s\","
		"\"url\":\"http://localhost/v1/completions\"}");
	assert_string_equal(body, "{\"model\":\"m\",\"max_tokens\":7,\"prompt\":\"now\",\"temperature\":0.5,\"stop\":[\"END\"]}");
	free(made);
	free(body);
}

static void ports_of_urls_are_found(void **state)
{
	static const char *const rows[][2] = {
		{ "https://a/v1", "a:443" },         { "http://a", "a:80" },         { "http://a:81/b:82", "a:81" },
		{ "https://[::1]/v1", "[::1]:443" }, { "http://[::1]", "[::1]:80" }, { "http://[::1]:8080", "[::1]:8080" },
		{ "https://a?x=y:1", "a:443" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct flow_provider provider = { .url = rows[i][0], .most_field = "max_tokens" };
		char *made, *body, wanted[64];
		request(&provider, false, false, NULL, NULL, &made, &body);
		snprintf(wanted, sizeof(wanted), "\"allow\":[\"%s\"]", rows[i][1]);
		assert_non_null(strstr(made, wanted));
		free(made);
		free(body);
	}
}

/* --- answers ---------------------------------------------------------------------------------------------------------------------- */

static void accounts_are_not_believed_blindly(void **state)
{
	static const struct {
		const char *usage;
		enum llm_account account;
		u64 input, output;
	} rows[] = {
		{ "{\"prompt_tokens\": 3, \"completion_tokens\": 2}", LLM_ACCOUNT_TOLD, 3, 2 },
		{ "{\"prompt_tokens\": 12, \"completion_tokens\": 1, \"total_tokens\": 399}", LLM_ACCOUNT_TOLD, 12, 387 },
		{ "{\"prompt_tokens\": 9223372036854775807, \"completion_tokens\": 1}", LLM_ACCOUNT_TOLD, INT64_MAX, 1 },
		{ "null", LLM_ACCOUNT_MISSING, 0, 0 },
		{ "{}", LLM_ACCOUNT_MISSING, 0, 0 },
		{ "{\"prompt_tokens\": 3}", LLM_ACCOUNT_MISSING, 0, 0 },
		{ "{\"prompt_tokens\": 3, \"completion_tokens\": null}", LLM_ACCOUNT_MISSING, 0, 0 },
		{ "{\"prompt_tokens\": 0, \"completion_tokens\": 2}", LLM_ACCOUNT_WRONG, 0, 0 },
		{ "{\"prompt_tokens\": 3, \"completion_tokens\": 0}", LLM_ACCOUNT_WRONG, 0, 0 },
		{ "{\"prompt_tokens\": -3, \"completion_tokens\": 2}", LLM_ACCOUNT_WRONG, 0, 0 },
		{ "{\"prompt_tokens\": 3.0, \"completion_tokens\": 2}", LLM_ACCOUNT_WRONG, 0, 0 },
		{ "{\"prompt_tokens\": \"3\", \"completion_tokens\": 2}", LLM_ACCOUNT_WRONG, 0, 0 },
		{ "[]", LLM_ACCOUNT_WRONG, 0, 0 },
		{ "7", LLM_ACCOUNT_WRONG, 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct llm_answer answer = { .most = 9 };
		u64 input = 0, output = 0;
		char text[256];
		snprintf(text, sizeof(text),
			 "{\"choices\": [{\"message\": {\"content\": \"hi\"}, \"finish_reason\": \"stop\"}], \"usage\": %s}",
			 rows[i].usage);
		assert_int_equal(llm_answer_document(&answer, text, strlen(text)), 0);
		assert_string_equal(answer.text, "hi");
		assert_int_equal(llm_answer_account(&answer, &input, &output), rows[i].account);
		assert_true(input == rows[i].input && output == rows[i].output);
		llm_answer_done(&answer);
	}
}

static void what_a_cache_took_counts_as_input(void **state)
{
	static const char text[] =
		"{\"content\": [{\"type\": \"text\", \"text\": \"a\"}, {\"type\": \"other\"}, {\"text\": \"b\"}], \"stop_reason\": \"end_turn\","
		"\"usage\": {\"input_tokens\": 1, \"cache_creation_input_tokens\": 20, \"cache_read_input_tokens\": 300, \"output_tokens\": 4}}";
	struct llm_answer answer = { .api = LLM_ANTHROPIC, .most = 9 };
	u64 input, output;
	(void)state;
	assert_int_equal(llm_answer_document(&answer, text, strlen(text)), 0);
	assert_string_equal(answer.text, "ab");
	assert_string_equal(answer.finish, "end_turn");
	assert_int_equal(llm_answer_account(&answer, &input, &output), LLM_ACCOUNT_TOLD);
	assert_true(input == 321 && output == 4);
	llm_answer_done(&answer);
}

static void errors_are_told_from_what_is_no_answer(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *said;
	} rows[] = {
		{ "{\"error\": {\"message\": \"no\\ncredit\"}}", -EREMOTEIO, "no?credit" },
		{ "{\"error\": \"full\"}", -EREMOTEIO, "full" },
		{ "{\"error\": {}}", -EREMOTEIO, "no reason" },
		{ "{\"error\": null}", -EBADMSG, "" },
		{ "{}", -EBADMSG, "" },
		{ "[]", -EBADMSG, "" },
		{ "", -EBADMSG, "" },
		{ "{\"choices\": []}", -EBADMSG, "" },
		{ "{\"choices\": [{\"message\": {\"content\": 3}}]}", -EBADMSG, "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct llm_answer answer = { .most = 9 };
		assert_int_equal(llm_answer_document(&answer, rows[i].text, strlen(rows[i].text)), rows[i].error);
		assert_string_equal(answer.error, rows[i].said);
		llm_answer_done(&answer);
	}
}

static void a_stream_is_cut_off_at_its_cap(void **state)
{
	static const char piece[] = "{\"choices\": [{\"delta\": {\"content\": \"x\"}}]}",
			  silent[] = "{\"choices\": [{\"delta\": {\"role\": \"assistant\"}}]}";
	struct llm_answer answer = { .most = 3 }, wide = { .most = 1 };
	char large[2 * LLM_TOKEN_BYTES];
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(llm_answer_event(&answer, silent, strlen(silent)), 0);
		assert_int_equal(llm_answer_event(&answer, piece, strlen(piece)), 0);
	}
	assert_int_equal(llm_answer_event(&answer, piece, strlen(piece)), -ECANCELED);
	assert_false(answer.ended);
	snprintf(large, sizeof(large), "{\"choices\": [{\"text\": \"%0*d\"}]}", (int)LLM_TOKEN_BYTES + 1, 0);
	assert_int_equal(llm_answer_event(&wide, large, strlen(large)), -ECANCELED);
	llm_answer_done(&answer);
	llm_answer_done(&wide);
}

static int note_event(void *user, const char *data, size_t size)
{
	FILE *to = user;
	fprintf(to, "[%.*s]", (int)size, data);
	return 0;
}

static void events_are_read_as_the_standard_has_them(void **state)
{
	static const char *const rows[][2] = {
		{ "data: a\n\n", "[a]" },
		{ "data:a\r\rdata:  b\r\n\r\n", "[a][ b]" },
		{ "data: a\ndata\ndata: b\n\n", "[a\n\nb]" },
		{ ": comment\nevent: x\nid: 1\ndata: a\n\n\n\n", "[a]" },
		{ "\xef\xbb\xbf"
		  "data: a\n\n",
		  "[a]" },
		{ "data: a\n", "" },
		{ "dataa: a\n data: b\n\n", "" },
		{ "data\n\n", "[]" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t step = 1; step <= strlen(rows[i][0]); step++) {
			char *text = NULL;
			size_t size = 0, length = strlen(rows[i][0]);
			FILE *to = open_memstream(&text, &size);
			struct sse sse = { .event = note_event, .user = to };
			for (size_t at = 0; at < length; at += step)
				assert_int_equal(sse_feed(&sse, rows[i][0] + at, step < length - at ? step : length - at), 0);
			fclose(to);
			assert_string_equal(text, rows[i][1]);
			sse_done(&sse);
			free(text);
		}
}

static void requests_keep_their_rate(void **state)
{
	u64 empty = 0, now = 5 * RATE_MINUTE;
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_true(rate_take(&empty, now, 4) == now); /* a minute's worth at once */
	assert_true(rate_take(&empty, now, 4) == now + RATE_MINUTE / 4);
	assert_true(rate_take(&empty, now, 4) == now + RATE_MINUTE / 2);
	now += 10 * RATE_MINUTE;
	assert_true(rate_take(&empty, now, 4) == now);
	empty = 0;
	assert_true(rate_take(&empty, now, 1) == now);
	assert_true(rate_take(&empty, now, 1) == now + RATE_MINUTE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(providers_and_prices_of_the_operator_come_first),
		cmocka_unit_test(what_is_wrong_there_is_refused),
		cmocka_unit_test(each_api_gets_its_own_shape),
		cmocka_unit_test(ports_of_urls_are_found),
		cmocka_unit_test(accounts_are_not_believed_blindly),
		cmocka_unit_test(what_a_cache_took_counts_as_input),
		cmocka_unit_test(errors_are_told_from_what_is_no_answer),
		cmocka_unit_test(a_stream_is_cut_off_at_its_cap),
		cmocka_unit_test(events_are_read_as_the_standard_has_them),
		cmocka_unit_test(requests_keep_their_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
