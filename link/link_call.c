/* link_call.c - a ticket and words are shown, and stdin, stdout and stderr carried.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "link/link_call.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "link/link_settings.h"
#include "link/link_socket.h"

#define PIECE	     16384
#define STATUS_GONE  69
#define STATUS_LOST  255
#define PATIENCE_MS  30000 /* until deploybot-link, or the host, takes a packet */
#define FIRST_MAX    16384
#define STATUS_USAGE 64

/* Without end: the last packet has the status, or there is none. */
#define GOES_ON (-1)

static bool
send_packet(int fd, const char *packet, size_t size)
{
	struct pollfd room = { fd, POLLOUT, 0 };

	while (send(fd, packet, size, MSG_NOSIGNAL) == -1)
		if ((errno != EAGAIN && errno != EINTR) || poll(&room, 1, PATIENCE_MS) == 0)
			return false;
	return true;
}

static bool
send_first(int fd, char *const words[], const char *ticket)
{
	CLEANUP(buf_done) struct buf first = buf_make(FIRST_MAX);

	buf_addf(&first, "%s\n%s\n%s\n%s\n", words[0], words[1], words[2], ticket);
	for (size_t i = 3; words[i] != NULL; i++)
		buf_addf(&first, "%s%s", i == 3 ? "" : " ", words[i]);
	buf_addf(&first, "\n");
	return buf_check(&first, NULL) && send_packet(fd, buf_text(&first), first.size);
}

static void
write_all(int fd, const char *data, size_t size)
{
	for (ssize_t n; size > 0; data += n, size -= (size_t)n) {
		n = write(fd, data, size);
		if (n == -1 && errno != EINTR)
			return; /* nobody reads it */
		n = n < 0 ? 0 : n;
	}
}

/* Its end is one, too; then it is not asked again. */
static bool
pass_stdin(int fd, struct pollfd *in)
{
	char packet[1 + PIECE];
	ssize_t n = read(in->fd, packet + 1, PIECE);

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return true;
	packet[0] = '0';
	if (n <= 0)
		in->fd = -1;
	return send_packet(fd, packet, 1 + (size_t)(n < 0 ? 0 : n));
}

static int
pass_answer(int fd, const char *agent)
{
	char packet[LINK_SOCKET_MAX + 1];
	ssize_t n = recv(fd, packet, sizeof(packet) - 1, MSG_DONTWAIT);
	char *end;
	long status;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return GOES_ON;
	if (n > 0 && (packet[0] == '1' || packet[0] == '2')) {
		write_all(packet[0] - '0', packet + 1, (size_t)n - 1);
		return GOES_ON;
	}
	packet[n < 0 ? 0 : n] = '\0';
	status = n < 2 || packet[0] != 'x' ? -1 : strtol(packet + 1, &end, 10);
	if (status < 0 || status > 254) {
		(void)fprintf(stderr, "the connection to %s's agent broke\n", agent);
		return STATUS_LOST;
	}
	if (*end == ' ')
		(void)fprintf(stderr, "%s\n", end + 1);
	return (int)status;
}

int
link_call(char *const words[])
{
	const char *ticket = getenv("RELEASE_TICKET"), *path = getenv("LINK_CALLS");
	struct pollfd fds[] = { { -1, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
	struct err err;
	int status = GOES_ON;

	if (ticket == NULL) {
		(void)fputs(
		    "RELEASE_TICKET is not set: it comes with an order of the server\n", stderr);
		return STATUS_USAGE;
	}
	fds[0].fd = link_socket_connect(path == NULL ? LINK_CALLS_SOCKET : path, &err);
	if (fds[0].fd == -1) {
		(void)fprintf(stderr, "deploybot-link is not there: %s\n", err.text);
		return STATUS_GONE;
	}
	if (!send_first(fds[0].fd, words, ticket))
		return STATUS_GONE;
	while (status == GOES_ON && (poll(fds, COUNT(fds), -1) != -1 || errno == EINTR)) {
		if (fds[0].revents != 0)
			status = pass_answer(fds[0].fd, words[0]);
		else if (fds[1].revents != 0 && !pass_stdin(fds[0].fd, &fds[1]))
			fds[1].fd = -1; /* why is in its last packet, or there is none */
	}
	return status == GOES_ON ? STATUS_LOST : status;
}
