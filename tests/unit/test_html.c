// SPDX-License-Identifier: Apache-2.0
/* Pages: what comes from outside cannot leave its element, and every element is closed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/html.h"
#include "unit.h"

static char *page_text;
static size_t page_size;

static void begin(struct html *page, const char *title)
{
	FILE *stream = open_memstream(&page_text, &page_size);
	assert_non_null(stream);
	html_begin(page, stream, title, "sub");
}

/* Ends the page; page_text is then the test's to free. */
static void end(struct html *page)
{
	assert_int_equal(html_end(page), 0);
	fclose(page->to);
}

static void texts_are_escaped(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} table[] = {
		{ "a<b>&\"c\"'d'", "<p>a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;</p>" },
		{ "</p><script>alert(1)</script>", "<p>&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</p>" },
		{ "&amp;", "<p>&amp;amp;</p>" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\x80", "<p>\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\x80</p>" },
		{ "\xff<", "<p>\xef\xbf\xbd&lt;</p>" },
		{ "\xe2\x82<", "<p>\xef\xbf\xbd\xef\xbf\xbd&lt;</p>" },            /* cut short: must not swallow the < */
		{ "\xc0\xbc", "<p>\xef\xbf\xbd\xef\xbf\xbd</p>" },                 /* overlong < */
		{ "\xe0\x80\xbc", "<p>\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</p>" }, /* the same in three */
		{ "\xed\xa0\x80", "<p>\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</p>" }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "<p>\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</p>" },
		{ "a\x1b[31m\x7f\tb\n", "<p>a\xef\xbf\xbd[31m\xef\xbf\xbd\tb\n</p>" },
		{ "\xe2", "<p>\xef\xbf\xbd</p>" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct html page;
		begin(&page, "t");
		html_paragraph(&page, "%s", table[i].text);
		end(&page);
		assert_non_null(strstr(page_text, table[i].want));
		free(page_text);
	}
}

static void no_place_is_left_unescaped(void **state)
{
	(void)state;
	static const char evil[] = "<x y=\"'>";
	const char *const heads[] = { evil, "two", NULL };
	struct html page;
	begin(&page, evil);
	html_note(&page, HTML_BAD, "%s", evil);
	html_heading(&page, evil);
	html_block(&page, "%s", evil);
	html_list(&page);
	html_item(&page, "%s", evil);
	html_list_end(&page);
	html_table(&page, heads);
	for (int i = HTML_PLAIN; i <= HTML_BAD; i++) {
		html_row(&page);
		html_cell(&page, i, "%s", evil);
		html_cell(&page, i, "%s", "");
		html_cell(&page, i, "%s", evil); /* one more than heads */
	}
	html_table_end(&page);
	end(&page);
	assert_null(strstr(page_text, "<x"));
	assert_null(strstr(page_text, "http:"));
	assert_null(strstr(page_text, "https:"));
	assert_null(strstr(page_text, "url("));
	free(page_text);
}

/* Walks through the tags: each end has its beginning. */
static void elements_are_balanced(void **state)
{
	(void)state;
	const char *const heads[] = { "one", NULL };
	char stack[32][16];
	size_t depth = 0;
	struct html page;
	begin(&page, "t");
	html_heading(&page, "empty table");
	html_table(&page, heads);
	html_table_end(&page);
	html_heading(&page, "full table");
	html_table(&page, heads);
	html_row(&page);
	html_cell_begin(&page);
	html_put(&page, HTML_CODE, "x");
	html_cell_end(&page);
	html_table_end(&page);
	end(&page);
	for (const char *at = strchr(page_text, '<'); at; at = strchr(at + 1, '<')) {
		bool closing = at[1] == '/';
		char name[16];
		if (at[1] == '!' || strncmp(at, "<meta", 5) == 0 || strncmp(at, "<br>", 4) == 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1 + closing, " >"), at + 1 + closing);
		if (closing) {
			assert_true(depth > 0);
			assert_string_equal(stack[--depth], name);
		} else {
			assert_in_range(depth, 0, ARRAY_SIZE(stack) - 1);
			memcpy(stack[depth++], name, sizeof(name));
		}
	}
	assert_int_equal(depth, 0);
	free(page_text);
}

static void a_full_disk_is_told(void **state)
{
	(void)state;
	struct html page;
	FILE *stream = fopen("/dev/full", "we");
	assert_non_null(stream);
	html_begin(&page, stream, "t", "s");
	assert_int_equal(html_end(&page), -ENOSPC);
	fclose(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(no_place_is_left_unescaped),
		cmocka_unit_test(elements_are_balanced),
		cmocka_unit_test(a_full_disk_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
