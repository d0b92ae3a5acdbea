// SPDX-License-Identifier: Apache-2.0
/*
 * The agent llm: complete and chat.
 *
 *     question, redacted ──▶ its bytes and max_tokens are what it can cost ──▶ budget_reserve() ──▶ the call ──▶ budget_settle()
 *
 * What is settled: the account of a complete answer, if it can be true; nothing for a call that did not reach the server, or that it refused with 4xx. In all
 * other cases (no account, an absurd one, an answer that broke off or was cut off, 5xx) the reservation stays. An account above the reservation is
 * charged and ends the run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "flow/echo_server.h"
#include "flow/flow.h"
#include "flow/flow_call.h"
#include "flow/flow_redact.h"
#include "flow/llm_request.h"
#include "flow/money.h"
#include "flow/sse.h"

#define TIMEOUT_SECONDS 120u
#define MESSAGES_MAX 1000u

static const struct flow_field settings[] = {
	{ "provider", FLOW_STRING, true },     { "model", FLOW_STRING, false },     { "api_key", FLOW_SECRET, false },
	{ "timeout", FLOW_INTEGER, false },    { "stream", FLOW_BOOL, false },      { "max_tokens", FLOW_INTEGER, false },
	{ "temperature", FLOW_NUMBER, false }, { "completions", FLOW_BOOL, false },
};
static const struct flow_field complete_fields[] = {
	{ "prompt", FLOW_STRING, true },       { "system", FLOW_STRING, false },      { "model", FLOW_STRING, false },
	{ "max_tokens", FLOW_INTEGER, false }, { "temperature", FLOW_NUMBER, false }, { "stop", FLOW_STRINGS, false },
};
static const struct flow_field chat_fields[] = {
	{ "messages", FLOW_ANY, true },        { "model", FLOW_STRING, false }, { "max_tokens", FLOW_INTEGER, false },
	{ "temperature", FLOW_NUMBER, false }, { "stop", FLOW_STRINGS, false },
};

/* A call of a model, from its question to its account. */
struct turn {
	const struct flow_task *task;
	struct flow_result *result;
	struct flow_provider provider;
	struct model_price price;
	struct llm_question question;
	char *body;
	struct llm_answer answer;
	struct sse sse;
	char *document; /* an answer that is no stream */
	size_t document_size, document_room;
	struct budget_amount most; /* what is set aside */
	struct budget_claim claim;
	struct flow_reply reply;
};

static enum flow_outcome fail(struct turn *turn, enum flow_outcome outcome, const char *format, ...) PRINTF_LIKE(3, 4);
static enum flow_outcome fail(struct turn *turn, enum flow_outcome outcome, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(turn->result->error, sizeof(turn->result->error), format, args);
	va_end(args);
	return outcome;
}

/* A value of the parameters, else of the settings. */
static const json_t *given(const struct flow_task *task, const char *key)
{
	const json_t *value = json_object_get(task->parameters, key);
	return value ? value : json_object_get(task->settings, key);
}

/* --- the question ----------------------------------------------------------------------------------------------------------------- */

static enum flow_outcome add_message(struct turn *turn, const char *role, const json_t *content)
{
	static const char *const roles[] = { "system", "user", "assistant" };
	CLEANUP_FREE char *redacted = NULL;
	size_t size;
	bool known = false;
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		known |= role && strcmp(role, roles[i]) == 0;
	if (!known || !json_is_string(content))
		return fail(turn, FLOW_WRONG, "a message has a role (system, user, assistant) and a content, which is a string");
	if (flow_redact(turn->task->config, json_string_value(content), json_string_length(content), &redacted, &size))
		return fail(turn, FLOW_BROKEN, "the prompt cannot be redacted");
	json_t *message = json_pack("{s:s, s:s%}", "role", role, "content", redacted, size);
	if (!message || json_array_append_new(turn->question.messages, message))
		return fail(turn, FLOW_BROKEN, "out of memory");
	return FLOW_OK;
}

static enum flow_outcome read_messages(struct turn *turn)
{
	const json_t *parameters = turn->task->parameters, *messages = json_object_get(parameters, "messages"),
		     *system = json_object_get(parameters, "system");
	enum flow_outcome outcome = FLOW_OK;
	size_t index;
	json_t *message;
	turn->question.messages = json_array();
	if (strcmp(turn->task->action, "complete") == 0) {
		if (system)
			outcome = add_message(turn, "system", system);
		return outcome == FLOW_OK ? add_message(turn, "user", json_object_get(parameters, "prompt")) : outcome;
	}
	if (!json_is_array(messages) || !json_array_size(messages) || json_array_size(messages) > MESSAGES_MAX)
		return fail(turn, FLOW_WRONG, "messages is a sequence of 1 to %u messages", MESSAGES_MAX);
	json_array_foreach(messages, index, message)
	{
		outcome =
			add_message(turn, json_string_value(json_object_get(message, "role")), json_object_get(message, "content"));
		if (outcome != FLOW_OK)
			return outcome;
	}
	return FLOW_OK;
}

static enum flow_outcome read_most(struct turn *turn)
{
	const json_t *most = given(turn->task, "max_tokens");
	s64 cap = turn->task->config->max_tokens_per_call, wanted = most ? json_integer_value(most) : cap;
	if (wanted < 1)
		return fail(turn, FLOW_WRONG, "max_tokens is 1 or more");
	if (wanted > cap)
		return fail(turn, FLOW_BUDGET, "max_tokens %lld is more than max_tokens_per_call, %lld", (long long)wanted,
			    (long long)cap);
	turn->question.most = (u64)wanted;
	return FLOW_OK;
}

static enum flow_outcome read_question(struct turn *turn)
{
	const struct flow_task *task = turn->task;
	turn->question.model = json_string_value(given(task, "model"));
	turn->question.temperature = given(task, "temperature");
	turn->question.stop = json_object_get(task->parameters, "stop");
	turn->question.stream = json_is_true(json_object_get(task->settings, "stream"));
	turn->question.completion = json_is_true(json_object_get(task->settings, "completions"));
	if (!turn->question.model && turn->provider.echo)
		turn->question.model = "lichen-echo";
	if (!turn->question.model)
		return fail(turn, FLOW_WRONG, "there is no model: the step's config or parameters name one");
	if (flow_model_price(task->config, turn->question.model, &turn->price))
		return fail(turn, FLOW_WRONG, "what the model '%.100s' costs is not known: declare it under models: of config.yaml",
			    turn->question.model);
	enum flow_outcome outcome = read_most(turn);
	if (outcome == FLOW_OK)
		outcome = read_messages(turn);
	if (outcome != FLOW_OK)
		return outcome;
	if (turn->question.completion && turn->provider.api == LLM_OPENAI && json_array_size(turn->question.messages) != 1)
		return fail(turn, FLOW_WRONG, "completions takes one text: no system, and one message");
	turn->body = llm_request_body(&turn->provider, &turn->question);
	return turn->body ? FLOW_OK : fail(turn, FLOW_BROKEN, "out of memory");
}

static enum flow_outcome find_provider(struct turn *turn)
{
	const char *name = json_string_value(json_object_get(turn->task->settings, "provider"));
	if (!name || flow_provider_find(turn->task->config, name, &turn->provider))
		return fail(turn, FLOW_WRONG, "there is no provider '%.60s': declare it under providers: of config.yaml",
			    name ? name : "");
	if (!turn->provider.socket && !turn->provider.echo && !turn->task->config->network_access_allowed)
		return fail(turn, FLOW_DENIED,
			    "provider %.60s is on the network, and network_access_allowed is false in config.yaml", name);
	return FLOW_OK;
}

/* The name of the variable that has the key: the provider's own, whatever a flow would like to have sent. */
static enum flow_outcome find_key(struct turn *turn, const char **ret)
{
	const char *wanted = json_string_value(json_object_get(turn->task->settings, "api_key")), *key = turn->provider.key;
	char written[160];
	*ret = key;
	(void)snprintf(written, sizeof(written), "${%s}", key ? key : "");
	if (wanted && (!key || strcmp(wanted, written) != 0))
		return fail(turn, FLOW_DENIED, "api_key of provider %s is %s, not %.80s", turn->provider.name,
			    key ? written : "none", wanted);
	if (key && !getenv(key))
		return fail(turn, FLOW_WRONG, "the variable %s, which has the key of provider %s, is not set", key,
			    turn->provider.name);
	return FLOW_OK;
}

/* --- money ------------------------------------------------------------------------------------------------------------------------ */

static enum flow_outcome no_money(struct turn *turn, int error)
{
	struct budget_state state = { .over = false };
	char most[MONEY_TEXT], left[MONEY_TEXT];
	switch (error) {
	case -EDQUOT:
		if (budget_look(turn->task->budget, &state))
			state = (struct budget_state){ .over = false };
		u64 used = state.spent.cost + state.reserved.cost, limit = state.limits.cost;
		return fail(turn, FLOW_BUDGET, "the call can cost %s USD, and %s USD are left of the budget",
			    money_text(turn->most.cost, most), money_text(limit > used ? limit - used : 0, left));
	case -E2BIG:
		return fail(turn, FLOW_BUDGET, "the call can take %llu tokens, more than are left of max_tokens_per_run",
			    (unsigned long long)turn->most.tokens);
	case -ECANCELED:
		return fail(turn, FLOW_BUDGET, "the provider has charged more than a call could cost: the run is over");
	case -EBADMSG:
	case -ESTALE:
		return fail(turn, FLOW_BROKEN, "the budget's file is damaged, or another one: nothing more is spent");
	default:
		return fail(turn, FLOW_BROKEN, "the budget cannot be kept: %s", strerror(-error));
	}
}

static enum flow_outcome reserve(struct turn *turn)
{
	u64 input = strlen(turn->body);
	if (model_price_cost(&turn->price, input, turn->question.most, &turn->most.cost) ||
	    __builtin_add_overflow(input, turn->question.most, &turn->most.tokens))
		return fail(turn, FLOW_BUDGET, "what the call can cost cannot be counted");
	int error = budget_reserve(turn->task->budget, &turn->most, &turn->claim);
	return error ? no_money(turn, error) : FLOW_OK;
}

/* What the call cost, and in what words; false: that is not known. */
static bool account(const struct turn *turn, bool complete, struct budget_amount *ret, const char **ret_word)
{
	u64 input = 0, output = 0;
	*ret = (struct budget_amount){ .cost = 0 };
	*ret_word = "none";
	if (!turn->reply.sent || (turn->reply.status >= 400 && turn->reply.status < 500 && turn->reply.status != 408))
		return true;
	*ret_word = "incomplete";
	if (!complete)
		return false;
	switch (llm_answer_account(&turn->answer, &input, &output)) {
	case LLM_ACCOUNT_MISSING:
		*ret_word = "missing";
		return false;
	case LLM_ACCOUNT_WRONG:
		*ret_word = "wrong";
		return false;
	case LLM_ACCOUNT_TOLD:
		break;
	}
	*ret_word = "told";
	if (model_price_cost(&turn->price, input, output, &ret->cost))
		ret->cost = UINT64_MAX;
	if (__builtin_add_overflow(input, output, &ret->tokens))
		ret->tokens = UINT64_MAX;
	return true;
}

static json_int_t countable(u64 number)
{
	return number > INT64_MAX ? INT64_MAX : (json_int_t)number;
}

static void tell(struct turn *turn, const struct budget_amount *cost, const char *word)
{
	char text[MONEY_TEXT], most[MONEY_TEXT];
	turn->result->facts = json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:I, s:I}", "provider", turn->provider.name, "model",
					turn->question.model, "http_status", (json_int_t)turn->reply.status, "usage", word, "cost",
					money_text(cost->cost, text), "reserved", money_text(turn->most.cost, most), "tokens",
					countable(cost->tokens), "tokens_reserved", countable(turn->most.tokens));
	if (turn->result->facts && (*turn->answer.finish || turn->reply.cut))
		(void)json_object_set_new(turn->result->facts, "finish",
					  json_string(turn->reply.cut ? "cut_off" : turn->answer.finish));
}

static enum flow_outcome settle(struct turn *turn, enum flow_outcome outcome)
{
	struct budget_amount cost;
	const char *word;
	if (!account(turn, outcome == FLOW_OK && !turn->reply.cut && turn->answer.ended, &cost, &word)) {
		tell(turn, &turn->most, word);
		return outcome;
	}
	int error = budget_settle(turn->task->budget, &turn->claim, &cost);
	tell(turn, &cost, error == -EOVERFLOW ? "exceeded" : word);
	if (error == -EOVERFLOW)
		return fail(turn, FLOW_BUDGET, "the provider charges %llu tokens for a call that could take %llu: the run is over",
			    (unsigned long long)cost.tokens, (unsigned long long)turn->most.tokens);
	return error ? no_money(turn, error) : outcome;
}

/* --- the call --------------------------------------------------------------------------------------------------------------------- */

static int take_event(void *user, const char *data, size_t size)
{
	struct turn *turn = user;
	return llm_answer_event(&turn->answer, data, size);
}

static int keep(struct turn *turn, const char *bytes, size_t size)
{
	size_t wanted = turn->document_size + size;
	if (wanted > turn->document_room) {
		size_t room = wanted < 2 * turn->document_room ? 2 * turn->document_room : wanted;
		char *longer = realloc(turn->document, room);
		if (!longer)
			return -ENOMEM;
		turn->document = longer;
		turn->document_room = room;
	}
	memcpy(turn->document + turn->document_size, bytes, size);
	turn->document_size = wanted;
	return 0;
}

static int take_data(void *user, const char *bytes, size_t size)
{
	struct turn *turn = user;
	if (turn->question.stream && turn->reply.status == 200)
		return sse_feed(&turn->sse, bytes, size);
	return keep(turn, bytes, size);
}

/* What a complete answer is worth. */
static enum flow_outcome judge(struct turn *turn)
{
	int error = turn->reply.error == -ECANCELED ? 0 : turn->reply.error;
	if (!error && !(turn->question.stream && turn->reply.status == 200))
		error = llm_answer_document(&turn->answer, turn->document ? turn->document : "", turn->document_size);
	if (error == -EREMOTEIO || turn->reply.status >= 300)
		return fail(turn, FLOW_FAILED, "provider %s answers %ld: %s", turn->provider.name, turn->reply.status,
			    *turn->answer.error ? turn->answer.error : "no reason");
	if (error == -ENOMEM)
		return fail(turn, FLOW_BROKEN, "out of memory");
	if (error || (turn->question.stream && !turn->answer.ended && !turn->reply.cut))
		return fail(turn, FLOW_FAILED, "provider %s answers what is no answer of a model", turn->provider.name);
	return FLOW_OK;
}

static enum flow_outcome ask(struct turn *turn, const char *socket, const char *key)
{
	const struct flow_task *task = turn->task;
	const json_t *timeout = json_object_get(task->settings, "timeout");
	s64 seconds = timeout ? json_integer_value(timeout) : TIMEOUT_SECONDS;
	struct flow_call call = {
		.request =
			llm_request(&turn->provider, &turn->question, turn->body, socket, key, task->config->max_response_mb << 20),
		.deadline = task->deadline,
		.timeout = (u64)(seconds > 3600 ? 3600 : seconds) * 1000000000u,
		.stop = task->stop,
		.data = take_data,
		.user = turn,
	};
	if (!call.request)
		return fail(turn, FLOW_BROKEN, "the request cannot be made");
	turn->answer = (struct llm_answer){ .api = turn->provider.api, .most = turn->question.most };
	turn->sse = (struct sse){ .event = take_event, .user = turn };
	flow_call(&call, &turn->reply);
	json_decref(call.request);
	int error = turn->reply.error;
	if (turn->reply.outcome == FLOW_OK || error == -EBADMSG || error == -EREMOTEIO || error == -EMSGSIZE)
		return judge(turn);
	return fail(turn, turn->reply.outcome, "provider %s: %s", turn->provider.name, turn->reply.text);
}

static enum flow_outcome converse(struct turn *turn, const char *socket)
{
	const char *key = NULL;
	enum flow_outcome outcome = find_key(turn, &key);
	if (outcome == FLOW_OK)
		outcome = reserve(turn);
	if (outcome == FLOW_OK)
		outcome = settle(turn, ask(turn, socket, key));
	if (outcome == FLOW_OK) {
		turn->result->output = turn->answer.text;
		turn->result->size = turn->answer.size;
		turn->answer.text = NULL;
	}
	return outcome;
}

static enum flow_outcome converse_with_echo(struct turn *turn)
{
	struct echo_server server;
	int error = echo_server_start(&server);
	if (error)
		return fail(turn, FLOW_BROKEN, "lichen-echo-model cannot be run: %s", strerror(-error));
	enum flow_outcome outcome = converse(turn, server.socket);
	echo_server_stop(&server);
	return outcome;
}

static enum flow_outcome run(const struct flow_task *task, struct flow_result *result)
{
	struct turn turn = { .task = task, .result = result };
	enum flow_outcome outcome = find_provider(&turn);
	if (outcome == FLOW_OK)
		outcome = read_question(&turn);
	if (outcome == FLOW_OK)
		outcome = turn.provider.echo ? converse_with_echo(&turn) : converse(&turn, turn.provider.socket);
	json_decref(turn.question.messages);
	free(turn.body);
	free(turn.document);
	sse_done(&turn.sse);
	llm_answer_done(&turn.answer);
	flow_reply_done(&turn.reply);
	return outcome;
}

/* --- before the run --------------------------------------------------------------------------------------------------------------- */

static int check_model(const struct yaml_node *node, const struct flow_config *config, struct yaml_error *error)
{
	struct model_price price;
	if (!node || node->kind != YAML_SCALAR || flow_template_is(node->text, node->length) ||
	    !flow_model_price(config, node->text, &price))
		return 0;
	return yaml_refuse(node, error, "what the model '%.100s' costs is not known: declare it under models: of config.yaml",
			   node->text);
}

static int check(const struct flow_step *step, const struct flow_config *config, struct yaml_error *error)
{
	const struct yaml_node *provider = yaml_get(step->settings, "provider");
	struct flow_provider found;
	if (provider && !flow_template_is(provider->text, provider->length) && flow_provider_find(config, provider->text, &found))
		return yaml_refuse(provider, error, "there is no provider '%.60s': declare it under providers: of config.yaml",
				   provider->text);
	int r = check_model(yaml_get(step->settings, "model"), config, error);
	return r ? r : check_model(yaml_get(step->parameters, "model"), config, error);
}

static const struct flow_action actions[] = {
	{ "complete", complete_fields, ARRAY_SIZE(complete_fields) },
	{ "chat", chat_fields, ARRAY_SIZE(chat_fields) },
};

const struct flow_agent flow_agent_llm = {
	.name = "llm",
	.settings = settings,
	.setting_count = ARRAY_SIZE(settings),
	.actions = actions,
	.action_count = ARRAY_SIZE(actions),
	.check = check,
	.run = run,
};
