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

TEST(an_order_to_go_that_does_not_come_in_time_is_none)
{
	char path[96];
	const struct protocol_message order = {
		.kind = PROTOCOL_RUN, .id = 12, .argument = "restart-web", .deadline_s = 60
	};
	static const char *const names[] = { "runs/12/log", "runs/12", "runs", "records", "" };
	int server;
	struct run_world world = { .systemd = NULL };
	struct run run;
	struct err err;

	SET(folder, "/tmp/deploybot-gate-XXXXXX");
	assert_non_null(mkdtemp(folder));
	world.state = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(records_open(&world.records, folder, &err));
	assert_true(run_begin(&run, &world, &order, "", &err));
	(void)snprintf(path, sizeof(path), "%s/runs/12/socket", folder);
	server = packet_socket(path, false);
	assert_true(server >= 0);
	run_accept(&run);
	run_advance(&run, &world);
	assert_int_equal(run.state, RUN_AT_GATE);
	assert_in_range(run_wait_ms(&run), 1, PROTOCOL_GATE_WAIT_S * 1000);
	run.due = clock_monotonic_ms();
	run_advance(&run, &world);
	assert_int_equal(run.state, RUN_OVER);
	assert_false(run.record->end.gate);
	assert_true(run.record->end.ended_at != 0);
	run_done(&run);
	close(server);
	close(world.records.fd);
	close(world.state);
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(remove(path), 0);
	}
}

TEST(a_stop_of_a_run_that_systemd_refuses_is_asked_for_again)
{
	struct run_world world = { .state = -1 };
	struct record record = { .id = 12, .capability = "restart-web" };
	struct run run = { .state = RUN_GOING, .record = &record, .folder = -1, .peer = PEER_NONE };

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
