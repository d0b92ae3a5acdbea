/* SPDX-License-Identifier: Apache-2.0 */
/* io_uring: calls made by the kernel for a process, past the seccomp filter, which sees only io_uring_enter. */
#include "attack.h"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/socket.h>

struct ring {
	int fd;
	struct io_uring_params params;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
};

static int ring_make(struct ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
	if (ring->fd < 0)
		return errno;
	ring->sq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return (void *)ring->sq == MAP_FAILED || (void *)ring->cq == MAP_FAILED || (void *)ring->sqes == MAP_FAILED ? errno : 0;
}

/* One request through the ring: its result, -errno. */
static int ring_do(const struct io_uring_sqe *request)
{
	struct ring ring;
	int r = ring_make(&ring);

	if (r != 0)
		return -r;
	ring.sqes[0] = *request;
	*(uint32_t *)(void *)(ring.sq + ring.params.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(void *)(ring.sq + ring.params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	return ((struct io_uring_cqe *)(void *)(ring.cq + ring.params.cq_off.cqes))->res;
}

static int ring_open(const struct attack *a)
{
	char path[4096];
	int fd = ring_do(&(struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uint64_t)(uintptr_t)below(path, sizeof(path), a->outside, "secret"),
		.open_flags = O_RDONLY,
	});

	return fd < 0 ? -fd : is_secret(fd);
}

static int ring_socket(const struct attack *a)
{
	int fd = ring_do(&(struct io_uring_sqe){ .opcode = 45 /* IORING_OP_SOCKET */, .fd = AF_UNIX, .off = SOCK_STREAM });

	(void)a;
	return fd < 0 ? -fd : 0;
}

static const struct way ways[] = {
	{ "open", ring_open },
	{ "socket", ring_socket },
};

ATTACK_MAIN(ways)
