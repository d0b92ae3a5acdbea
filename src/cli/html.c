// SPDX-License-Identifier: Apache-2.0
/* Writes one self-contained HTML page. */
#include "cli/html.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Colours keep a contrast of at least 4.5:1 on their ground, in both schemes (WCAG 2.1, 1.4.3). */
static const char style[] =
	":root{color-scheme:light dark;--ground:#fff;--card:#f6f7f6;--line:#d9ddd9;--text:#1b1f1c;--faint:#5a635c;"
	"--good:#12602f;--good-ground:#dff3e4;--warn:#7a4b00;--warn-ground:#fbeecd;--bad:#9b1c1c;--bad-ground:#fbe3e1}\n"
	"@media(prefers-color-scheme:dark){:root{--ground:#141815;--card:#1c211d;--line:#363d38;--text:#e4e8e4;--faint:#a3ada5;"
	"--good:#86dfa1;--good-ground:#17351f;--warn:#f0c674;--warn-ground:#3a2d10;--bad:#ff9c94;--bad-ground:#43191a}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:1200px;padding:24px 20px 48px;background:var(--ground);color:var(--text);"
	"font:16px/1.5 system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;overflow-wrap:break-word}\n"
	"h1{font-size:1.6rem;line-height:1.2;margin:0}\n"
	"h2{font-size:1.15rem;margin:32px 0 10px}\n"
	"header p{margin:4px 0 20px}\n"
	"p{margin:10px 0;max-width:80ch}\n"
	"code,pre{font:.86em/1.5 ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;overflow-wrap:anywhere}\n"
	"pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:10px 14px;white-space:pre-wrap}\n"
	"ul{margin:10px 0;padding-left:22px}\n"
	"li{margin:3px 0;max-width:90ch}\n"
	".faint{color:var(--faint)}\n"
	".label{display:inline-block;border-radius:4px;padding:0 8px;font-weight:600;font-size:.9em;white-space:nowrap}\n"
	".note{border-left:5px solid;border-radius:4px;padding:12px 16px;font-weight:600;max-width:none}\n"
	".good{color:var(--good);background:var(--good-ground)}\n"
	".warn{color:var(--warn);background:var(--warn-ground)}\n"
	".bad{color:var(--bad);background:var(--bad-ground)}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"th,td{text-align:left;vertical-align:top;padding:8px 12px 8px 0;border-bottom:1px solid var(--line)}\n"
	"th{color:var(--faint);font-size:.86em}\n"
	"@media(max-width:700px){body{padding:16px 14px 32px}thead{display:none}table,tbody,tr,td{display:block}\n"
	"tr{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:0 0 12px;padding:8px 12px}\n"
	"td{border:0;padding:3px 0}td:empty{display:none}\n"
	"td:not(:first-child)::before{content:attr(data-head);display:block;color:var(--faint);font-size:.8em}}\n";

static void fail(struct html *html, int error)
{
	if (!html->error)
		html->error = error;
}

/* Trusted text: the page's own marks. */
static void raw(struct html *html, const char *marks)
{
	if (fputs(marks, html->to) < 0)
		fail(html, errno ? -errno : -EIO);
}

/* The length of the UTF-8 character that text begins with (RFC 3629, section 4), 0 when it is none. The text ends with NUL. */
static size_t character(const char *text)
{
	const u8 *s = (const u8 *)text;
	size_t length = s[0] < 0x80                 ? 1
		      : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		      : (s[0] & 0xf0) == 0xe0       ? 3
		      : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						    : 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
	bool surrogate = s[0] == 0xed && s[1] >= 0xa0;
	bool beyond = s[0] == 0xf4 && s[1] >= 0x90;
	return overlong || surrogate || beyond ? 0 : length;
}

/* Untrusted text. */
static void escaped(struct html *html, const char *text)
{
	while (*text) {
		size_t length = character(text);
		u8 c = (u8)*text;
		if (c == '&')
			raw(html, "&amp;");
		else if (c == '<')
			raw(html, "&lt;");
		else if (c == '>')
			raw(html, "&gt;");
		else if (c == '"')
			raw(html, "&quot;");
		else if (c == '\'')
			raw(html, "&#39;");
		else if (length == 0 || (c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			raw(html, "\xef\xbf\xbd"); /* U+FFFD */
		else
			fprintf(html->to, "%.*s", (int)length, text);
		text += length ? length : 1;
	}
}

static void formatted(struct html *html, const char *format, va_list args) PRINTF_LIKE(2, 0);
static void formatted(struct html *html, const char *format, va_list args)
{
	char *text;
	if (vasprintf(&text, format, args) < 0) {
		fail(html, -ENOMEM);
		return;
	}
	escaped(html, text);
	free(text);
}

/* Untrusted text between trusted marks. */
#define FORMATTED_BETWEEN(html, before, format, after) \
	do {                                           \
		va_list args;                          \
		raw(html, before);                     \
		va_start(args, format);                \
		formatted(html, format, args);         \
		va_end(args);                          \
		raw(html, after);                      \
	} while (0)

void html_begin(struct html *html, FILE *to, const char *title, const char *subtitle)
{
	*html = (struct html){ .to = to };
	raw(html,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>");
	escaped(html, title);
	raw(html, "</title>\n<style>\n");
	raw(html, style);
	raw(html, "</style>\n</head>\n<body>\n<header>\n<h1>");
	escaped(html, title);
	raw(html, "</h1>\n<p class=\"faint\">");
	escaped(html, subtitle);
	raw(html, "</p>\n</header>\n<main>\n");
}

static void end_section(struct html *html)
{
	if (html->in_section)
		raw(html, "</section>\n");
	html->in_section = false;
}

int html_end(struct html *html)
{
	end_section(html);
	raw(html, "</main>\n</body>\n</html>\n");
	errno = 0;
	if (fflush(html->to) || ferror(html->to))
		fail(html, errno ? -errno : -EIO);
	return html->error;
}

void html_heading(struct html *html, const char *text)
{
	end_section(html);
	raw(html, "<section>\n<h2>");
	escaped(html, text);
	raw(html, "</h2>\n");
	html->in_section = true;
}

void html_put(struct html *html, enum html_tone tone, const char *format, ...)
{
	static const char *const before[] = {
		[HTML_PLAIN] = "<span>",
		[HTML_STRONG] = "<strong>",
		[HTML_FAINT] = "<span class=\"faint\">",
		[HTML_CODE] = "<code>",
		[HTML_GOOD] = "<span class=\"label good\">",
		[HTML_WARN] = "<span class=\"label warn\">",
		[HTML_BAD] = "<span class=\"label bad\">",
	};
	static const char *const after[] = {
		[HTML_PLAIN] = "</span>", [HTML_STRONG] = "</strong>", [HTML_FAINT] = "</span>", [HTML_CODE] = "</code>",
		[HTML_GOOD] = "</span>",  [HTML_WARN] = "</span>",     [HTML_BAD] = "</span>",
	};
	FORMATTED_BETWEEN(html, before[tone], format, after[tone]);
	raw(html, " ");
}

void html_break(struct html *html)
{
	raw(html, "<br>");
}

void html_paragraph(struct html *html, const char *format, ...)
{
	FORMATTED_BETWEEN(html, "<p>", format, "</p>\n");
}

void html_note(struct html *html, enum html_tone tone, const char *format, ...)
{
	const char *before = tone == HTML_GOOD ? "<p class=\"note good\">"
			   : tone == HTML_WARN ? "<p class=\"note warn\">"
			   : tone == HTML_BAD  ? "<p class=\"note bad\">"
					       : "<p class=\"note\">";
	FORMATTED_BETWEEN(html, before, format, "</p>\n");
}

void html_block(struct html *html, const char *format, ...)
{
	FORMATTED_BETWEEN(html, "<pre>", format, "</pre>\n");
}

void html_list(struct html *html)
{
	raw(html, "<ul>\n");
}

void html_item(struct html *html, const char *format, ...)
{
	FORMATTED_BETWEEN(html, "<li>", format, "</li>\n");
}

void html_list_end(struct html *html)
{
	raw(html, "</ul>\n");
}

void html_table(struct html *html, const char *const *heads)
{
	raw(html, "<table>\n<thead><tr>");
	for (size_t i = 0; heads[i]; i++) {
		raw(html, "<th scope=\"col\">");
		escaped(html, heads[i]);
		raw(html, "</th>");
	}
	raw(html, "</tr></thead>\n<tbody>\n");
	html->heads = heads;
	html->column = SIZE_MAX;
}

void html_row(struct html *html)
{
	raw(html, html->column == SIZE_MAX ? "<tr>\n" : "</tr>\n<tr>\n");
	html->column = 0;
}

void html_cell_begin(struct html *html)
{
	const char *head = html->heads[html->column];
	raw(html, "<td data-head=\"");
	escaped(html, head ? head : "");
	raw(html, "\">");
	if (head)
		html->column++;
}

void html_cell_end(struct html *html)
{
	raw(html, "</td>\n");
}

void html_cell(struct html *html, enum html_tone tone, const char *format, ...)
{
	char *text;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&text, format, args);
	va_end(args);
	html_cell_begin(html);
	if (length < 0) {
		fail(html, -ENOMEM);
	} else {
		if (length > 0)
			html_put(html, tone, "%s", text);
		free(text);
	}
	html_cell_end(html);
}

void html_table_end(struct html *html)
{
	raw(html, html->column == SIZE_MAX ? "</tbody>\n</table>\n" : "</tr>\n</tbody>\n</table>\n");
	html->heads = NULL;
}
