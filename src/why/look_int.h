/* SPDX-License-Identifier: Apache-2.0 */
/* The single looks. Each writes a sentence without full stop, or nothing. */
#ifndef LICHEN_WHY_LOOK_INT_H
#define LICHEN_WHY_LOOK_INT_H

#include "why/look.h"

void look_path(const struct look_subject *subject, char *text, size_t size);
void look_program(const struct look_subject *subject, char *text, size_t size);
void look_library(const struct look_subject *subject, char *text, size_t size);
void look_elf(const struct look_subject *subject, char *text, size_t size);
void look_daemon(const struct look_subject *subject, char *text, size_t size);
void look_port(const struct look_subject *subject, char *text, size_t size);
void look_port_low(const struct look_subject *subject, char *text, size_t size);
void look_socket(const struct look_subject *subject, char *text, size_t size);
void look_disk(const struct look_subject *subject, char *text, size_t size);
void look_memory(const struct look_subject *subject, char *text, size_t size);
void look_oom(const struct look_subject *subject, char *text, size_t size);
void look_shm(const struct look_subject *subject, char *text, size_t size);
void look_route(const struct look_subject *subject, char *text, size_t size);
void look_dns(const struct look_subject *subject, char *text, size_t size);
void look_privilege(const struct look_subject *subject, char *text, size_t size);

/* The first line of a file that begins with `key` (NULL: the first line), behind the key, without its newline. Returns whether there is one. */
bool look_file_line(const char *path, const char *key, char *text, size_t size);
/* "1.0 MiB" */
const char *look_bytes(u64 bytes, char text[24]);
/* Where a program of this name is on PATH. Returns whether there is one. */
bool look_on_path(const char *name, char *path, size_t size);
/* A process whose program or comm has this name; 0 = none runs. */
int look_pid_of(const char *name);
/* "nginx (pid 12)" for the process that holds a socket's inode; false: not found, or not ours to see. */
bool look_holder(unsigned long inode, char *text, size_t size);

#endif
