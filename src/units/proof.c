/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that a daemon does its work, not only answers: dockerd runs a container. Over its API, with one connection a request (HTTP/1.0, so that an
 * answer ends with its connection):
 *
 *   an image of one file is imported, a program of 15 bytes whose end has status 0
 *   a container of it without a network is made, started, and waited for
 *   both are removed, whatever came of it; so is what a proof left that was killed: the names are always the same
 */
#include <elf.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "base/write_bytes.h"
#include "units/profile.h"

#define IMAGE "lichen-proof"
#define CONTAINER "lichen-proof"
#define ANSWER_MS 600000 /* the unit's own time to start ends it before */
#define ANSWER_MAX 65536
#define BLOCK 512u
#define LOADED_AT 0x400000u

/* --- the image ------------------------------------------------------------------------------------------------------------------------------ */

/* elf(5): one segment, the whole file. */
static const struct program {
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	u8 code[15];
} program = {
	.head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_SYSV },
		  .e_type = ET_EXEC,
		  .e_machine = EM_X86_64,
		  .e_version = EV_CURRENT,
		  .e_entry = LOADED_AT + offsetof(struct program, code),
		  .e_phoff = offsetof(struct program, segment),
		  .e_ehsize = sizeof(Elf64_Ehdr),
		  .e_phentsize = sizeof(Elf64_Phdr),
		  .e_phnum = 1 },
	.segment = { .p_type = PT_LOAD,
		     .p_flags = PF_R | PF_X,
		     .p_vaddr = LOADED_AT,
		     .p_paddr = LOADED_AT,
		     .p_filesz = sizeof(struct program),
		     .p_memsz = sizeof(struct program),
		     .p_align = 4096 },
	.code = { 0xb8, 231, 0, 0, 0, /* mov $SYS_exit_group, %eax */
		  0xbf, 0, 0, 0, 0,   /* mov $0, %edi */
		  0x0f, 0x05,         /* syscall */
		  0x0f, 0x0b, 0x90 }, /* ud2 */
};

/* tar(5), ustar: a header, the file, two empty blocks. */
struct archive {
	struct {
		char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2],
			rest[247];
	} header;
	u8 file[BLOCK], end[2 * BLOCK];
};
static_assert(sizeof(struct archive) == 4 * BLOCK && sizeof(struct program) <= BLOCK, "tar has blocks of 512 bytes");

static void make_archive(struct archive *archive)
{
	unsigned sum = 0;

	*archive = (struct archive){ .header = { .name = "true",
						 .mode = "0000755",
						 .uid = "0000000",
						 .gid = "0000000",
						 .mtime = "00000000000",
						 .checksum = { ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ' },
						 .type = '0',
						 .magic = "ustar",
						 .version = { '0', '0' } } };
	(void)snprintf(archive->header.size, sizeof(archive->header.size), "%011o", (unsigned)sizeof(program));
	memcpy(archive->file, &program, sizeof(program));
	for (size_t i = 0; i < sizeof(archive->header); i++)
		sum += ((const u8 *)&archive->header)[i];
	(void)snprintf(archive->header.checksum, sizeof(archive->header.checksum), "%06o", sum);
}

/* --- requests ------------------------------------------------------------------------------------------------------------------------------- */

struct asking {
	const struct request *at;
	char *answer; /* of the last request: what is behind its head */
	int status;   /* HTTP's */
	char *why;
	size_t why_size;
};

/* Reads to the connection's end, at most ANSWER_MAX bytes. */
static int receive(int fd, struct asking *asking)
{
	ssize_t got = read_bytes_into(fd, asking->answer, ANSWER_MAX - 1);
	char *body;

	if (got < 0)
		return (int)got;
	asking->answer[got] = '\0';
	body = strstr(asking->answer, "\r\n\r\n");
	if (!body || strncmp(asking->answer, "HTTP/1.", 7) != 0)
		return -EPROTO;
	asking->status = (int)strtol(asking->answer + 9, NULL, 10);
	memmove(asking->answer, body + 4, strlen(body + 4) + 1);
	return 0;
}

static int request(struct asking *asking, const char *what, const char *type, const void *body, size_t size)
{
	CLEANUP_FD int fd = request_connect(asking->at->address, ANSWER_MS);
	char head[512];
	int r = fd < 0 ? fd : 0, length;

	length = snprintf(head, sizeof(head),
			  "%s HTTP/1.0\r\nHost: docker\r\nUser-Agent: lichen\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
			  what, type, size);
	if (r == 0)
		r = send_bytes(fd, head, (size_t)length);
	if (r == 0)
		r = send_bytes(fd, body, size);
	if (r == 0)
		r = receive(fd, asking);
	if (r < 0)
		(void)snprintf(asking->why, asking->why_size, "%s: %s", what, r == -EPROTO ? "no answer" : strerrordesc_np(-r));
	return r;
}

static int ask(struct asking *asking, const char *what)
{
	return request(asking, what, "application/json", "", 0);
}

/* The answer to a request that has to work; NULL: it does not, and the daemon's own message is why. */
static json_t *answer_of(struct asking *asking, const char *doing)
{
	json_t *answer = json_loads(asking->answer, JSON_DISABLE_EOF_CHECK, NULL);
	const char *message = json_string_value(json_object_get(answer, "message"));

	if (!message) /* of a stream that has begun well */
		message = json_string_value(json_object_get(answer, "error"));
	if (asking->status / 100 == 2 && !message)
		return answer ? answer : json_object();
	(void)snprintf(asking->why, asking->why_size, "%s: %s", doing, message ? message : "it was refused");
	json_decref(answer);
	return NULL;
}

/* --- the steps ------------------------------------------------------------------------------------------------------------------------------ */

static void clear_up(struct asking *asking)
{
	char why[64];
	struct asking quiet = { .at = asking->at, .answer = asking->answer, .why = why, .why_size = sizeof(why) };

	(void)ask(&quiet, "DELETE /containers/" CONTAINER "?force=1&v=1");
	(void)ask(&quiet, "DELETE /images/" IMAGE "?force=1");
}

static int step(struct asking *asking, const char *what, const char *type, const void *body, size_t size, const char *doing)
{
	json_t *answer;
	int r = request(asking, what, type, body, size);

	if (r < 0)
		return r;
	answer = answer_of(asking, doing);
	json_decref(answer);
	return answer ? 0 : -EIO;
}

static int await_end(struct asking *asking)
{
	int r = ask(asking, "POST /containers/" CONTAINER "/wait"), status;
	json_t *answer;

	if (r < 0)
		return r;
	answer = answer_of(asking, "waiting for it");
	if (!answer)
		return -EIO;
	status = (int)json_integer_value(json_object_get(answer, "StatusCode"));
	if (!json_is_integer(json_object_get(answer, "StatusCode")))
		status = -1;
	json_decref(answer);
	if (status)
		(void)snprintf(asking->why, asking->why_size, "its program ended with status %d", status);
	return status ? -EIO : 0;
}

static int run_container(struct asking *asking)
{
	static const char configuration[] = "{\"Image\":\"" IMAGE "\",\"Cmd\":[\"/true\"],"
					    "\"HostConfig\":{\"NetworkMode\":\"none\",\"LogConfig\":{\"Type\":\"none\"}}}";
	struct archive archive;
	int r;

	make_archive(&archive);
	r = step(asking, "POST /images/create?fromSrc=-&repo=" IMAGE, "application/x-tar", &archive, sizeof(archive),
		 "importing an image");
	if (r == 0)
		r = step(asking, "POST /containers/create?name=" CONTAINER, "application/json", configuration,
			 sizeof(configuration) - 1, "making a container");
	if (r == 0)
		r = step(asking, "POST /containers/" CONTAINER "/start", "application/json", "", 0, "starting a container");
	return r == 0 ? await_end(asking) : r;
}

int proof_make(const struct request *at, char *why, size_t size)
{
	CLEANUP_FREE char *answer = malloc(ANSWER_MAX);
	struct asking asking = { .at = at, .answer = answer, .why = why, .why_size = size };
	int r;

	if (!answer)
		return -ENOMEM;
	clear_up(&asking);
	r = run_container(&asking);
	clear_up(&asking);
	return r;
}
