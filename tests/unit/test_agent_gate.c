/* Goal: a run at its gate ends by the clock, also where a server says nothing; a stop is tried again.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent/call.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "agent_systemd_aid.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/packet_socket.h"
#include "lib/text.h"
#include "unit.h"

static struct run_world world;
static struct run run;

/* Run 12 is at its gate, ordered in that epoch. */
static void
begin(uint64_t epoch)
{
	const struct protocol_message order = { .kind = PROTOCOL_RUN,
		.id = 12,
		.argument = "restart-web",
		.deadline_s = 60,
		.proof.epoch = epoch };
	struct err err;

	SET(folder, "/tmp/deploybot-gate-XXXXXX");
	assert_non_null(mkdtemp(folder));
	world = (struct run_world){ .state = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC) };
	assert_true(records_open(&world.records, folder, &err));
	assert_true(run_begin(&run, &world, &order, "", &err));
}

static int
come(void)
{
	char path[96];
	int server;

	(void)snprintf(path, sizeof(path), "%s/runs/12/socket", folder);
	server = packet_socket(path, false);
	assert_true(server >= 0);
	run_accept(&run);
	return server;
}

/* It never ran. */
static void
leave(void)
{
	static const char *const names[] = { "runs/12/log", "runs/12", "runs", "records", "" };
	char path[96];

	assert_int_equal(run.state, RUN_OVER);
	assert_false(run.record->end.gate);
	assert_true(run.record->end.ended_at != 0);
	run_done(&run);
	close(world.records.fd);
	close(world.state);
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(remove(path), 0);
	}
}

TEST(an_order_to_go_that_does_not_come_in_time_is_none)
{
	int server;

	begin(0);
	server = come();
	run_advance(&run, &world);
	assert_int_equal(run.state, RUN_AT_GATE);
	assert_in_range(run_wait_ms(&run), 1, PROTOCOL_GATE_WAIT_S * 1000);
	run.due = clock_monotonic_ms();
	run_advance(&run, &world);
	close(server);
	leave();
}

static void
say_hello(int server, uint64_t epoch)
{
	const struct protocol_message hello = {
		.kind = PROTOCOL_HELLO, .version = PROTOCOL_VERSION, .proof.epoch = epoch
	};

	say(server, &hello);
}

TEST(the_end_of_a_server_of_a_lower_epoch_shuts_no_gate)
{
	char hello[PROTOCOL_PACKET_MAX];
	int deposed, server;

	begin(7);
	deposed = come();
	say_hello(deposed, 6);
	run_hear(&run, &world, false);
	assert_true(run.peer.fd == -1 && run.state == RUN_AT_GATE);
	close(deposed);
	server = come();
	say_hello(server, 8);
	run_hear(&run, &world, false);
	deposed = come();
	say_hello(deposed, 7);
	run_hear(&run, &world, true);
	run_hear(&run, &world, false);
	assert_true(run.peer.fd != -1 && run.state == RUN_AT_GATE);
	close(deposed);
	deposed = server; /* by this one */
	server = come();
	say_hello(server, 9);
	run_hear(&run, &world, true);
	close(deposed);
	run_hear(&run, &world, false);
	assert_true(run.peer.epoch == 9 && run.state == RUN_AT_GATE);
	assert_true(recv(server, hello, sizeof(hello), 0) > 0); /* as one that came alone */
	close(server);
	run_hear(&run, &world, false);
	leave();
}

TEST(a_stop_of_a_run_that_systemd_refuses_is_asked_for_again)
{
	struct record record = { .id = 12, .capability = "restart-web" };

	world = (struct run_world){ .state = -1 };
	run =
	    (struct run){ .state = RUN_GOING, .record = &record, .folder = -1, .peer = PEER_NONE };
	host = (__typeof__(host)){ .events = -1, .stops_refused = 2 };
	for (int stops = 1; stops <= 3; stops++) {
		run.due = clock_monotonic_ms();
		run_advance(&run, &world);
		assert_int_equal(host.stops, stops);
		assert_int_equal(run.state, RUN_GOING);
		if (stops < 3)
			assert_in_range(run_wait_ms(&run), 1, 5000);
	}
	assert_int_equal(run_wait_ms(&run), -1); /* this one was taken */
}

TEST(a_stop_of_a_call_that_systemd_refuses_is_asked_for_again)
{
	struct calls calls = { .folder = -1, .listener = -1 };
	struct call *call = mem_new(1, sizeof(*call));
	struct pollfd fds[CALLS_FDS];
	int wait_ms;

	*call = (struct call){ .state = CALL_GOING, .peer = -1, .in = -1, .out = -1, .err = -1 };
	host = (__typeof__(host)){ .events = -1, .stops_refused = 2 };
	calls.all[0] = call;
	for (int stops = 1; stops <= 3; stops++) {
		call->due = clock_monotonic_ms();
		calls_advance(&calls);
		assert_int_equal(host.stops, stops);
		assert_true(calls_are_open(&calls));
		calls_watch(&calls, fds, (wait_ms = -1, &wait_ms));
		if (stops < 3)
			assert_in_range(wait_ms, 1, 30000);
	}
	assert_int_equal(wait_ms, -1);
	calls_close(&calls);
}
