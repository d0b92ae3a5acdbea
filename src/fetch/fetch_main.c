// SPDX-License-Identifier: Apache-2.0
/* lichen-fetch REF DIR: the command line. The only program of lichen that opens network connections. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch/fetch_call.h"
#include "fetch/fetch_image.h"

static const char usage[] = "Usage: lichen-fetch [OPTION…] REF DIR\n"
			    "       lichen-fetch call\n"
			    "Downloads a container image into an OCI image layout directory; or makes one HTTP\n"
			    "request for `lichen flow`, which it reads as JSON from its standard input.\n"
			    "\n"
			    "      --platform=OS/ARCH    the image for this platform (default linux/amd64)\n"
			    "      --plain-http          speak HTTP without TLS to the registry and its mirrors\n"
			    "      --ca=FILE             trust these certificates, too (PEM)\n"
			    "      --reuse=DIR           link blobs that lie in this directory under their digits\n"
			    "      --retries=N           tries after a failure, 0 to 100 (default 5)\n"
			    "      --timeout=SECONDS     give up a connection that brings nothing (default 30)\n"
			    "      --version             print the version and exit\n"
			    "  -h, --help                print this and exit\n"
			    "\n"
			    "Events are printed as lines of JSON. Exit status: 0, 64 wrong command line or\n"
			    "configuration, 65 digest or size wrong, 66 no such image, 69 network, 70 internal,\n"
			    "73 disk full, 74 DIR not writable, 75 DIR busy, 76 malformed answer or certificate\n"
			    "not trusted, 77 unauthorized.\n";

enum option_code {
	OPTION_PLATFORM = 256,
	OPTION_PLAIN_HTTP,
	OPTION_CA,
	OPTION_REUSE,
	OPTION_RETRIES,
	OPTION_TIMEOUT,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "platform", required_argument, NULL, OPTION_PLATFORM },
	{ "plain-http", no_argument, NULL, OPTION_PLAIN_HTTP },
	{ "ca", required_argument, NULL, OPTION_CA },
	{ "reuse", required_argument, NULL, OPTION_REUSE },
	{ "retries", required_argument, NULL, OPTION_RETRIES },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int wrong(const char *what, const char *value)
{
	fprintf(stderr, "lichen-fetch: %s%s\nTry 'lichen-fetch --help'.\n", what, value);
	return LICHEN_FETCH_USAGE;
}

static bool parse_number(const char *text, long least, long most, long *ret_number)
{
	char *end;
	errno = 0;
	long number = strtol(text, &end, 10);
	if (errno || *end || end == text || number < least || number > most)
		return false;
	*ret_number = number;
	return true;
}

/* One option. Returns -1, or the status to end with. */
static int take_option(int code, struct fetch_options *options)
{
	long number;
	switch (code) {
	case OPTION_PLATFORM:
		return platform_parse(optarg, &options->platform)
			     ? wrong("a platform is written OS/ARCH or OS/ARCH/VARIANT, not ", optarg)
			     : -1;
	case OPTION_PLAIN_HTTP:
		options->plain_http = true;
		return -1;
	case OPTION_CA:
		options->ca = optarg;
		return -1;
	case OPTION_REUSE:
		options->reuse = optarg;
		return -1;
	case OPTION_RETRIES:
		if (!parse_number(optarg, 0, 100, &number))
			return wrong("--retries is a number from 0 to 100, not ", optarg);
		options->retries = (unsigned)number;
		return -1;
	case OPTION_TIMEOUT:
		return parse_number(optarg, 1, 3600, &options->stall) ? -1
								      : wrong("--timeout is a number from 1 to 3600, not ", optarg);
	case OPTION_VERSION:
		puts("lichen-fetch " LICHEN_VERSION);
		return 0;
	case 'h':
		fputs(usage, stdout);
		return 0;
	default: /* getopt_long has said what is wrong */
		fputs("Try 'lichen-fetch --help'.\n", stderr);
		return LICHEN_FETCH_USAGE;
	}
}

static int call(void)
{
	struct fetch_error error;
	int status = call_run(STDIN_FILENO, STDOUT_FILENO, &error);
	if (status)
		fprintf(stderr, "lichen-fetch: %s\n", error.text);
	return status;
}

int main(int argc, char **argv)
{
	struct fetch_options options = { .platform = { "linux", "amd64", "" }, .stall = 30, .retries = 5 };
	struct fetch_error error = { .status = 0 };
	const char *why = "";
	for (int code; (code = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
		int status = take_option(code, &options);
		if (status >= 0)
			return status;
	}
	if (argc - optind == 1 && strcmp(argv[optind], "call") == 0)
		return call();
	if (argc - optind != 2)
		return wrong("it takes two words: what to fetch, and a directory", "");
	if (image_reference_parse(argv[optind], &options.reference, &why)) {
		fprintf(stderr, "lichen-fetch: '%s' is not an image reference: %s\n", argv[optind], why);
		return LICHEN_FETCH_USAGE;
	}
	options.dir = argv[optind + 1];
	signal(SIGXFSZ, SIG_IGN); /* a file-size limit is EFBIG then */
	if (sodium_init() < 0) {
		fputs("lichen-fetch: libsodium does not start\n", stderr);
		return LICHEN_FETCH_SOFTWARE;
	}
	int status = fetch_image(&options, stdout, &error);
	if (status)
		fprintf(stderr, "lichen-fetch: %s\n", error.text);
	else if (ferror(stdout))
		status = LICHEN_FETCH_IO;
	return status;
}
