/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.yaml and a step's `config` as a policy of the cage (docs/cage-policy.md) for a tool:
 *
 *     files      execute what the system has installed; read allowed_paths, or write them when the step has read_only: false
 *     network    none; with network_access_allowed the machine's, or through lichen-proxy to allowed_domains where there are some
 *     limits     memory_limit_mb, cpu_limit, max_open_files, max_file_size_mb, the time that is left
 */
#ifndef LICHEN_FLOW_FLOW_POLICY_H
#define LICHEN_FLOW_FLOW_POLICY_H

#include "flow/flow_agent.h"

/* Its text, for free(3): JSON is YAML. NULL without memory. */
char *flow_policy_text(const struct flow_task *task);
/* Words of config.yaml that a policy judges, each in its place: allowed_domains, allowed_private, quiet_denials. 0, -EINVAL with error set, or -ENOMEM. */
int flow_policy_check(const struct flow_config *config, struct yaml_error *error) MUST_CHECK;
/* The directory that every tool can read in which a path lies (absolute, without symbolic links), or NULL. */
const char *flow_policy_reads(const char *path);

#endif
