/* Goal: a run at its gate ends by the clock, also where a server is connected and says nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent/run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/text.h"
#include "unit.h"

TEST(an_order_to_go_that_does_not_come_in_time_is_none)
{
	char folder[] = "/tmp/deploybot-gate-XXXXXX", path[96];
	const struct protocol_message order = {
		.kind = PROTOCOL_RUN, .id = 12, .argument = "restart-web", .deadline_s = 60
	};
	static const char *const names[] = { "runs/12/log", "runs/12", "runs", "records", "" };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct run_world world = { .systemd = NULL };
	struct run run;
	struct err err;

	assert_non_null(mkdtemp(folder));
	world.state = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(records_open(&world.records, folder, &err));
	assert_true(run_begin(&run, &world, &order, &err));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/runs/12/socket", folder);
	assert_int_equal(connect(server, (struct sockaddr *)&address, sizeof(address)), 0);
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
