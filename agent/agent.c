/* agent.c - what the server says on runner.sock, and the loop around it and the run.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/run.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"

struct agent {
	const struct agent_settings *settings;
	struct systemd *systemd;
	struct records records;
	struct run_world world;
	struct peer server;
	struct run run;
	char *epoch_path;
	uint64_t epoch;
	int signals;
	bool is_leaving;
};

/* --- hello -------------------------------------------------------------------------------- */

static void
on_hello(struct agent *agent, const struct protocol_message *message)
{
	struct protocol_message hello = {
		.kind = PROTOCOL_HELLO, .version = PROTOCOL_VERSION, .proof.epoch = agent->epoch
	};
	struct manifest manifest;
	struct err err;

	if (!manifest_make(agent->systemd, &manifest, &err)) {
		log_error("%s", err.text);
		peer_hang_up(&agent->server);
		return;
	}
	manifest_tell(&manifest, &hello);
	agent->server.is_greeted = message->version >= PROTOCOL_AGENT_SINCE;
	(void)peer_say(&agent->server, &hello); /* or it is hung up on */
	if (agent->server.is_greeted)
		return;
	log_error("a server of protocol version %u, which knows no agents", message->version);
	peer_hang_up(&agent->server);
}

/* --- settle ------------------------------------------------------------------------------- */

/* That it never began, or what is known of it. */
static void
on_reconcile(struct agent *agent, const struct protocol_message *message)
{
	struct protocol_message answer = {
		.kind = PROTOCOL_RECONCILED, .id = message->id, .state = PROTOCOL_STATE_NEVER
	};
	const struct records *records = &agent->records;
	CLEANUP(file_closep) int folder = -1;
	char capability[PROTOCOL_CAPABILITY + 1];

	if (agent->run.id == message->id) {
		answer.state = PROTOCOL_STATE_ALIVE;
	} else if (records_has(records, message->id)) {
		folder = records_folder(records, message->id);
		record_read(folder, &answer.record, capability);
		answer.state = answer.record.lost ? PROTOCOL_STATE_LOST : PROTOCOL_STATE_ENDED;
	} else if (records->count == RECORDS_MAX && message->id < records->ids[0]) {
		answer.state = PROTOCOL_STATE_LOST; /* its record has made room for others */
		answer.record.gate = answer.record.lost = true;
	} else {
		/* An order that was signed before this may still be on its way: it is void. */
		agent->server.challenge = (struct order_challenge){ .due = 0 };
	}
	(void)peer_say(&agent->server, &answer);
}

/* --- run ---------------------------------------------------------------------------------- */

static void
refuse(
    struct agent *agent, struct protocol_message *answer, enum protocol_why why, const char *text)
{
	answer->kind = PROTOCOL_REFUSED;
	answer->why = why;
	(void)text_copy(answer->text, sizeof(answer->text), text);
	log_warning("run %" PRIu64 " was refused: %s", answer->id, text);
	(void)peer_say(&agent->server, answer);
}

static bool
take_epoch(struct agent *agent, uint64_t epoch, struct err *err)
{
	char text[24];
	int size = snprintf(text, sizeof(text), "%" PRIu64 "\n", epoch);

	if (epoch == agent->epoch)
		return true;
	if (!file_write(agent->epoch_path, text, (size_t)size, 0640, err))
		return false;
	agent->epoch = epoch;
	return true;
}

/* Has it a record, or had it one, or is another run in progress?  Then *ret_why. */
static bool
check_id(const struct agent *agent, uint64_t id, enum protocol_why *ret_why, struct err *err)
{
	const struct records *records = &agent->records;

	*ret_why = PROTOCOL_WHY_EXISTS;
	if (records_has(records, id))
		return err_set(err, ERR_DENIED, "there is a record of it already");
	*ret_why = PROTOCOL_WHY_INVALID;
	if (records->count > 0 && id < records->ids[0])
		return err_set(err, ERR_DENIED, "its number is below those of all records");
	*ret_why = PROTOCOL_WHY_FAILED;
	if (agent->run.state != RUN_NONE)
		return err_set(err, ERR_BUSY, "run %" PRIu64 " is in progress here", agent->run.id);
	return !agent->is_leaving || err_set(err, ERR_BUSY, "the agent is being stopped");
}

/* Is it the server's order, for something that this host has? */
static bool
check_order(struct agent *agent, const struct protocol_message *order, struct err *err)
{
	const struct order_context context = { .settings = agent->settings,
		.epoch = agent->epoch,
		.run = order->id,
		.capability = order->argument,
		.manifest = order->fingerprint };

	if (!order_check(&agent->server.challenge, order, &context, clock_monotonic_ms(), err))
		return false;
	return order->program == PROTOCOL_PROGRAM_ACTION ||
	    err_set(err, ERR_DENIED, "an agent does actions alone");
}

/* The manifest is the order's, and its unit can be started. */
static bool
check_units(struct agent *agent, const struct protocol_message *order,
    struct protocol_message *answer, enum protocol_why *ret_why, struct err *err)
{
	struct manifest now;

	*ret_why = PROTOCOL_WHY_FAILED;
	if (!manifest_make(agent->systemd, &now, err))
		return false;
	*ret_why = PROTOCOL_WHY_CHANGED;
	manifest_list(&now, answer->settings, sizeof(answer->settings));
	if (strcmp(now.whole, order->fingerprint) != 0)
		return err_set(err, ERR_CHANGED, "its manifest is not that of this host now");
	answer->settings[0] = '\0';
	*ret_why = PROTOCOL_WHY_INVALID;
	return manifest_find(&now, order->argument) < MANIFEST_CAPABILITIES ||
	    err_set(err, ERR_MISSING, "this host has no capability %s", order->argument);
}

static void
on_run(struct agent *agent, const struct protocol_message *order)
{
	struct protocol_message answer = { .kind = PROTOCOL_STARTED, .id = order->id };
	enum protocol_why why = PROTOCOL_WHY_NONE;
	struct err err = { .text = "" }, untrusted = { .text = "" };
	bool is_trusted;

	CRASH_POINT(agent_order_read);
	is_trusted = check_order(agent, order, &untrusted); /* whatever follows, it was used */
	if (!check_id(agent, order->id, &why, &err)) {
		refuse(agent, &answer, why, err.text);
	} else if (!is_trusted) {
		refuse(agent, &answer, PROTOCOL_WHY_INVALID, untrusted.text);
	} else if (!check_units(agent, order, &answer, &why, &err)) {
		refuse(agent, &answer, why, err.text);
	} else if (!take_epoch(agent, order->proof.epoch, &err) ||
	    !run_begin(&agent->run, &agent->world, order, &err)) {
		refuse(agent, &answer, PROTOCOL_WHY_FAILED, err.text);
	} else {
		(void)peer_say(&agent->server, &answer); /* or the run gives up its gate */
		CRASH_POINT(agent_started_said);
	}
}

/* --- the loop ----------------------------------------------------------------------------- */

static void
hear_server(struct agent *agent)
{
	struct protocol_message message;

	if (!peer_hear(&agent->server, &message))
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
		on_reconcile(agent, &message);
	else
		log_warning("the server said %s, which is not for an agent",
		    protocol_kind_name(message.kind));
}

/* What is over is said to a server that was not at the run's own socket. */
static void
end_run(struct agent *agent)
{
	struct protocol_message ended = { .kind = PROTOCOL_RECONCILED,
		.id = agent->run.id,
		.state = PROTOCOL_STATE_ENDED,
		.record = agent->run.record };

	if (agent->run.peer.fd == -1 && agent->server.is_greeted)
		(void)peer_say(&agent->server, &ended);
	run_done(&agent->run);
}

static int
sooner(int a, int b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

/* One turn: waits, then does all that has come. */
static bool
turn(struct agent *agent, struct err *err)
{
	enum { LISTENER, SERVER, RUN_LISTENER, RUN_SERVER, SIGNALS, SYSTEMD, COUNT_OF };
	struct pollfd fds[COUNT_OF] = {
		[LISTENER] = { agent->server.listener, POLLIN, 0 },
		[SERVER] = { agent->server.fd, POLLIN, 0 },
		[RUN_LISTENER] = { agent->run.peer.listener, POLLIN, 0 },
		[RUN_SERVER] = { agent->run.peer.fd, POLLIN, 0 },
		[SIGNALS] = { agent->signals, POLLIN, 0 },
	};
	int timeout;

	fds[SYSTEMD].fd = systemd_fd(agent->systemd, &fds[SYSTEMD].events, &timeout);
	if (poll(fds, COUNT_OF, sooner(timeout, run_wait_ms(&agent->run))) == -1 && errno != EINTR)
		return err_errno(err, ERR_IO, errno, "poll");
	if (fds[SERVER].revents != 0)
		hear_server(agent);
	if (fds[LISTENER].revents != 0)
		peer_accept(&agent->server);
	if (fds[RUN_SERVER].revents != 0)
		run_hear(&agent->run, &agent->world);
	if (fds[RUN_LISTENER].revents != 0 && agent->run.state != RUN_OVER)
		run_accept(&agent->run);
	agent->is_leaving |= fds[SIGNALS].revents != 0;
	if (!systemd_process(agent->systemd, err))
		return false;
	run_advance(&agent->run, &agent->world);
	if (agent->run.state == RUN_OVER)
		end_run(agent);
	return true;
}

/* --- start and end ------------------------------------------------------------------------ */

static bool
read_epoch(struct agent *agent, struct err *err)
{
	CLEANUP(freep) char *text = file_read(agent->epoch_path, 32, NULL, err);
	int64_t epoch;

	if (text == NULL)
		return err->code == ERR_MISSING; /* none was ordered with: 0 */
	text[strcspn(text, "\n")] = '\0';
	if (!text_to_i64(text, 0, INT64_MAX, &epoch, err))
		return err_wrap(err, "%s", agent->epoch_path);
	agent->epoch = (uint64_t)epoch;
	return true;
}

static bool
open_signals(struct agent *agent, struct err *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	agent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return agent->signals != -1 || err_errno(err, ERR_IO, errno, "signalfd");
}

static bool
open_agent(struct agent *agent, const struct agent_dirs *dirs, struct err *err)
{
	CLEANUP(file_closep) int folder = open(dirs->run, O_DIRECTORY | O_RDONLY | O_CLOEXEC);

	if (folder == -1)
		return err_errno(err, ERR_CONFIG, errno, "the folder of the socket, %s", dirs->run);
	agent->epoch_path = mem_textf("%s/epoch", dirs->state);
	if (!open_signals(agent, err) || !records_open(&agent->records, dirs->state, err) ||
	    !read_epoch(agent, err))
		return false;
	agent->systemd = systemd_open(err);
	if (agent->systemd == NULL)
		return false;
	agent->world = (struct run_world){ agent->systemd, agent->settings, &agent->records };
	run_recover(&agent->world);
	return peer_listen(&agent->server, folder, "runner.sock", err);
}

bool
agent_serve(const struct agent_settings *settings, const struct agent_dirs *dirs, struct err *err)
{
	struct agent agent = { .settings = settings,
		.records.root = -1,
		.server = { -1, -1, false, { "", 0 } },
		.run = { .folder = -1, .peer = { -1, -1, false, { "", 0 } } },
		.signals = -1 };
	bool good = open_agent(&agent, dirs, err);

	if (good)
		log_info("agent %s: %zu records, epoch %" PRIu64, settings->name,
		    agent.records.count, agent.epoch);
	while (good && !(agent.is_leaving && agent.run.state != RUN_GOING))
		good = turn(&agent, err);
	run_done(&agent.run);
	peer_close(&agent.server);
	systemd_free(agent.systemd);
	free(agent.epoch_path);
	file_closep(&agent.signals);
	file_closep(&agent.records.root);
	return good;
}
