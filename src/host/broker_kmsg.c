/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BROKER_KMSG: streams of the cell's log. A reader gets the records it has not had, one a datagram, as fast as it takes them; one that
 * lags by more than the log keeps goes on with the oldest record. What a writer sends becomes a record, but for datagrams that begin with
 * a NUL, which are its agent's: see enum broker_kmsg_flag.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/broker_int.h"

#define RECORDS_AT_ONCE (int)KMSG_RECORDS
#define ROOM (1 << 20) /* of a reader: one that does not wait finds all that is there, up to some 1500 records */

struct stream {
	struct source source;
	struct stream *next, **link;
	int fd;
	u32 flags;
	u64 number;   /* the next record to send */
	u64 end;      /* BROKER_KMSG_ONCE: where to stop */
	bool blocked; /* waits for room */
};

static void stream_end(struct broker *broker, struct stream *stream)
{
	*stream->link = stream->next;
	if (stream->next)
		stream->next->link = stream->link;
	broker->stream_count--;
	(void)epoll_ctl(broker->epoll, EPOLL_CTL_DEL, stream->fd, NULL);
	close_fd(&stream->fd);
	free(stream);
}

/* Sends what there is to send. False when the stream is over: it has ended. */
static bool stream_send(struct broker *broker, struct stream *stream)
{
	u64 end = stream->end < broker->log.next ? stream->end : broker->log.next;
	bool blocked = false;

	for (int i = 0; (stream->flags & BROKER_KMSG_READ) && stream->number < end && !blocked; i++) {
		const struct kmsg_record *record;

		if (stream->number < broker->log.first)
			stream->number = broker->log.first;
		record = kmsg_log_record(&broker->log, stream->number);
		if (i < RECORDS_AT_ONCE && send(stream->fd, record->bytes, record->size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			stream->number++;
		else if (i == RECORDS_AT_ONCE || errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
			blocked = true;
		else
			stream->number = end = stream->end = 0; /* nobody there */
	}
	if (!blocked && stream->number >= stream->end) {
		stream_end(broker, stream);
		return false;
	}
	if (blocked != stream->blocked) {
		stream->blocked = blocked;
		return broker_listen(broker, stream->fd, EPOLLIN | (blocked ? (u32)EPOLLOUT : 0), &stream->source) == 0;
	}
	return true;
}

static void send_all(struct broker *broker)
{
	struct stream *next;

	for (struct stream *stream = broker->streams; stream; stream = next) {
		next = stream->next;
		if (!stream->blocked)
			(void)stream_send(broker, stream);
	}
}

/* See enum broker_kmsg_flag. */
static void stream_seek(struct broker *broker, struct stream *stream, const char *bytes, size_t size)
{
	if (size == 1 + sizeof(u64)) {
		memcpy(&stream->number, bytes + 1, sizeof(u64));
		if (stream->number > broker->log.next)
			stream->number = broker->log.next;
	}
	(void)send(stream->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void stream_ready(struct broker *broker, struct source *source, u32 events)
{
	struct stream *stream = (struct stream *)source; /* its first member */
	char bytes[KMSG_WRITE_MAX];
	ssize_t n = recv(stream->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0 && !bytes[0]) {
		stream_seek(broker, stream, bytes, (size_t)n);
	} else if (n > 0 && (stream->flags & BROKER_KMSG_WRITE)) {
		kmsg_log_write(&broker->log, bytes, (size_t)n);
		send_all(broker);
		return; /* the stream itself may have ended */
	} else if ((n < 0 && (events & (EPOLLHUP | EPOLLERR))) ||
		   (n == 0 && recv(stream->fd, bytes, 1, MSG_DONTWAIT | MSG_PEEK) == 0)) { /* once: an empty datagram */
		stream_end(broker, stream);
		return;
	}
	(void)stream_send(broker, stream);
}

void broker_kmsg(struct broker *broker, u32 flags, u64 number, int fd)
{
	static const int room = ROOM;
	struct stream *stream = broker->stream_count < BROKER_STREAMS_MAX ? calloc(1, sizeof(*stream)) : NULL;
	int type = 0;
	socklen_t size = sizeof(type);

	if (!stream || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET) {
		free(stream);
		(void)close(fd);
		return;
	}
	*stream = (struct stream){ .source.ready = stream_ready,
				   .next = broker->streams,
				   .link = &broker->streams,
				   .fd = fd,
				   .flags = flags,
				   .number = (flags & BROKER_KMSG_READ) && number < broker->log.next ? number : broker->log.next,
				   .end = (flags & BROKER_KMSG_ONCE) ? broker->log.next : UINT64_MAX };
	if ((flags & BROKER_KMSG_READ) && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (stream->next)
		stream->next->link = &stream->next;
	broker->streams = stream;
	broker->stream_count++;
	if (broker_listen(broker, fd, EPOLLIN, &stream->source) < 0)
		stream_end(broker, stream);
	else
		(void)stream_send(broker, stream);
}

void broker_kmsg_free(struct broker *broker)
{
	while (broker->streams)
		stream_end(broker, broker->streams); /* NOLINT(clang-analyzer-unix.Malloc): takes it off the list by its link */
}
