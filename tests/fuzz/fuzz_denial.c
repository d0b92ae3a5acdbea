// SPDX-License-Identifier: Apache-2.0
/* What a guest writes into the ring, judged and learnt from: input is the number of a policy (1 byte) and a record (abi/trace.h), cut anywhere. */
#include <errno.h>

#include "base/cleanup.h"
#include "cage/denial.h"
#include "cage/learn.h"
#include "fuzz.h"
#include "host/trace_file.h"

static const char *const policies[] = {
	"version: 1\n",
	"version: 1\nfiles: {read: [/usr], execute: [/bin], write: [/tmp], deny: [/tmp/x]}\nnetwork: {mode: proxy, allow: [\"a:1\"]}\n",
	"version: 1\nfiles: {defaults: false}\nnetwork: {unix: [/run], abstract: true}\nprocesses: {allow: [mount], deny: [read]}\n",
	"version: 1\nreport: {quiet: [\"fs.read /etc\", \"syscall mount\", \"net.connect 1.2.3.4:5\"]}\nnetwork: {mode: host}\n",
};

static struct cage_policy *parse(const char *text, size_t size)
{
	struct cage_policy *policy = NULL;
	struct cage_policy_error error;
	MUST(cage_policy_parse(text, size, "/work", "/root", &policy, &error) == 0);
	return policy;
}

static void check_path(const char *path)
{
	if (!*path)
		return;
	size_t length = strlen(path);
	MUST(path[0] == '/' && length < PATH_MAX && !strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../"));
	MUST(length == 1 || path[length - 1] != '/');
}

static void check_denial(void *data, const struct cage_denial *denial)
{
	static char text[CAGE_OBJECT_PRINTED];
	(void)data;
	MUST((u32)denial->what < CAGE_DENIED_COUNT && cage_denied_name(denial->what) && denial->error > 0);
	cage_denial_print(denial, text);
	for (const char *at = text; *at; at++)
		MUST((u8)*at >= ' ' && *at != 0x7f);
	MUST(strlen(text) < sizeof(text));
}

static void learn(const struct trace_record *record)
{
	struct cage_learner *learner;
	CLEANUP_FREE char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	MUST(to && cage_learner_new("/work", "/root", "/tmp/t", true, &learner) == 0);
	cage_learner_take(learner, record);
	MUST(cage_learner_write(learner, 1, to) == 0);
	MUST(fclose(to) == 0);
	cage_learner_free(learner);
	cage_policy_free(parse(text, size));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u64 numbers[TRACE_NUMBERS_SIZE] = { [2] = ~UINT64_C(0) };
	static struct cage_attempt attempt;
	struct trace_record record = { 0 };
	struct cage_denials *denials;
	if (!size)
		return 0;
	memcpy(&record, data + 1, size - 1 < sizeof(record) ? size - 1 : sizeof(record));
	if (!trace_record_valid(&record))
		return 0;
	const char *text = policies[data[0] % ARRAY_SIZE(policies)];
	CLEANUP_POLICY struct cage_policy *policy = parse(text, strlen(text));
	for (u32 n = 0; cage_attempt_get(&record, n, &attempt); n++) {
		MUST(n < 6);
		check_path(attempt.path);
		if (attempt.path[0])
			cage_attempt_resolve(attempt.path, attempt.links);
		check_path(attempt.path);
	}
	MUST(cage_denials_new(policy, data[0] & 0x80 ? numbers : NULL, check_denial, NULL, &denials) == 0);
	cage_denials_take(denials, &record);
	cage_denials_take(denials, &record);
	MUST(cage_denials_count(denials) <= 6);
	cage_denials_free(denials);
	learn(&record);
	return 0;
}
