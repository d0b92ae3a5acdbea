// SPDX-License-Identifier: Apache-2.0
/* How a guest's tree finds names, its own included: its /etc/hosts (hosts(5)) and /etc/resolv.conf (resolv.conf(5)). */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/guest_root.h"

#define GATEWAY "host-gateway" /* docker's word for this machine; the guest has our network */

/* One line of a file of words: printable, no spaces. */
static bool is_word(const char *text)
{
	for (const char *at = text; *at; at++)
		if (!isgraph((unsigned char)*at))
			return false;
	return *text != '\0';
}

static bool is_address(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char plain[INET6_ADDRSTRLEN + 1];
	size_t n = strlen(text);
	if (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1)
		return true;
	if (n < 3 || n >= sizeof(plain) || text[0] != '[' || text[n - 1] != ']') /* [::1], as docker takes it */
		return false;
	memcpy(plain, text + 1, n - 2);
	plain[n - 2] = '\0';
	return inet_pton(AF_INET6, plain, bytes) == 1;
}

/* NAME:ADDRESS or NAME=ADDRESS. */
int guest_parse_host(void *field, const char *value, struct option_error *error)
{
	size_t name = strcspn(value, ":=");
	const char *address = value[name] ? value + name + 1 : "";
	if (!name || !is_word(value) || *value == '#' || (!is_address(address) && strcmp(address, GATEWAY) != 0))
		return options_refuse(error, "option '--add-host' needs NAME:IP, not '%.100s'", value);
	return options_add_word(field, value, error);
}

int guest_parse_address(void *field, const char *value, struct option_error *error)
{
	if (!is_address(value) || *value == '[')
		return options_refuse(error, "option '--dns' needs an IP address, not '%.100s'", value);
	return options_add_word(field, value, error);
}

int guest_parse_line(void *field, const char *value, struct option_error *error)
{
	if (!is_word(value))
		return options_refuse(error, "'%.100s' is no word for resolv.conf", value);
	return options_add_word(field, value, error);
}

/* Copies the machine's file, or those lines of it that begin with none of the words of `without` (each with a space behind it). */
static void copy_lines(const char *path, const char *const *without, FILE *to)
{
	FILE *from = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	while (from && getline(&line, &room, from) >= 0) {
		bool left_out = false;
		for (const char *const *word = without; word && *word; word++) {
			size_t n = strlen(*word);
			left_out |= strncmp(line, *word, n) == 0 && isspace((unsigned char)line[n]);
		}
		if (!left_out)
			fprintf(to, "%s%s", line, strchr(line, '\n') ? "" : "\n");
	}
	free(line);
	if (from)
		fclose(from);
}

int guest_resolve_hosts(const struct guest_root *given, char **ret)
{
	size_t size;
	*ret = NULL;
	if (!given->hosts.count && !given->hostname)
		return 0;
	FILE *to = open_memstream(ret, &size);
	if (!to)
		return -ENOMEM;
	copy_lines("/etc/hosts", NULL, to);
	if (given->hostname)
		fprintf(to, "127.0.1.1\t%s\n", given->hostname);
	for (size_t i = 0; i < given->hosts.count; i++) {
		const char *word = given->hosts.words[i], *address = word + strcspn(word, ":=") + 1;
		if (strcmp(address, GATEWAY) == 0)
			address = "127.0.0.1";
		size_t bracket = *address == '[';
		fprintf(to, "%.*s\t%.*s\n", (int)(strlen(address) - 2 * bracket), address + bracket, (int)strcspn(word, ":="),
			word);
	}
	return fclose(to) ? -ENOMEM : 0;
}

/* "KEYWORD word word" */
static void put_words(const char *keyword, const struct option_words *words, FILE *to)
{
	bool none = words->count == 1 && strcmp(words->words[0], ".") == 0;
	if (!words->count || none)
		return;
	fputs(keyword, to);
	for (size_t i = 0; i < words->count; i++)
		fprintf(to, " %s", words->words[i]);
	fputc('\n', to);
}

int guest_resolve_resolver(const struct guest_root *given, char **ret)
{
	const char *without[5] = { NULL };
	size_t size, n = 0;
	*ret = NULL;
	if (!given->dns.count && !given->dns_search.count && !given->dns_options.count)
		return 0;
	if (given->dns.count)
		without[n++] = "nameserver";
	if (given->dns_search.count) {
		without[n++] = "search";
		without[n++] = "domain";
	}
	if (given->dns_options.count)
		without[n++] = "options";
	FILE *to = open_memstream(ret, &size);
	if (!to)
		return -ENOMEM;
	copy_lines("/etc/resolv.conf", without, to);
	for (size_t i = 0; i < given->dns.count; i++)
		fprintf(to, "nameserver %s\n", given->dns.words[i]);
	put_words("search", &given->dns_search, to);
	put_words("options", &given->dns_options, to);
	return fclose(to) ? -ENOMEM : 0;
}
