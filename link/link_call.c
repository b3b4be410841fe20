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
#include "lib/file.h"
#include "lib/release_ticket.h"
#include "link/link_calls.h"
#include "link/link_frame.h"
#include "link/link_settings.h"
#include "link/link_socket.h"

#define PIECE	     16384
#define STATUS_GONE  69
#define STATUS_LOST  255
#define PATIENCE_MS  30000 /* until deploybot-link, or the host, takes a packet */
#define CALL_MAX     16384
#define STATUS_USAGE 64
#define NOT_BEGUN    "nothing was begun: " /* transports/ssh/switch.sh knows it */

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

/* What the agent has drawn is there: the call, and what proves it.  False: none is sent. */
static bool
send_call(int fd, char *const words[], const char *ticket, const char *challenge)
{
	CLEANUP(buf_done) struct buf call = buf_make(CALL_MAX), said = buf_make(CALL_MAX);
	char signature[2 * CRYPTO_ED25519_SIGNATURE + 1];
	struct err err;

	buf_addf(&said, "%s ", words[1]);
	for (size_t i = 3; words[i] != NULL; i++)
		buf_addf(&said, "%s%s", i == 3 ? "" : " ", words[i]);
	if (!release_call_sign(ticket,
		&(struct release_call){ words[0], words[2], buf_text(&said), challenge }, signature,
		&err))
		return !fprintf(stderr, NOT_BEGUN "%s\n", err.text);
	buf_addf(&call, "%s\n%s\n%.*s\n%s\n%s\n", words[1], words[2], /* its seed goes nowhere */
	    (int)(strrchr(ticket, ' ') - ticket), ticket, buf_text(&said) + strlen(words[1]) + 1,
	    signature);
	if (!buf_check(&said, NULL) || !buf_check(&call, NULL))
		return !fprintf(stderr,
		    NOT_BEGUN "the call is too long: more than %d bytes with its ticket\n",
		    CALL_MAX);
	(void)send_packet(fd, buf_text(&call), call.size); /* the last answer says why */
	return true;
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

/* The first has what the agent has drawn: one call is signed, and then stdin is read. */
static int
pass_answer(int fd, struct pollfd *in, char *const words[], const char **ticket)
{
	char packet[LINK_SOCKET_MAX + 1];
	ssize_t n = recv(fd, packet, sizeof(packet) - 1, MSG_DONTWAIT);
	char *end;
	long status;

	if (n == -1 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET))
		return GOES_ON; /* the last: once, and before what was said */
	packet[n < 0 ? 0 : n] = '\0';
	if (packet[0] == 'n' && *ticket != NULL) {
		in->fd = STDIN_FILENO;
		return send_call(fd, words, TAKE(*ticket), packet + 1) ? GOES_ON : STATUS_USAGE;
	}
	if (n > 0 && (packet[0] == '1' || packet[0] == '2')) {
		if (!file_write_all(packet[0] - '0', packet + 1, (size_t)n - 1, NULL))
			errno = 0; /* nobody reads it */
		return GOES_ON;
	}
	status = n < 2 || packet[0] != 'x' ? -1 : strtol(packet + 1, &end, 10);
	if (status < 0 || status > 254) {
		if (*ticket != NULL) /* nothing was shown to it */
			(void)fputs(NOT_BEGUN, stderr);
		if (strcmp(packet, LINK_CALLS_GONE) != 0)
			(void)fputs("deploybot-link on this machine has ended\n", stderr);
		else
			(void)fprintf(stderr,
			    *ticket != NULL ? "%s's agent does not answer\n" :
					      "the connection to %s's agent broke\n",
			    words[0]);
		return *ticket != NULL ? STATUS_GONE : STATUS_LOST;
	}
	if (*end == ' ')
		(void)fprintf(stderr, NOT_BEGUN "%s\n", end + 1);
	return (int)status;
}

int
link_call(char *const words[])
{
	const char *ticket = getenv("RELEASE_TICKET"), *path = getenv("LINK_CALLS");
	struct pollfd fds[] = { { -1, POLLIN, 0 }, { -1, POLLIN, 0 } };
	char name[LINK_NAME + 1];
	struct err err;
	int status = GOES_ON;

	if (ticket == NULL) {
		(void)fputs(
		    "RELEASE_TICKET is not set: it comes with an order of the server\n", stderr);
		return STATUS_USAGE;
	}
	fds[0].fd = link_socket_open(path == NULL ? LINK_CALLS_SOCKET : path, false, &err);
	if (fds[0].fd == -1) {
		(void)fprintf(stderr, NOT_BEGUN "deploybot-link on this machine is not there: %s\n",
		    err.text);
		return STATUS_GONE;
	}
	(void)snprintf(name, sizeof(name), "%s\n", words[0]);
	if (!send_packet(fds[0].fd, name, strlen(name)) && errno != EPIPE) { /* it said why */
		(void)fputs(NOT_BEGUN "deploybot-link does not answer\n", stderr);
		return STATUS_GONE;
	}
	while (status == GOES_ON && (poll(fds, COUNT(fds), -1) != -1 || errno == EINTR)) {
		if (fds[0].revents != 0)
			status = pass_answer(fds[0].fd, &fds[1], words, &ticket);
		else if (fds[1].revents != 0 && !pass_stdin(fds[0].fd, &fds[1]))
			fds[1].fd = -1; /* why is in its last packet, or there is none */
	}
	return status == GOES_ON ? STATUS_LOST : status;
}
