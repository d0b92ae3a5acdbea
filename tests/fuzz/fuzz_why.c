/* SPDX-License-Identifier: Apache-2.0 */
/* A record, whatever stands in it: a model, a verdict and a text come out, or an error; every finding has something to say. */
#include <errno.h>

#include "cli/why_report.h"
#include "fuzz.h"

static void judge(struct model *model)
{
	const struct circumstances circumstances = { .command_line = "x" }; /* looks at nothing on this machine */
	struct verdict verdict;
	char *text = NULL;
	size_t length = 0;
	MUST(verdict_make(model, &circumstances, &verdict) == 0);
	for (size_t i = 0; i < verdict.count; i++) {
		const struct finding *finding = &verdict.findings[i];
		MUST(finding->refusal || finding->line_count > 0 || finding->signal);
		MUST(finding->what && finding->times > 0 && finding->line_count <= FINDING_LINES);
		MUST(i == 0 || finding->weight <= verdict.findings[i - 1].weight);
	}
	const struct why_report report = { .model = model, .verdict = &verdict, .circumstances = &circumstances };
	FILE *stream = open_memstream(&text, &length);
	why_print_text(&report, stream);
	MUST(fclose(stream) == 0 && length > 0);
	free(text);
	verdict_done(&verdict);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct trace_reader reader;
	struct model model;
	if (trace_reader_init(&reader, data, size) < 0)
		return 0;
	int result = model_load(&model, &reader);
	MUST(result == 0 || result == -EBADMSG);
	if (result == 0) {
		judge(&model);
		model_done(&model);
	}
	trace_close(&reader);
	return 0;
}
