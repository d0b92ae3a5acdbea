// SPDX-License-Identifier: Apache-2.0
/* What an image is called: complete forms, and what is no reference. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/reference.h"
#include "unit.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void assert_complete(const char *text, const char *wanted)
{
	struct image_reference reference;
	char complete[REFERENCE_TEXT_MAX + 1];
	const char *why = "";
	assert_int_equal(image_reference_parse(text, &reference, &why), 0);
	assert_string_equal(image_reference_text(&reference, complete), wanted);
	/* The complete form is a fixed point. */
	assert_int_equal(image_reference_parse(complete, &reference, &why), 0);
	assert_string_equal(image_reference_text(&reference, complete), wanted);
}

static void names_are_completed_as_docker_does(void **state)
{
	(void)state;
	assert_complete("debian", "docker.io/library/debian:latest");
	assert_complete("debian:12", "docker.io/library/debian:12");
	assert_complete("docker.io/debian", "docker.io/library/debian:latest");
	assert_complete("index.docker.io/library/debian", "docker.io/library/debian:latest");
	assert_complete("owner/app:v1.0-rc_1", "docker.io/owner/app:v1.0-rc_1");
	assert_complete("ghcr.io/owner/app", "ghcr.io/owner/app:latest");
	assert_complete("localhost/app", "localhost/app:latest");
	assert_complete("localhost:5000/a/b/c", "localhost:5000/a/b/c:latest");
	assert_complete("localhost:5000", "docker.io/library/localhost:5000");
	assert_complete("[::1]:5000/x:y", "[::1]:5000/x:y");
	assert_complete("Registry/x", "Registry/x:latest");
	assert_complete("a__b/c--d.e_f", "docker.io/a__b/c--d.e_f:latest");
	assert_complete("debian@sha256:" HEX, "docker.io/library/debian@sha256:" HEX);
	assert_complete("r.io/debian:12@sha256:" HEX, "r.io/debian:12@sha256:" HEX);
}

static void what_is_no_reference_is_refused_with_a_reason(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		":",
		"@",
		"/",
		"a/",
		"/a",
		"a//b",
		"Debian",
		"a b",
		"a:",
		"a:.x",
		"a:-x",
		"a:b/c d",
		"a___b",
		"a..b",
		"a-",
		"-a",
		"a._b",
		".a/b",
		"../etc/passwd",
		"r.io/../x",
		"a@sha256:12",
		"a@sha512:" HEX,
		"a@sha256:" HEX "0",
		"a@SHA256:" HEX,
		"-x.io/a",
		"x-.io/a",
		"x..io/a",
		"x.io:/a",
		"x.io:port/a",
		"x.io:123456/a",
		"[::1/a",
		"[]:5/a",
		"[::1]x/a",
		"a\n",
		"a:b\n",
		"\xc3\xa4",
		"a@",
		"x.io/",
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct image_reference reference = { .tag = "untouched" };
		const char *why = NULL;
		assert_int_equal(image_reference_parse(wrong[i], &reference, &why), -EINVAL);
		assert_non_null(why);
		assert_string_equal(reference.tag, "untouched");
	}
}

static void lengths_are_bounded(void **state)
{
	(void)state;
	struct image_reference reference;
	const char *why;
	char text[1024];
	for (size_t size = 1; size < sizeof(text); size++) {
		memset(text, 'a', size);
		text[size] = '\0';
		/* docker.io/library/ takes 18 of 255 */
		assert_int_equal(image_reference_parse(text, &reference, &why), size <= 255 - 18 ? 0 : -EINVAL);
		memcpy(text, "x:", size < 2 ? size : 2);
		if (size > 2)
			assert_int_equal(image_reference_parse(text, &reference, &why), size - 2 <= 128 ? 0 : -EINVAL);
	}
	memset(text, 'a', sizeof(text));
	memcpy(text + 300, ".io/x", sizeof(".io/x"));
	assert_int_equal(image_reference_parse(text, &reference, &why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_completed_as_docker_does),
		cmocka_unit_test(what_is_no_reference_is_refused_with_a_reason),
		cmocka_unit_test(lengths_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
