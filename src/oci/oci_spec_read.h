/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of JSON objects by type. A reader keeps the first failure, after which nothing changes; so it is looked at once, at the end. A missing
 * member and null are the same: the value that means "not told".
 */
#ifndef LICHEN_OCI_OCI_SPEC_READ_H
#define LICHEN_OCI_OCI_SPEC_READ_H

#include "oci/oci_spec.h"

#define OCI_LIST_MAX 65536u /* entries of any list */

struct oci_reader {
	int status; /* 0 or the negative errno of the first failure */
	struct oci_error *error;
};

/* Parses text; integers beyond 2^63-1, which jansson has not, become texts, which oci_read_u64() takes for numbers. NULL on failure. */
json_t *oci_read_json(struct oci_reader *r, const char *what, const char *json, size_t size);

/* The first failure: what is wrong, as a sentence. */
void oci_read_wrong(struct oci_reader *r, const char *format, ...) PRINTF_LIKE(2, 3);

json_t *oci_read_object(struct oci_reader *r, json_t *from, const char *name); /* NULL = not told */
json_t *oci_read_array(struct oci_reader *r, json_t *from, const char *name);
const char *oci_read_text(struct oci_reader *r, json_t *from, const char *name);
const char *oci_read_needed(struct oci_reader *r, json_t *from, const char *name); /* a text that is not empty, "" on failure */
bool oci_read_bool(struct oci_reader *r, json_t *from, const char *name);
bool oci_read_u64(struct oci_reader *r, json_t *from, const char *name, u64 *into); /* whether it is told */
bool oci_read_s64(struct oci_reader *r, json_t *from, const char *name, s64 *into);
u32 oci_read_u32(struct oci_reader *r, json_t *from, const char *name);            /* 0 = not told */
const char **oci_read_texts(struct oci_reader *r, json_t *from, const char *name); /* NULL-terminated, allocated; NULL = not told */
void *oci_read_alloc(struct oci_reader *r, size_t count, size_t size); /* zeros; NULL after saying that there is no memory */

/* oci_spec_linux.c */
void oci_read_linux(struct oci_reader *r, json_t *from, struct oci_spec *spec);

#endif
