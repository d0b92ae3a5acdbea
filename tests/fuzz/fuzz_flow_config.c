/* SPDX-License-Identifier: Apache-2.0 */
/* config.yaml: what is read is within its bounds, what is wrong has a sentence. */
#include "flow/flow_config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct flow_config config;
	struct yaml_error error = { 0 };

	if (flow_config_parse((const char *)data, size, &config, &error) < 0) {
		MUST(*error.text);
		return 0;
	}
	MUST(config.audit_enabled && config.cpu_limit > 0 && config.memory_limit_mb > 0 && config.max_steps > 0 &&
	     config.max_run_time > 0);
	MUST(config.max_retries <= 10 && config.max_output > 0 && *config.audit_storage_path && config.redaction_strategy);
	MUST(!config.cost_kill_enabled || config.budget_limit_per_run > 0);
	MUST(config.allowed_paths.words && config.allowed_commands.words &&
	     !config.allowed_commands.words[config.allowed_commands.count]);
	flow_config_done(&config);
	return 0;
}
