/* Goal: a server that does not read keeps nobody waiting, loses nothing while it may come round, and goes when not.
 * Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/connections.h"

#include "unit.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct connections connections;
static int theirs[CONNECTIONS_MAX + 1];

static struct connection *
add(size_t i)
{
	int pair[2], small = 1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	theirs[i] = pair[1];
	return connections_add(&connections, pair[0]);
}

static int
begin(UNUSED void **state)
{
	memset(&connections, 0, sizeof(connections));
	memset(theirs, -1, sizeof(theirs));
	return 0;
}

static int
finish(UNUSED void **state)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (connections.all[i].number != 0)
			connections_remove(&connections.all[i]);
	}
	for (size_t i = 0; i < COUNT(theirs); i++) {
		if (theirs[i] != -1)
			(void)close(theirs[i]);
	}
	return 0;
}

/* The id of the next `settled` that this server hears; 0: nothing is there. */
static uint64_t
hear(size_t i)
{
	struct protocol_message message;
	char packet[1024];
	ssize_t n = recv(theirs[i], packet, sizeof(packet), MSG_DONTWAIT);

	if (n <= 0)
		return 0;
	assert_true(protocol_decode(packet, (size_t)n, &message, NULL));
	return message.id;
}

static struct protocol_message
reconciled(uint64_t id)
{
	return (struct protocol_message){
		.kind = PROTOCOL_RECONCILED, .id = id, .state = PROTOCOL_STATE_NEVER
	};
}

TEST_WITH(a_number_is_never_given_again, begin, finish)
{
	const struct protocol_message message = reconciled(1);
	struct connection *first = add(0);
	uint64_t number = first->number;

	connections_remove(first);
	assert_ptr_equal(add(1), first);		 /* the same place */
	connections_say(&connections, number, &message); /* to one that has gone */
	connections_say(&connections, 0, &message);
	assert_int_equal(hear(1), 0);
}

TEST_WITH(there_is_room_for_so_many, begin, finish)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		assert_non_null(add(i));
	assert_null(add(CONNECTIONS_MAX));
	assert_int_equal(
	    recv(theirs[CONNECTIONS_MAX], &(char){ 0 }, 1, MSG_DONTWAIT), 0); /* closed */
}

TEST_WITH(what_does_not_fit_waits_and_keeps_its_order, begin, finish)
{
	struct connection *slow = add(0), *other = add(1);
	uint64_t said = 0, heard = 0;

	slow->greeted = other->greeted = true;
	while (slow->queued < 3) {
		const struct protocol_message message = reconciled(++said);

		connections_say_all(&connections, &message);
		assert_false(slow->is_lost);
		assert_int_equal(hear(1), said); /* who reads hears it at once */
	}
	assert_int_equal(connections_events(slow), POLLOUT); /* no more orders of it until then */
	assert_int_equal(connections_events(other), POLLIN);
	assert_true(slow->due != 0);
	while (heard < said) {
		uint64_t id = hear(0);

		if (id == 0)
			connections_flush(slow);
		else
			assert_int_equal(id, ++heard);
	}
	assert_int_equal(slow->queued, 0);
	assert_int_equal(slow->due, 0);
	assert_int_equal(connections_events(slow), POLLIN);
}

TEST_WITH(one_that_never_reads_is_lost, begin, finish)
{
	struct connection *slow = add(0);
	uint64_t said = 0;

	slow->greeted = true;
	while (!slow->is_lost && said < 10000) {
		const struct protocol_message message = reconciled(++said);

		connections_say_all(&connections, &message);
	}
	assert_true(slow->is_lost);
	assert_int_equal(slow->queued, CONNECTIONS_QUEUE_MAX);
}

TEST_WITH(one_whose_time_is_over_is_lost, begin, finish)
{
	struct connection *waits = add(0), *fine = add(1);
	struct timespec now;

	assert_int_equal(connections_expire(&connections), -1);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	waits->due = now.tv_sec * INT64_C(1000) + 60000;
	assert_in_range(connections_expire(&connections), 1, 60001);
	assert_false(waits->is_lost);
	waits->due = 1;
	(void)connections_expire(&connections);
	assert_true(waits->is_lost);
	assert_false(fine->is_lost);
}

TEST_WITH(who_has_not_said_hello_hears_nothing_unasked, begin, finish)
{
	const struct protocol_message message = reconciled(4);
	struct connection *stranger = add(0);

	connections_say_all(&connections, &message);
	assert_int_equal(hear(0), 0);
	connections_say(&connections, stranger->number, &message);
	assert_int_equal(hear(0), 4);
}

TEST_WITH(one_that_has_gone_is_no_error, begin, finish)
{
	const struct protocol_message message = reconciled(4);
	struct connection *gone = add(0);

	(void)close(theirs[0]);
	theirs[0] = -1;
	connections_say(&connections, gone->number, &message);
	assert_true(gone->is_lost);
	assert_int_equal(gone->lost_errno, 0);
}
