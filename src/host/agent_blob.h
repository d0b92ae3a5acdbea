/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's image as it is embedded in lichen (agent_blob.S). */
#ifndef LICHEN_HOST_AGENT_BLOB_H
#define LICHEN_HOST_AGENT_BLOB_H

#include "base/types.h"

extern const u8 agent_blob[], agent_blob_end[];
#define agent_blob_size ((size_t)(agent_blob_end - agent_blob))
/* The image is one read-only executable segment from its first byte to its last: what the filter trusts. */
#define agent_blob_text_size ALIGN_UP(agent_blob_size, 4096)

#endif
