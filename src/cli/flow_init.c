// SPDX-License-Identifier: Apache-2.0
/* `lichen flow init`: a directory to begin with. Its flows run offline; their model only repeats what it is asked. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "cli/commands.h"
#include "cli/flow_cli.h"
#include "cli/words.h"
#include "lichen.h"

/* A text of several lines; NULL is a directory. */
static const struct init_file {
	const char *name, *text;
} files[] = {
	{ "data", NULL },
	{ "data/input", NULL },
	{ "data/output", NULL },
	{ "config.yaml",
	  "# What every flow in this directory may do. docs/flow.md lists all keys; these are the defaults but for the commands.\n"
	  "sandbox_enabled: true\n"
	  "network_access_allowed: false\n"
	  "pii_redaction_enabled: true\n"
	  "redaction_strategy: mask\n"
	  "budget_limit_per_run: 1.0 # US dollars\n"
	  "max_tokens_per_call: 1000\n"
	  "audit_storage_path: ./audit/\n"
	  "allowed_paths: [./data]\n"
	  "allowed_commands: [grep, sort, wc]\n"
	  "\n"
	  "# A model of your own, by its UNIX socket (llama.cpp: llama-server --host /run/llama.sock). Then:\n"
	  "#     LLM_PROVIDER=local LLM_MODEL=llama lichen flow run log-triage.yml\n"
	  "# providers:\n"
	  "#   local: {api: openai, socket: /run/llama.sock}\n"
	  "# models:\n"
	  "#   llama: {input: 0, output: 0} # dollars for a million tokens\n" },
	{ "document-ingestion.yml",
	  "name: Document ingestion\n"
	  "description: |\n"
	  "  Reads a document, has a model summarise it, and keeps the summary. What the model gets is redacted: compare\n"
	  "  data/input/document.txt with `lichen flow logs --step=1`.\n"
	  "\n"
	  "steps:\n"
	  "  - step: 1\n"
	  "    agent: filesystem\n"
	  "    action: read\n"
	  "    config: {allowed_paths: [./data/input]}\n"
	  "    parameters:\n"
	  "      path: ./data/input/document.txt\n"
	  "\n"
	  "  - step: 2\n"
	  "    agent: llm\n"
	  "    action: complete\n"
	  "    config:\n"
	  "      provider: ${LLM_PROVIDER:-echo} # it repeats what it is asked: for trying out, without a network\n"
	  "      model: ${LLM_MODEL:-lichen-echo}\n"
	  "    parameters:\n"
	  "      prompt: |\n"
	  "        Summarise this document in three sentences.\n"
	  "\n"
	  "        {previous_output}\n"
	  "      max_tokens: 300\n"
	  "    on_error: retry\n"
	  "\n"
	  "  - step: 3\n"
	  "    agent: filesystem\n"
	  "    action: write\n"
	  "    config: {allowed_paths: [./data/output], read_only: false}\n"
	  "    parameters:\n"
	  "      path: ./data/output/summary.txt\n"
	  "      content: \"{previous_output}\\n\"\n" },
	{ "fraud-batch.yml",
	  "name: Fraud batch\n"
	  "description: Looks at a day's card payments, and writes a report when there is something to look at.\n"
	  "\n"
	  "steps:\n"
	  "  - step: 1\n"
	  "    agent: filesystem\n"
	  "    action: list\n"
	  "    parameters: {path: ./data/input, pattern: \"payments-*.csv\"}\n"
	  "\n"
	  "  - step: 2\n"
	  "    agent: filesystem\n"
	  "    action: read\n"
	  "    condition: not step_1_output.count == 0\n"
	  "    parameters: {path: \"./data/input/payments-${DAY:-monday}.csv\"}\n"
	  "\n"
	  "  - step: 3\n"
	  "    agent: llm\n"
	  "    action: chat\n"
	  "    config: {provider: \"${LLM_PROVIDER:-echo}\", model: \"${LLM_MODEL:-lichen-echo}\"}\n"
	  "    condition: step_2_status == 'ok'\n"
	  "    parameters:\n"
	  "      messages:\n"
	  "        - {role: system, content: You look for fraud. Name the rows that a person must look at.}\n"
	  "        - {role: user, content: \"{step_2_output}\"}\n"
	  "      max_tokens: 300\n"
	  "\n"
	  "  - step: 4\n"
	  "    agent: filesystem\n"
	  "    action: write\n"
	  "    condition: step_3_status == 'ok' and step_2_output contains \"declined\"\n"
	  "    config: {allowed_paths: [./data/output], read_only: false}\n"
	  "    parameters:\n"
	  "      path: ./data/output/fraud-report.json\n"
	  "      content: '{\"day\": \"${DAY:-monday}\", \"files\": {step_1_output}}'\n" },
	{ "log-triage.yml",
	  "name: Log triage\n"
	  "description: Takes the errors out of a log with a tool in the cage, and asks a model what to do about them.\n"
	  "\n"
	  "steps:\n"
	  "  - step: 1\n"
	  "    agent: tool_executor\n"
	  "    action: run\n"
	  "    config: {allowed_commands: [grep], allowed_paths: [./data/input], timeout: 60}\n"
	  "    parameters:\n"
	  "      command: grep\n"
	  "      args: [-h, ERROR, ./data/input/app.log]\n"
	  "    on_error: skip # grep has status 1 when there is none\n"
	  "\n"
	  "  - step: 2\n"
	  "    agent: llm\n"
	  "    action: complete\n"
	  "    condition: step_1_output != ''\n"
	  "    config: {provider: \"${LLM_PROVIDER:-echo}\", model: \"${LLM_MODEL:-lichen-echo}\"}\n"
	  "    parameters:\n"
	  "      prompt: |\n"
	  "        These are errors of a service. Say which is the cause of the others, and what to look at first.\n"
	  "\n"
	  "        {step_1_output}\n"
	  "      max_tokens: 300\n"
	  "\n"
	  "  - step: 3\n"
	  "    agent: filesystem\n"
	  "    action: write\n"
	  "    condition: step_2_status == 'ok'\n"
	  "    config: {allowed_paths: [./data/output], read_only: false}\n"
	  "    parameters:\n"
	  "      path: ./data/output/triage.txt\n"
	  "      content: \"{step_2_output}\\n\"\n" },
	{ "data/input/document.txt",
	  "Minutes, 3 March\n\n"
	  "The pilot at the Leeds site starts in April. Jane will send the contract to jane.doe@example.com and call\n"
	  "+44 20 7946 0958 if it is late. The deposit goes to GB82 WEST 1234 5698 7654 32.\n" },
	{ "data/input/payments-monday.csv", "time,card,amount,place,result\n"
					    "09:12,4111 1111 1111 1111,12.40,Leeds,ok\n"
					    "09:13,4111 1111 1111 1111,980.00,Lagos,declined\n"
					    "11:40,5500 0000 0000 0004,31.99,York,ok\n" },
	{ "data/input/app.log", "10:02:11 INFO  request 81 from 203.0.113.9\n"
				"10:02:12 ERROR database: connection refused (db.internal:5432)\n"
				"10:02:12 ERROR request 81 failed: no database\n"
				"10:02:15 INFO  request 82 from 203.0.113.9\n"
				"10:02:15 ERROR request 82 failed: no database\n" },
};

static int say(const char *directory, const char *name, int error)
{
	fprintf(stderr, "lichen flow: cannot write '%s/%s': %s (%s)\n", directory, name, strerror(-error), errno_name(-error));
	return LICHEN_EXIT_IO;
}

static int write_one(int dir, const struct init_file *file)
{
	if (!file->text)
		return mkdirat(dir, file->name, 0777) < 0 && errno != EEXIST ? -errno : 0;
	CLEANUP_FD int fd = openat(dir, file->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	return fd < 0 ? -errno : write_bytes(fd, file->text, strlen(file->text));
}

int flow_cli_init(const char *directory)
{
	struct stat st;
	if (mkdir(directory, 0777) < 0 && errno != EEXIST)
		return say(directory, "", -errno);
	CLEANUP_FD int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return say(directory, "", -errno);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i].text && fstatat(dir, files[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return say(directory, files[i].name, -EEXIST);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int r = write_one(dir, &files[i]);
		if (r < 0)
			return say(directory, files[i].name, r);
		if (files[i].text)
			printf("%s/%s\n", directory, files[i].name);
	}
	return command_flush(0);
}
