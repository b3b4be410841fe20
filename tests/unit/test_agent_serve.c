/* Goal: an agent starts what was ordered, once, and says what is true; systemd is played.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/manifest.h"
#include "lib/order_check.h"
#include "agent/record.h"
#include "agent_systemd_aid.h"
#include "lib/clock.h"
#include "lib/fingerprint.h"
#include "lib/release_ticket.h"
#include "lib/text.h"
#include "unit.h"

static const uint8_t seed[CRYPTO_ED25519_KEY] = { 1 };
static struct order_keys settings;
static pthread_t thread;
static int server = -1;
static struct protocol_message hello, answer;

/* ---- the server's half ----------------------------------------------------------------------- */

static int
dial(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 60 };
	const int64_t until = clock_monotonic_ms() + 60000;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	/* It has just been begun. */
	while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		assert_true(sched_yield() == 0 && clock_monotonic_ms() < until);
	return fd;
}

/* False: it hung up. */
static bool
hear(int fd, struct protocol_message *ret)
{
	static char packet[PROTOCOL_PACKET_MAX];
	ssize_t n = recv(fd, packet, sizeof(packet), 0);

	return n > 0 && protocol_decode(packet, (size_t)n, ret, NULL);
}

static enum protocol_kind
ask(int fd, const struct protocol_message *message)
{
	say(fd, message);
	assert_true(hear(fd, &answer));
	return answer.kind;
}

static const char *
challenge(int fd)
{
	static char hex[PROTOCOL_CHALLENGE_HEX + 1];

	assert_int_equal(
	    ask(fd, &(struct protocol_message){ .kind = PROTOCOL_CHALLENGE }), PROTOCOL_CHALLENGE);
	SET(hex, answer.proof.challenge);
	return hex;
}

static void
sign(struct protocol_message *order, uint64_t run, const char *hex)
{
	const struct order_bytes fields = { .kind = protocol_kind_name(order->kind),
		.agent = "acme",
		.capability = "restart-web",
		.run = run,
		.epoch = order->proof.epoch,
		.manifest = hello.manifest.digest,
		.challenge = hex };
	uint8_t bytes[ORDER_BYTES_MAX], signature[CRYPTO_ED25519_SIGNATURE];
	size_t size = order_bytes_write(&fields, bytes);

	SET(order->proof.challenge, hex);
	assert_true(crypto_ed25519_sign(seed, bytes, size, signature, NULL));
	text_hex(order->proof.signature, signature, sizeof(signature));
}

static struct protocol_message
order_of(uint64_t run)
{
	struct protocol_message order = { .kind = PROTOCOL_RUN,
		.id = run,
		.program = PROTOCOL_PROGRAM_ACTION,
		.environment = "acme",
		.argument = "restart-web",
		.deadline_s = 60,
		.deployment = run };

	memcpy(order.fingerprint, hello.manifest.digest, sizeof(order.fingerprint));
	sign(&order, run, challenge(server));
	return order;
}

static enum protocol_kind
order(uint64_t run)
{
	struct protocol_message message = order_of(run);

	return ask(server, &message);
}

/* Its socket, behind its hello. */
static int
at_gate(uint64_t run)
{
	char name[32];
	int fd;

	assert_int_equal(order(run), PROTOCOL_STARTED);
	(void)snprintf(name, sizeof(name), "runs/%" PRIu64 "/socket", run);
	fd = dial(name);
	assert_true(hear(fd, &answer) && answer.kind == PROTOCOL_HELLO && !answer.record.gate);
	return fd;
}

static void
go(int fd, uint64_t run)
{
	struct protocol_message message = { .kind = PROTOCOL_GO };

	sign(&message, run, challenge(fd));
	say(fd, &message);
}

static void
take_exit(int fd)
{
	assert_true(hear(fd, &answer) && answer.kind == PROTOCOL_EXIT);
	(void)close(fd);
}

static enum protocol_state
settle(uint64_t run)
{
	struct protocol_message message = { .kind = PROTOCOL_RECONCILE, .id = run };

	assert_int_equal(ask(server, &message), PROTOCOL_RECONCILED);
	return answer.state;
}

static void
refused(uint64_t run, enum protocol_why why, const char *words)
{
	assert_int_equal(order(run), PROTOCOL_REFUSED);
	assert_int_equal(answer.why, why);
	assert_non_null(strstr(answer.text, words));
	assert_int_equal(host.starts, 0);
}

/* ---- the agent's life ------------------------------------------------------------------------ */

static void *
serve(UNUSED void *ctx)
{
	struct err err = { .text = "" };

	return agent_serve(&settings, folder, folder, &err) ? NULL : "failed";
}

static void
say_hello(void)
{
	if (server != -1)
		(void)close(server);
	server = dial("runner.sock");
	assert_int_equal(
	    ask(server,
		&(struct protocol_message){ .kind = PROTOCOL_HELLO, .version = PROTOCOL_VERSION }),
	    PROTOCOL_HELLO);
	hello = answer;
}

static void
start(void)
{
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
	say_hello();
}

static void
stop(void)
{
	void *failed;
	sigset_t set;
	int which;

	assert_int_equal(kill(getpid(), SIGTERM), 0);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	assert_int_equal(sigwait(&set, &which), 0); /* the next one does not see it */
}

static int
set_up(UNUSED void **state)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)snprintf(folder, sizeof(folder), "/tmp/agent_serve.XXXXXX");
	assert_non_null(mkdtemp(folder));
	memset(&host, 0, sizeof(host));
	host.events = eventfd(0, EFD_NONBLOCK);
	host.restart_web = (struct systemd_unit){ .load_state = "loaded",
		.active_state = "inactive",
		.fragment_path = "/etc/systemd/system/deploybot-do-restart-web.service",
		.type = "oneshot",
		.restart = "no",
		.kill_mode = "control-group",
		.invocation = "before" };
	host.ends_at_once = true;
	host.end = (struct systemd_end){ .job = "done",
		.unit = { .invocation = "this", .result = "success" } };
	settings = (struct order_keys){ .name = "acme", .count = 1 };
	assert_true(crypto_ed25519_public(seed, settings.all[0], NULL));
	start();
	return 0;
}

static int
tear_down(UNUSED void **state)
{
	pid_t pid;

	stop();
	(void)close(server);
	server = -1;
	(void)close(host.events);
	pid = fork();
	if (pid == 0) {
		(void)execlp("rm", "rm", "-rf", folder, (char *)NULL);
		_exit(127);
	}
	return waitpid(pid, NULL, 0) != pid;
}

/* ---- a run --------------------------------------------------------------------------------- */

TEST_WITH(gate_1_and_lost_are_on_disk_before_systemd_is_asked, set_up, tear_down)
{
	char list[200], digest[FINGERPRINT_DIGEST];
	int fd;

	assert_int_equal(hello.manifest.count, 1);
	assert_string_equal(hello.manifest.all[0].name, "restart-web");
	(void)snprintf(list, sizeof(list), "restart-web=%s", hello.manifest.all[0].digest);
	assert_string_equal(hello.manifest.digest, fingerprint_digest(list, digest));
	fd = at_gate(12);
	assert_int_equal(settle(12), PROTOCOL_STATE_ALIVE);
	go(fd, 12);
	take_exit(fd);
	assert_true(answer.record.gate && !answer.record.lost && answer.record.ended_at > 0);
	assert_int_equal(answer.record.status, 0);
	assert_int_equal(host.starts, 1);
	assert_string_equal(host.before_start, "12 0 restart-web\nexit\ngate 1\nlost 1\n");
	assert_int_equal(settle(12), PROTOCOL_STATE_ENDED);
	stop();
	start();
	assert_int_equal(settle(12), PROTOCOL_STATE_ENDED);
	assert_int_equal(order(12), PROTOCOL_REFUSED);
	assert_int_equal(answer.why, PROTOCOL_WHY_EXISTS);
	assert_int_equal(host.starts, 1);
}

TEST_WITH(how_a_unit_ended_is_what_the_record_says, set_up, tear_down)
{
	static const struct {
		struct systemd_end end;
		int status, signal;
		bool timed_out;
	} cases[] = {
		{ { .job = "failed",
		      .unit = { .invocation = "a",
			  .result = "exit-code",
			  .exec_main_code = CLD_EXITED,
			  .exec_main_status = 3 } },
		    3, 0, false },
		{ { .job = "failed",
		      .unit = { .invocation = "a",
			  .result = "core-dump",
			  .exec_main_code = CLD_DUMPED,
			  .exec_main_status = 11 } },
		    0, 11, false },
		{ { .job = "timeout",
		      .unit = { .invocation = "a",
			  .result = "timeout",
			  .exec_main_code = CLD_KILLED,
			  .exec_main_status = 15 } },
		    0, 15, true },
		/* of another start, of none, of a start that another unit kept from running */
		{ { .job = "done", .unit = { .result = "success", .exec_main_status = 3 } }, 70, 0,
		    false },
		{ { .job = "dependency", .unit = { .invocation = "a", .result = "success" } }, 70,
		    0, false },
		{ { .job = "done", .unit = { .invocation = "a", .result = "resources" } }, 70, 0,
		    false },
	};

	for (uint64_t i = 0; i < COUNT(cases); i++) {
		int fd = at_gate(i + 1);

		host.end = cases[i].end;
		go(fd, i + 1);
		take_exit(fd);
		assert_int_equal(answer.record.status, cases[i].status);
		assert_int_equal(answer.record.signal, cases[i].signal);
		assert_int_equal(answer.record.timed_out, cases[i].timed_out);
		assert_true(answer.record.gate && !answer.record.lost);
	}
}

TEST_WITH(a_start_that_systemd_refuses_is_no_start, set_up, tear_down)
{
	int fd = at_gate(1);

	host.start_errno = EACCES;
	host.ends_at_once = false;
	go(fd, 1);
	take_exit(fd);
	assert_int_equal(answer.record.exec_errno, EACCES);
	assert_true(answer.record.gate && !answer.record.lost);
}

TEST_WITH(end_and_the_deadline_stop_the_unit, set_up, tear_down)
{
	struct protocol_message message;
	int fd = at_gate(1);

	host.ends_at_once = false;
	go(fd, 1);
	say(fd, &(struct protocol_message){ .kind = PROTOCOL_END });
	take_exit(fd);
	assert_true(answer.record.ended && !answer.record.timed_out);
	assert_int_equal(answer.record.signal, SIGTERM);
	host.end = (struct systemd_end){ .unit.invocation = "this" };
	message = order_of(2);
	message.deadline_s = 1;
	assert_int_equal(ask(server, &message), PROTOCOL_STARTED);
	fd = dial("runs/2/socket");
	assert_true(hear(fd, &answer));
	go(fd, 2);
	take_exit(fd);
	assert_true(answer.record.timed_out && !answer.record.ended);
	assert_int_equal(host.stops, 2);
}

TEST_WITH(before_go_an_end_or_a_lost_server_keeps_the_gate_shut, set_up, tear_down)
{
	int fd = at_gate(1);

	say(fd, &(struct protocol_message){ .kind = PROTOCOL_END });
	take_exit(fd);
	assert_true(!answer.record.gate && answer.record.ended);
	(void)close(at_gate(2));
	while (settle(2) == PROTOCOL_STATE_ALIVE)
		continue;
	assert_int_equal(answer.state, PROTOCOL_STATE_ENDED);
	assert_false(answer.record.gate);
	assert_int_equal(host.starts, 0);
}

/* ---- what is no order ------------------------------------------------------------------------ */

TEST_WITH(one_run_at_a_time_and_no_number_below_all_records, set_up, tear_down)
{
	int fd = at_gate(12);

	refused(13, PROTOCOL_WHY_FAILED, "another run");
	refused(11, PROTOCOL_WHY_INVALID, "below");
	refused(12, PROTOCOL_WHY_EXISTS, "record");
	(void)close(fd);
}

TEST_WITH(a_never_makes_the_order_before_it_void, set_up, tear_down)
{
	struct protocol_message held = order_of(12);

	assert_int_equal(settle(12), PROTOCOL_STATE_NEVER);
	assert_int_equal(ask(server, &held), PROTOCOL_REFUSED);
	assert_int_equal(answer.why, PROTOCOL_WHY_INVALID);
	assert_int_equal(order(12), PROTOCOL_STARTED); /* one of behind it */
}

TEST_WITH(a_challenge_is_dead_with_its_connection, set_up, tear_down)
{
	struct protocol_message held = order_of(12);

	say_hello();
	assert_int_equal(ask(server, &held), PROTOCOL_REFUSED);
	assert_int_equal(answer.why, PROTOCOL_WHY_INVALID);
}

TEST_WITH(a_lower_epoch_is_refused_also_after_a_restart, set_up, tear_down)
{
	struct protocol_message greeting = { .kind = PROTOCOL_HELLO, .version = PROTOCOL_VERSION };
	struct protocol_message message = order_of(12);
	int deposed;

	message.proof.epoch = 7;
	sign(&message, 12, challenge(server));
	assert_int_equal(ask(server, &message), PROTOCOL_STARTED);
	stop();
	start();
	assert_true(hello.proof.epoch == 7);
	message = order_of(13);
	message.proof.epoch = 6;
	sign(&message, 13, challenge(server));
	assert_int_equal(ask(server, &message), PROTOCOL_REFUSED);
	assert_non_null(strstr(answer.text, "epoch 7"));
	greeting.proof.epoch = 8;
	assert_int_equal(ask(server, &greeting), PROTOCOL_HELLO);
	greeting.proof.epoch = 7;
	say(deposed = dial("runner.sock"), &greeting);
	assert_false(hear(deposed, &answer));
	(void)close(deposed);
	assert_int_equal(settle(13), PROTOCOL_STATE_NEVER); /* of the server of before */
}

TEST_WITH(go_is_an_order_of_its_own, set_up, tear_down)
{
	struct protocol_message message = order_of(12);
	int fd;

	assert_int_equal(ask(server, &message), PROTOCOL_STARTED);
	fd = dial("runs/12/socket");
	assert_true(hear(fd, &answer));
	message.kind = PROTOCOL_RUN; /* signed as one, and said as go */
	sign(&message, 12, challenge(fd));
	say(fd, &(struct protocol_message){ .kind = PROTOCOL_GO, .proof = message.proof });
	take_exit(fd);
	assert_false(answer.record.gate);
	assert_int_equal(host.starts, 0);
}

/* What a call of run 12 is answered, whose ticket that key has signed and which its own has not. */
static void
call_is_refused(const uint8_t key[CRYPTO_ED25519_KEY], const char *words)
{
	struct release_ticket ticket = {
		.run = 12, .environment = "staging", .until_s = INT64_MAX
	};
	char text[RELEASE_TICKET_MAX], packet[2 * RELEASE_TICKET_MAX];
	int fd = dial("runs/0/socket"), size;

	(void)snprintf(ticket.agents, sizeof(ticket.agents), "acme=%s,=00", hello.manifest.digest);
	assert_true(release_ticket_make(&ticket, key, text, NULL));
	size = snprintf(packet, sizeof(packet), "60\ncheck\n%s\nprogram=1\n00\n", text);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 1 + ORDER_CHALLENGE_HEX);
	assert_int_equal(send(fd, packet, (size_t)size, 0), size);
	size = (int)recv(fd, packet, sizeof(packet) - 1, 0);
	assert_true(size > 0);
	packet[size] = '\0';
	if (!text_starts(packet, "x70 ") || strstr(packet, words) == NULL)
		fail_msg("%s is not in: %s", words, packet);
	(void)close(fd);
}

/* Each look at a unit is a call to systemd. */
TEST_WITH(what_is_not_signed_has_no_unit_looked_at, set_up, tear_down)
{
	static const uint8_t other[CRYPTO_ED25519_KEY] = { 2 };
	struct protocol_message message = order_of(12);
	int looks = host.looks;

	message.proof.signature[0] = message.proof.signature[0] == '0' ? '1' : '0';
	assert_int_equal(ask(server, &message), PROTOCOL_REFUSED);
	call_is_refused(other, "no order key");
	call_is_refused(seed, "the key of its ticket");
	assert_int_equal(host.looks, looks);
	assert_int_equal(order(12), PROTOCOL_STARTED);
	assert_true(host.looks > looks);
}

TEST_WITH(an_order_of_another_manifest_is_refused_with_the_one_there_is, set_up, tear_down)
{
	SET(host.content, "changed");
	refused(12, PROTOCOL_WHY_CHANGED, "manifest");
	assert_true(text_starts(answer.settings, "restart-web="));
	assert_int_equal(strlen(answer.settings), strlen("restart-web=") + 64);
	say_hello();
	assert_int_equal(order(12), PROTOCOL_STARTED);
}

/* What its calls read meanwhile wakes no poll(). */
TEST_WITH(a_reload_while_the_manifest_is_looked_at_is_looked_at_too, set_up, tear_down)
{
	char none;

	host.is_reloaded = host.is_reloaded_late = true;
	assert_int_equal(eventfd_write(host.events, 1), 0);
	assert_int_equal(recv(server, &none, 1, 0), 0); /* it hangs up */
	say_hello();
	assert_int_equal(order(12), PROTOCOL_STARTED);
}

TEST_WITH(a_manifest_that_changes_behind_started_keeps_the_gate_shut, set_up, tear_down)
{
	int fd = at_gate(12);

	SET(host.content, "changed");
	go(fd, 12);
	take_exit(fd);
	assert_false(answer.record.gate);
	say_hello();
	fd = at_gate(13);
	host.has_new_folder = true;
	go(fd, 13);
	take_exit(fd);
	assert_false(answer.record.gate);
	assert_int_equal(host.starts, 0);
}

TEST_WITH(a_unit_that_runs_already_is_not_started, set_up, tear_down)
{
	int fd = at_gate(12);

	SET(host.restart_web.active_state, "activating");
	go(fd, 12);
	take_exit(fd);
	assert_false(answer.record.gate);
	assert_int_equal(host.starts, 0);
}

TEST_WITH(a_unit_that_is_not_to_be_trusted_is_no_capability, set_up, tear_down)
{
	const struct systemd_unit good = host.restart_web;

	for (int i = 0; i < 7; i++) {
		struct systemd_unit *unit = &host.restart_web;

		*unit = good;
		unit->need_daemon_reload = i == 0;
		unit->remain_after_exit = i == 1;
		if (i >= 2)
			(void)text_copy(i == 2 ? unit->type :
				i == 3	       ? unit->restart :
				i == 4	       ? unit->kill_mode :
				i == 5	       ? unit->load_state :
						 unit->fragment_path,
			    sizeof(unit->type), "masked");
		say_hello();
		assert_int_equal(hello.manifest.count, 0);
		refused(12, PROTOCOL_WHY_INVALID, "no capability");
	}
}

/* ---- an agent that died ---------------------------------------------------------------------- */

/* What an agent before this one has left of run 12. */
static void
leave(const struct protocol_record *end)
{
	struct records records;
	struct record *record;

	stop();
	assert_true(records_open(&records, folder, NULL));
	record = records_slot(&records);
	*record = (struct record){ .id = 12, .capability = "restart-web", .end = *end };
	assert_true(records_put(&records, record, record, NULL));
	(void)close(records.fd);
}

TEST_WITH(a_run_that_an_agent_left_at_its_gate_never_ran, set_up, tear_down)
{
	leave(&(struct protocol_record){ .gate = false });
	start();
	assert_int_equal(settle(12), PROTOCOL_STATE_ENDED);
	assert_true(!answer.record.gate && answer.record.ended_at > 0);
	assert_int_equal(host.stops, 0);
}

TEST_WITH(a_run_that_an_agent_left_behind_its_gate_is_stopped_and_lost, set_up, tear_down)
{
	leave(&(struct protocol_record){ .gate = true, .lost = true });
	start();
	assert_int_equal(settle(12), PROTOCOL_STATE_LOST);
	assert_int_equal(host.stops, 0); /* nothing of it runs */
	leave(&(struct protocol_record){ .gate = true, .lost = true });
	SET(host.restart_web.active_state, "activating");
	start();
	while (settle(12) == PROTOCOL_STATE_ALIVE)
		continue;
	assert_int_equal(answer.state, PROTOCOL_STATE_LOST);
	assert_true(answer.record.gate && !answer.record.timed_out && !answer.record.ended);
	assert_int_equal(host.stops, 1);
	assert_int_equal(host.starts, 0);
}

/* What is on disk then: its record, and its socket, at which nobody listens. */
TEST_WITH(a_run_in_which_the_host_was_rebooted_is_lost_and_the_next_one_runs, set_up, tear_down)
{
	char path[96];
	int fd;

	leave(&(struct protocol_record){ .gate = true, .lost = true });
	(void)snprintf(path, sizeof(path), "%s/runs/12", folder);
	assert_int_equal(mkdir(path, 0750), 0);
	(void)snprintf(path, sizeof(path), "%s/runs/12/socket", folder);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	(void)close(fd);
	SET(host.restart_web.invocation, ""); /* nothing was started since the boot */
	start();
	assert_int_equal(settle(12), PROTOCOL_STATE_LOST);
	assert_true(answer.record.gate && answer.record.ended_at > 0);
	refused(12, PROTOCOL_WHY_EXISTS, "");
	SET(host.restart_web.invocation, "before");
	fd = at_gate(13);
	go(fd, 13);
	take_exit(fd);
	assert_int_equal(answer.record.status, 0);
	assert_int_equal(host.starts, 1);
	assert_int_equal(host.stops, 0);
}

/* No file takes a byte from here on, or each takes all again. */
static void
fill_disk(bool is_full)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = is_full ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST_WITH(a_record_that_cannot_be_written_starts_nothing, set_up, tear_down)
{
	enum protocol_kind kind;
	int fd;

	fill_disk(true); /* also for what a test that fails would print */
	kind = order(12);
	fill_disk(false);
	assert_int_equal(kind, PROTOCOL_REFUSED);
	assert_int_equal(answer.why, PROTOCOL_WHY_FAILED);
	assert_non_null(strstr(answer.text, "writing the record of run 12"));
	assert_int_equal(settle(12), PROTOCOL_STATE_NEVER);
	fd = at_gate(13);
	fill_disk(true); /* between the order and go */
	go(fd, 13);
	take_exit(fd);
	fill_disk(false);
	assert_false(answer.record.gate);
	assert_int_equal(host.starts, 0);
	stop();
	start();
	assert_int_equal(settle(13), PROTOCOL_STATE_ENDED); /* as the disk has it */
	assert_false(answer.record.gate);
}

TEST_WITH(what_cannot_be_read_or_comes_before_hello_ends_the_connection, set_up, tear_down)
{
	static const char *const packets[] = { "run\n", "x", "challenge\n", "settle\nid 1\n" };
	int fd;

	for (size_t i = 0; i < COUNT(packets); i++) {
		fd = dial("runner.sock");
		assert_int_equal(send(fd, packets[i], strlen(packets[i]), 0), strlen(packets[i]));
		assert_false(hear(fd, &answer));
		(void)close(fd);
	}
	fd = dial("runner.sock");
	say(fd,
	    &(struct protocol_message){
		.kind = PROTOCOL_HELLO, .version = PROTOCOL_AGENT_SINCE - 1 });
	assert_true(hear(fd, &answer) && answer.kind == PROTOCOL_HELLO);
	assert_false(hear(fd, &answer));
	(void)close(fd);
	say_hello();
	assert_int_equal(settle(1), PROTOCOL_STATE_NEVER);
}
