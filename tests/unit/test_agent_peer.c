/* Goal: who says a lower epoch takes nobody's place at an agent.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent/peer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/packet_socket.h"
#include "runner/packet.h"
#include "unit.h"

static struct peer peer;
static struct protocol_message said;
static char folder[] = "/tmp/deploybot-peer-XXXXXX", path[64];

/* Somebody who connects, and is or is not the server at once. */
static int
come(bool is_server)
{
	int fd = packet_socket(path, false);

	assert_true(fd != -1);
	assert_int_equal(peer_accept(&peer), is_server);
	return fd;
}

static void
say(int fd, enum protocol_kind kind, uint64_t epoch)
{
	const struct protocol_message message = {
		.kind = kind, .version = PROTOCOL_VERSION, .proof.epoch = epoch
	};

	assert_int_equal(packet_send(fd, &message, NULL), PACKET_SENT);
}

static bool
is_closed(int fd)
{
	char byte;
	bool closed = recv(fd, &byte, 1, MSG_DONTWAIT) == 0;

	if (closed)
		(void)close(fd);
	return closed;
}

TEST(a_lower_hello_takes_no_place_and_a_later_one_does)
{
	struct err err;
	int first, other, root;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	root = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(peer_listen(&peer, root, "socket", &err));
	first = come(true);
	say(first, PROTOCOL_HELLO, 6); /* of less than was signed here once */
	assert_false(peer_hear(&peer, 7, &said));
	assert_true(peer.fd == -1 && is_closed(first));
	first = come(true);
	say(first, PROTOCOL_HELLO, 7);
	assert_true(peer_hear(&peer, 7, &said));
	other = come(false);
	assert_false(peer_hear_guest(&peer, 0, &said)); /* it has said nothing yet */
	say(other, PROTOCOL_HELLO, 6);
	assert_false(peer_hear_guest(&peer, 0, &said));
	assert_true(is_closed(other) && peer.guest == -1 && peer.epoch == 7);
	other = come(false);
	say(other, PROTOCOL_CHALLENGE, 0); /* hello comes first */
	assert_false(peer_hear_guest(&peer, 0, &said));
	assert_true(is_closed(other) && peer.guest == -1);
	say(first, PROTOCOL_CHALLENGE, 0);
	assert_true(peer_hear(&peer, 7, &said) && said.kind == PROTOCOL_CHALLENGE);
	other = come(false);
	say(other, PROTOCOL_HELLO, 8);
	assert_true(peer_hear_guest(&peer, 0, &said) && said.kind == PROTOCOL_HELLO);
	assert_true(is_closed(first) && peer.guest == -1 && peer.epoch == 8 && peer.fd != -1);
	peer_close(&peer);
	assert_true(is_closed(other));
	(void)close(root);
	assert_int_equal(unlink(path) | rmdir(folder), 0);
}
