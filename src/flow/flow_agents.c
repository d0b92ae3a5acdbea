// SPDX-License-Identifier: Apache-2.0
/* The agents, listed by hand. */
#include <string.h>

#include "flow/flow_agent.h"

static const struct flow_agent *const agents[] = {
	&flow_agent_filesystem,
	&flow_agent_http,
	&flow_agent_llm,
	&flow_agent_tool,
};

const struct flow_agent *flow_agent_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(agents); i++)
		if (strcmp(agents[i]->name, name) == 0)
			return agents[i];
	return NULL;
}
