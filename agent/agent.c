/* agent.c - what the server says on runner.sock, and the loop around it and the run.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "agent/call.h"
#include "agent/run.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"

struct agent {
	struct run_world world;
	struct peer server;
	struct run run;
	struct calls calls;
	int signals;
	bool is_leaving, may_differ; /* another manifest than was said */
	char said[sizeof(((struct protocol_manifest *)0)->digest)];
};

/* --- hello and settle --------------------------------------------------------------------- */

static void
on_hello(struct agent *agent, const struct protocol_message *message)
{
	struct protocol_message hello = { .kind = PROTOCOL_HELLO,
		.version = PROTOCOL_VERSION,
		.proof.clock_s = clock_wall_ms() / 1000,
		.proof.epoch = records_epoch(&agent->world.records) };
	struct err err;

	if (!manifest_make(agent->world.systemd, &hello.manifest, &err)) {
		log_error("%s", err.text);
		peer_hang_up(&agent->server);
	} else if (peer_say(&agent->server, &hello)) {
		agent->server.is_greeted = true;
		(void)text_copy(agent->said, sizeof(agent->said), hello.manifest.digest);
		if (message->version < PROTOCOL_AGENT_SINCE) /* it knows no agents */
			peer_hang_up(&agent->server);
	}
}

/* That it never began, or what is known of it. */
static void
on_reconcile(struct agent *agent, uint64_t id)
{
	struct protocol_message answer = { .kind = PROTOCOL_RECONCILED, .id = id };
	const struct record *record = records_find(&agent->world.records, id);

	if (record != NULL && record == agent->run.record) {
		answer.state = PROTOCOL_STATE_ALIVE;
	} else if (record != NULL) {
		answer.record = record->end;
		answer.state = record->end.lost ? PROTOCOL_STATE_LOST : PROTOCOL_STATE_ENDED;
	} else if (id < records_slot(&agent->world.records)->id) {
		answer.state = PROTOCOL_STATE_LOST; /* its record has made room for others */
		answer.record.gate = answer.record.lost = true;
	} else {
		/* An order that was signed before this may still be on its way: it is void. */
		agent->server.challenge = (struct order_challenge){ .due = 0 };
		answer.state = PROTOCOL_STATE_NEVER;
	}
	(void)peer_say(&agent->server, &answer); /* or it is hung up on, and asks again */
}

static void
on_read(struct agent *agent, uint64_t id)
{
	char end[PROTOCOL_END_MAX];
	struct protocol_message answer = { .kind = PROTOCOL_PIECE, .id = id, .body = end };

	answer.body_len = run_log_end(agent->world.state, id, end);
	(void)peer_say(&agent->server, &answer); /* or it is hung up on */
}

/* --- run ---------------------------------------------------------------------------------- */

static bool
check_id(struct agent *agent, uint64_t id, enum protocol_why *ret_why, struct err *err)
{
	*ret_why = PROTOCOL_WHY_EXISTS;
	if (records_find(&agent->world.records, id) != NULL)
		return err_set(err, ERR_DENIED, "there is a record of it already");
	*ret_why = PROTOCOL_WHY_INVALID;
	if (id < records_lowest(&agent->world.records))
		return err_set(err, ERR_DENIED, "its number is below those of all records");
	*ret_why = PROTOCOL_WHY_FAILED;
	return (agent->run.state == RUN_NONE && !agent->is_leaving) ||
	    err_set(err, ERR_BUSY, "another run is in progress here, or the agent is stopping");
}

/* It is signed, and for what this host has now; else `settings` of the answer is its manifest. */
static bool
take_order(struct agent *agent, const struct protocol_message *order,
    struct protocol_message *answer, struct err *err)
{
	const struct order_shown shown = { .bytes = { .kind = protocol_kind_name(order->kind),
					       .capability = order->argument,
					       .run = order->id,
					       .epoch = order->proof.epoch,
					       .manifest = order->fingerprint,
					       .challenge = order->proof.challenge },
		.signature = order->proof.signature,
		.lowest = records_epoch(&agent->world.records) };
	struct protocol_manifest now;
	const char *digest;

	answer->why = PROTOCOL_WHY_INVALID;
	if (!order_check(&agent->server.challenge, &shown, agent->world.settings, err) ||
	    !check_id(agent, order->id, &answer->why, err) ||
	    !manifest_make(agent->world.systemd, &now, err))
		return false;
	if (strcmp(now.digest, order->fingerprint) != 0) {
		answer->why = PROTOCOL_WHY_CHANGED;
		static_assert(sizeof(answer->settings) >= MANIFEST_LIST, "each list fits");
		manifest_list(&now, answer->settings);
		return err_set(err, ERR_CHANGED, "its manifest is not that of this host now");
	}
	digest = manifest_find(&now, order->argument);
	if (order->program == PROTOCOL_PROGRAM_ACTION && digest != NULL &&
	    strcmp(order->argument, MANIFEST_RELEASE) != 0)
		return run_begin(&agent->run, &agent->world, order, digest, err);
	answer->why = PROTOCOL_WHY_INVALID;
	return err_set(err, ERR_DENIED, "this host has no capability %s", order->argument);
}

static void
on_run(struct agent *agent, const struct protocol_message *order)
{
	struct protocol_message answer = { .kind = PROTOCOL_REFUSED, .id = order->id };
	struct err err;

	CRASH_POINT(agent_order_read);
	if (take_order(agent, order, &answer, &err)) {
		answer = (struct protocol_message){ .kind = PROTOCOL_STARTED, .id = order->id };
	} else {
		(void)text_copy(answer.text, sizeof(answer.text), err.text);
		log_warning("run %" PRIu64 " is refused: %s", order->id, err.text);
	}
	(void)peer_say(&agent->server, &answer); /* or the run gives up its gate */
	if (answer.kind == PROTOCOL_STARTED)
		CRASH_POINT(agent_started_said);
}

/* Who is hung up on says hello again, and gets what is true now. */
static void
look_at_manifest(struct agent *agent)
{
	struct protocol_manifest now;
	struct err err;

	agent->may_differ = false;
	if (!agent->server.is_greeted || !manifest_make(agent->world.systemd, &now, &err) ||
	    strcmp(now.digest, agent->said) == 0)
		return;
	log_info("the units of this host have changed: %zu of them can be started", now.count);
	peer_hang_up(&agent->server);
}

/* --- the loop ----------------------------------------------------------------------------- */

static void
hear_server(struct agent *agent, bool is_guest)
{
	struct protocol_message message;
	uint64_t lowest = records_epoch(&agent->world.records);

	if (is_guest ? !peer_hear_guest(&agent->server, lowest, &message) :
		       !peer_hear(&agent->server, lowest, &message))
		return;
	if (message.kind == PROTOCOL_HELLO)
		on_hello(agent, &message);
	else if (!agent->server.is_greeted)
		peer_hang_up(&agent->server); /* hello comes first */
	else if (message.kind == PROTOCOL_CHALLENGE)
		peer_challenge(&agent->server);
	else if (message.kind == PROTOCOL_RUN)
		on_run(agent, &message);
	else if (message.kind == PROTOCOL_RECONCILE)
		on_reconcile(agent, message.id);
	else if (message.kind == PROTOCOL_READ)
		on_read(agent, message.id);
	else
		log_warning("%s is not for an agent", protocol_kind_name(message.kind));
}

/* Waits, then does all that has come.  False: it cannot go on. */
static bool
turn(struct agent *agent, struct err *err)
{
	struct run *run = &agent->run;
	int wait_ms = run_wait_ms(run);
	struct pollfd fds[8 + CALLS_FDS] = {
		{ agent->server.listener, POLLIN, 0 },
		{ agent->server.fd, POLLIN, 0 },
		{ run->peer.listener, POLLIN, 0 },
		{ run->peer.fd, POLLIN, 0 },
		{ agent->signals, POLLIN, 0 },
		{ systemd_fd(agent->world.systemd, &wait_ms), POLLIN, 0 },
		{ agent->server.guest, POLLIN, 0 },
		{ run->peer.guest, POLLIN, 0 },
	};

	calls_watch(&agent->calls, fds + 8, &wait_ms);
	if (poll(fds, COUNT(fds), wait_ms) == -1 && errno != EINTR)
		return err_errno(err, ERR_IO, errno, "poll");
	if (fds[1].revents != 0)
		hear_server(agent, false);
	if (fds[6].revents != 0)
		hear_server(agent, true);
	if (fds[0].revents != 0)
		(void)peer_accept(&agent->server); /* or it is a guest */
	if (fds[3].revents != 0)
		run_hear(run, &agent->world, false);
	if (fds[7].revents != 0)
		run_hear(run, &agent->world, true);
	if (fds[2].revents != 0 && run->state != RUN_OVER)
		run_accept(run);
	agent->is_leaving |= fds[4].revents != 0;
	if (agent->is_leaving)
		calls_leave(&agent->calls);
	calls_advance(&agent->calls);
	if (!systemd_process(agent->world.systemd, &agent->may_differ, err))
		return false;
	run_advance(run, &agent->world);
	if (run->state == RUN_OVER)
		run_done(run);
	if (agent->may_differ && run->state == RUN_NONE)
		look_at_manifest(agent);
	return true;
}

/* --- start and end ------------------------------------------------------------------------ */

static bool
open_agent(struct agent *agent, const char *state, const char *run, struct err *err)
{
	CLEANUP(file_closep) int folder = open(run, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	agent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	agent->world.state = open(state, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (folder == -1 || agent->signals == -1 || agent->world.state == -1)
		return err_errno(err, ERR_CONFIG, errno, "opening %s and %s", state, run);
	if (!records_open(&agent->world.records, state, err))
		return false;
	agent->world.systemd = systemd_open(err);
	if (agent->world.systemd == NULL)
		return false;
	run_recover(&agent->run, &agent->world);
	if (!calls_open(&agent->calls, &agent->world, run, err))
		return false;
	return peer_listen(&agent->server, folder, "runner.sock", err);
}

bool
agent_serve(const struct order_keys *settings, const char *state, const char *run, struct err *err)
{
	struct agent agent = { .world = { .settings = settings },
		.server = PEER_NONE,
		.run = { .folder = -1, .peer = PEER_NONE },
		.calls = { .folder = -1, .listener = -1 } };
	bool good = open_agent(&agent, state, run, err);

	while (good &&
	    !(agent.is_leaving && agent.run.state != RUN_GOING && !calls_are_open(&agent.calls)))
		good = turn(&agent, err);
	calls_close(&agent.calls);
	run_done(&agent.run); /* files end with the process */
	peer_close(&agent.server);
	systemd_free(agent.world.systemd);
	return good;
}
