/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the strict YAML reader share. */
#ifndef LICHEN_CONFIG_YAML_STRICT_INT_H
#define LICHEN_CONFIG_YAML_STRICT_INT_H

#include "config/yaml_strict.h"

/* Writes a sentence about a place. Returns -EINVAL. */
int yaml_refuse_at(u32 line, u32 column, struct yaml_error *error, const char *format, ...) PRINTF_LIKE(4, 5);
/* Is this at most YAML_BYTES_MAX of UTF-8, without characters that YAML gives another meaning or none? 0 or -EINVAL. */
int yaml_check_bytes(const char *data, size_t length, struct yaml_error *error) MUST_CHECK;

#endif
