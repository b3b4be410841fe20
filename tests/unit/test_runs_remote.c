/* Goal: a run of a remote runner is reported as one of this machine's, by its own runner alone.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The real deploybot-remote-runner, in a folder that the server does not know; what is said to
 * deploybot-link is passed on by this program, as two links would.
 */
#include "runs_aid.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/packet_socket.h"
#include "lib/text.h"
#include "runs/agents.h"
#include "runner/packet.h"
#include "runs/run_flow.h"
#include "types/peers.h"
#include "types/settings.h"

#define BUILD	 "runner/build-1"
#define DIGEST	 "1111111111111111111111111111111111111111111111111111111111111111"
#define HERE	 "link 0\nhere " BUILD " " DIGEST " 1767225600 0.2.0 192.0.2.1:1\n"
#define CHANNELS 8

struct far {
	struct scene *scene;
	struct loop_timer tick;
	struct agents *agents;
	pid_t runner;
	int listener, link; /* deploybot-link's */
	int channels[CHANNELS];
	bool is_cut;		 /* the host is disconnected */
	bool knows;		 /* the server what is live elsewhere, from the beginning */
	uint64_t epoch;		 /* in which the server leads; 0: there is one */
	int states, states_most; /* that were sent and not answered; at once */
	char socket[108], folder[80];
};

static bool
is_gone(const struct far *far)
{
	char why[LIMIT_LINE];

	agent_link_why(agents_find(far->agents, "build-1"), why);
	return strstr(why, "been disconnected") != NULL || strstr(why, "another version") != NULL;
}

static bool
is_ordered(const struct far *far)
{
	char why[LIMIT_LINE];

	agent_link_why(agents_find(far->agents, "build-1"), why);
	return strstr(why, "is at another run") != NULL;
}

/* --- two links --- */

static void
say(const struct far *far, const char *text)
{
	assert_int_equal(send(far->link, text, strlen(text), 0), strlen(text));
}

static void
close_channel(struct far *far, int number)
{
	char word[64];

	if (far->channels[number] < 0)
		return;
	close(far->channels[number]);
	far->channels[number] = -1;
	(void)snprintf(word, sizeof(word), BUILD " 0\nclose\nchannel %d\ntext it closed\n", number);
	if (!far->is_cut)
		say(far, word);
}

static void
open_channel(struct far *far, int number, const char *path)
{
	assert_true(number < CHANNELS);
	far->channels[number] = packet_socket(path, false);
	if (far->channels[number] < 0) {
		far->channels[number] = dup(far->listener);
		close_channel(far, number);
	}
}

static void
take_word(struct far *far, const char *word)
{
	int number = 0, run = 0;
	char path[160];

	if (sscanf(word, "open\nchannel %d\nid %d\n", &number, &run) == 2) {
		(void)snprintf(path, sizeof(path), "%s/runs/%d/socket", far->folder, run);
		open_channel(far, number, path);
	} else if (sscanf(word, "close\nchannel %d\n", &number) == 1) {
		assert_true(number > 0); /* nothing that was said is what no runner says */
		close_channel(far, number);
	}
}

/* Whatever room there is: link loses nothing. */
static void
hand_over(int fd, const char *packet, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	while (send(fd, packet, size, MSG_NOSIGNAL) < 0 && errno == EAGAIN)
		assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
}

static void
take_packet(struct far *far, const char *packet, size_t size)
{
	const char *body = strchr(packet, '\n') + 1;
	size_t left = size - (size_t)(body - packet);
	int number = 0;

	if (strcmp(packet, "link 0\nlist\n") == 0 && !far->is_cut)
		say(far, HERE);
	assert_false(far->is_cut && is_gone(far) && text_starts(packet, BUILD " 1\n"));
	if (sscanf(packet, BUILD " %d\n", &number) != 1 || far->is_cut)
		return;
	if (number == 0) {
		take_word(far, body);
		return;
	}
	if (number == 1 && far->channels[1] < 0)
		open_channel(far, 1, far->socket);
	if (text_starts(body, "state\n") && ++far->states > far->states_most)
		far->states_most = far->states;
	if (far->channels[number] >= 0)
		hand_over(far->channels[number], body, left);
}

static void
pass_on(struct far *far, int number)
{
	static char packet[PROTOCOL_PACKET_MAX + 64];
	int head = snprintf(packet, sizeof(packet), BUILD " %d\n", number);
	ssize_t n =
	    recv(far->channels[number], packet + head, sizeof(packet) - (size_t)head, MSG_DONTWAIT);

	if (n > 0)
		assert_true(send(far->link, packet, (size_t)(head + n), 0) > 0);
	if (n > 0 && text_starts(packet + head, "state\n"))
		far->states--;
	else if (n == 0 || errno != EAGAIN)
		close_channel(far, number);
}

static void
on_tick(UNUSED struct loop_timer *timer, void *ctx)
{
	static char packet[PROTOCOL_PACKET_MAX + 128];
	struct far *far = ctx;
	ssize_t n;

	if (far->link < 0)
		far->link = accept4(far->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (
	    far->link >= 0 && (n = recv(far->link, packet, sizeof(packet) - 1, MSG_DONTWAIT)) > 0) {
		packet[n] = '\0';
		take_packet(far, packet, (size_t)n);
	}
	for (int i = 1; i < CHANNELS; i++)
		if (far->channels[i] >= 0)
			pass_on(far, i);
}

static void
cut(struct far *far)
{
	far->is_cut = true;
	far->states = 0;
	for (int i = 1; i < CHANNELS; i++)
		close_channel(far, i);
	say(far, "link 0\ngone " BUILD " the test\n");
	WAIT_FOR(far->scene, is_gone(far));
	on_tick(&far->tick, far); /* what was sent to it until then */
}

static bool
is_connected(const struct far *far)
{
	return agent_link_seen(agents_find(far->agents, "build-1")).state == AGENT_CONNECTED;
}

static void
connect_again(struct far *far)
{
	far->is_cut = false;
	say(far, HERE);
}

/* --- a world with a runner elsewhere --- */

static void
on_said(UNUSED void *ctx, UNUSED enum event_kind kind, UNUSED const char *identity,
    UNUSED const char *text)
{
	fail_msg("a runner has no manifest, and no key to renew here");
}

static void
on_runner(UNUSED void *ctx, const char *runner, UNUSED bool is_connected, UNUSED uint64_t highest)
{
	assert_string_equal(runner, "build-1");
}

static void
say_state(struct far *far, const char *environment, int64_t number, const char *body)
{
	agents_take_state(far->agents, state_file_new(environment, number, body, strlen(body)));
}

static void
start_runner(struct far *far, const char *key)
{
	char program[4096], orders[128], text[256], public[CRYPTO_SHA256_HEX];
	char *slash;

	assert_true(crypto_ca_order_public(key, public, NULL));
	(void)snprintf(orders, sizeof(orders), "%s/runner.conf", far->folder);
	(void)snprintf(text, sizeof(text), "RUNNER_NAME=build-1\nORDER_KEYS=%s\n", public);
	runs_aid_write(orders, text, 0640);
	(void)text_copy(program, sizeof(program), runs_aid_runner());
	slash = strrchr(program, '/');
	(void)snprintf(slash, 32, "/deploybot-remote-runner");
	far->runner = fork();
	if (far->runner == 0) {
		(void)execl(program, program, "--listen", far->socket, "--state", far->folder,
		    "--env-file", far->scene->env_file, "--orders", orders, (char *)NULL);
		_exit(1);
	}
}

static void
listen_there(struct far *far, const char *path)
{
	far->listener = packet_socket(path, true);
	assert_int_equal(listen(far->listener, 4), 0);
}

static bool
is_listening(const struct far *far)
{
	struct stat there;

	return stat(far->socket, &there) == 0;
}

static const char *
runner_of(UNUSED void *ctx, const char *environment)
{
	return strcmp(environment, "staging") == 0 ? "build-1" : "local";
}

static void
start_server(struct far *far, const char *path, const char *key)
{
	struct known_peers *known = known_peers_new(1);
	const struct peer peer = { .identity = BUILD, .digest = DIGEST };
	struct err err;
	struct runs_config config = { .runner = runs_aid_runner(),
		.env_file = far->scene->env_file,
		.settings = far->scene->settings,
		.runner_of = runner_of,
		.epoch = far->epoch,
		.grace_s = 1 };

	config.agents = far->agents = agents_new(&(struct agents_config){ far->scene->loop, path,
						     key, on_said, on_runner, far, 0, far->epoch },
	    &err);
	assert_non_null(far->agents);
	far->scene->runs = runs_start(far->scene->loop, &config, &err);
	assert_non_null(far->scene->runs);
	known_peers_add(known, &peer);
	agents_take_peers(far->agents, known);
	if (far->knows)
		say_state(far, "", 1, "");
}

static int
begin_world(void **state, bool knows, uint64_t epoch)
{
	struct far *far = mem_new(1, sizeof(*far));
	char path[108], key[CRYPTO_CA_PEM];

	far->knows = knows;
	far->epoch = epoch;

	if (runs_aid_begin((void **)&far->scene) != 0)
		return -1;
	*state = far;
	(void)snprintf(far->folder, sizeof(far->folder), "%s/far", far->scene->folder);
	(void)snprintf(far->socket, sizeof(far->socket), "%s/runner.sock", far->folder);
	(void)snprintf(path, sizeof(path), "%s/link.sock", far->scene->folder);
	assert_int_equal(mkdir(far->folder, 0755), 0);
	assert_true(crypto_ca_make_order_key(key, NULL));
	far->link = -1;
	for (int i = 0; i < CHANNELS; i++)
		far->channels[i] = -1;
	loop_timer_init(&far->tick, on_tick, far);
	loop_timer_start(far->scene->loop, &far->tick, 1, 1);
	listen_there(far, path);
	start_runner(far, key);
	WAIT_FOR(far->scene, is_listening(far));
	start_server(far, path, key);
	return 0;
}

static int
begin(void **state)
{
	return begin_world(state, true, 0);
}

static int
begin_unknown(void **state)
{
	return begin_world(state, false, 0);
}

static int
begin_leader(void **state)
{
	return begin_world(state, true, 17);
}

static int
finish(void **state)
{
	struct far *far = *state;

	runs_free(far->scene->runs);
	far->scene->runs = NULL;
	agents_free(far->agents);
	loop_timer_stop(&far->tick);
	for (int i = 1; i < CHANNELS; i++)
		if (far->channels[i] >= 0)
			close(far->channels[i]);
	close(far->listener);
	close(far->link);
	(void)kill(far->runner, SIGKILL);
	(void)waitpid(far->runner, NULL, 0);
	(void)runs_aid_finish((void **)&far->scene);
	free(far);
	return 0;
}

#define REMOTE_TEST(name)  TEST_OF(name, struct far *far, begin, finish)
#define LEADER_TEST(name)  TEST_OF(name, struct far *far, begin_leader, finish)
#define UNKNOWN_TEST(name) TEST_OF(name, struct far *far, begin_unknown, finish)

static struct effect_run
order_of(int64_t run)
{
	struct effect_run order = runs_aid_order(run);

	(void)text_copy(order.runner, sizeof(order.runner), "build-1");
	order.ordered_at = clock_wall_ms();
	return order;
}

static void
tell(struct story *story, struct far *far, const struct effect_run *order, bool goes)
{
	const struct runs_watch watch = runs_aid_watch(story);

	*story = (struct story){ .scene = far->scene, .goes = goes };
	assert_true(runs_order(far->scene->runs, order, &watch, NULL));
}

/* --- */

REMOTE_TEST(a_run_elsewhere_tells_its_steps_and_its_end)
{
	const struct effect_run order = order_of(12);
	struct story story;

	runs_aid_script(far->scene,
	    "echo '==> build'; echo '==> release'; echo '|app| out of memory'; echo all done; exit 3");
	tell(&story, far, &order, true);
	assert_int_equal(runs_open(far->scene->runs), 0); /* nobody waits for it at the end */
	WAIT_FOR(far->scene, story.ends > 0);
	assert_int_equal(story.hellos, 1);
	assert_int_equal(story.n_steps, 2);
	assert_string_equal(story.steps[1].name, "release");
	assert_true(story.ended.gate_opened && story.ended.released);
	assert_int_equal(story.ended.exit_status, 3);
	assert_string_equal(story.ended.detail, "all done");
	assert_string_equal(story.ended.application_log, "out of memory");
	assert_non_null(strstr(story.ended.tail, "all done"));
}

REMOTE_TEST(a_run_is_stopped_at_its_gate)
{
	const struct effect_run order = order_of(12);
	int sent = 0;
	struct runs_stop_request request = {
		.run = 12, .on_sent = runs_aid_on_stop_request, .ctx = &sent
	};
	struct story story;

	runs_aid_script(far->scene, "touch $PROOF");
	tell(&story, far, &order, false);
	WAIT_FOR(far->scene, story.hellos > 0);
	assert_int_equal(access(far->scene->proof, F_OK), -1);
	assert_true(runs_stop_run(far->scene->runs, &request));
	WAIT_FOR(far->scene, story.ends > 0 && sent > 0);
	assert_true(story.ended.ended_on_request && !story.ended.gate_opened);
	assert_int_equal(access(far->scene->proof, F_OK), -1);
}

REMOTE_TEST(a_run_goes_on_while_its_host_is_disconnected)
{
	const struct effect_run order = order_of(12);
	struct story story;

	runs_aid_script(far->scene,
	    "echo '==> build'; until [ -e $PROOF ]; do sleep 0.02; done; echo '==> release'; echo done");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, story.n_steps == 1);
	cut(far);
	runs_aid_write(far->scene->proof, "", 0644);
	connect_again(far);
	WAIT_FOR(far->scene, story.ends > 0);
	assert_int_equal(story.hellos, 1);
	assert_true(story.ended.released && story.ended.exit_status == 0);
	assert_string_equal(story.ended.detail, "done");
}

REMOTE_TEST(a_supervisor_that_was_killed_elsewhere_is_a_lost_run)
{
	const struct effect_run order = order_of(12);
	struct story story;

	runs_aid_script(far->scene, "echo '==> build'; exec sleep 300");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, story.n_steps == 1);
	runs_aid_kill(runs_aid_parent((pid_t)story.hello.pid));
	WAIT_FOR(far->scene, story.ends > 0);
	assert_true(story.ended.lost && story.ended.gate_opened);
}

REMOTE_TEST(an_order_to_a_runner_that_is_disconnected_is_refused_and_never_sent_later)
{
	struct effect_run order = order_of(12);
	struct story story;

	WAIT_FOR(far->scene, is_ordered(far)); /* until then there is more to be sent */
	cut(far);
	order.ordered_at -= RUN_ORDER_WAIT_MS - 200;
	runs_aid_script(far->scene, "touch $PROOF");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, story.ends > 0);
	assert_true(story.ended.refused);
	assert_true(
	    text_starts(story.ended.detail, "the runner build-1 has been disconnected for "));
	assert_true(text_ends(story.ended.detail, "; nothing was started"));
	connect_again(far);
	order = order_of(13);
	tell(&story, far, &order, false);
	WAIT_FOR(far->scene, story.hellos > 0);
	assert_int_equal(access(far->scene->proof, F_OK), -1);
}

/* As a server does that leads from now on. */
static void
take_over(struct story *story, struct far *far, int64_t run, int64_t started_at)
{
	const struct runs_watch watch = runs_aid_watch(story);
	struct effect_run order = order_of(run);

	*story = (struct story){ .scene = far->scene, .goes = true };
	order.started_at = started_at;
	assert_true(runs_resume(far->scene->runs, &order, &watch, NULL));
}

LEADER_TEST(a_run_that_no_server_let_go_is_left_where_its_runner_does_not_connect)
{
	struct story left, begun, next;
	int64_t from = loop_now_ms();

	WAIT_FOR(far->scene, is_ordered(far)); /* until then there is more to be sent */
	cut(far);
	runs_aid_script(far->scene, "touch $PROOF");
	take_over(&left, far, 12, 0);
	take_over(&begun, far, 13, 1);
	WAIT_FOR(far->scene, left.ends > 0);
	assert_true(loop_now_ms() - from >= RUN_ANEW_MS);
	assert_false(left.ended.refused || left.ended.gate_opened || left.ended.folder_gone);
	assert_true(text_ends(left.ended.detail, "; nothing was started"));
	assert_int_equal(begun.ends, 0); /* it is waited for */
	connect_again(far);
	take_over(&next, far, 14, 0);
	WAIT_FOR(far->scene, next.ends > 0); /* it is connected: it is asked, and ordered */
	assert_true(next.ended.gate_opened);
	WAIT_FOR(far->scene, begun.ends > 0);
	assert_true(begun.ended.folder_gone);
}

/* Where there is one server, its start is no take-over. */
REMOTE_TEST(a_run_of_the_only_server_is_waited_for)
{
	struct story story;
	int64_t from = loop_now_ms();

	WAIT_FOR(far->scene, is_ordered(far));
	cut(far);
	take_over(&story, far, 12, 0);
	WAIT_FOR(far->scene, loop_now_ms() - from > RUN_ANEW_MS + 300);
	assert_int_equal(story.ends, 0);
}

REMOTE_TEST(a_run_that_has_a_folder_there_is_followed_and_not_ordered_again)
{
	const struct effect_run order = order_of(12), other = order_of(13);
	struct story story, again;

	runs_aid_script(far->scene, "echo x >>$PROOF; echo '==> release'");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, story.ends > 0);
	tell(&story, far, &other, true); /* behind it nothing is said unasked of the first */
	WAIT_FOR(far->scene, story.ends > 0);
	tell(&again, far, &order, true);
	WAIT_FOR(far->scene, again.ends > 0);
	assert_true(again.ended.released && again.hellos == 0);
}

/* An agent's may be newer. */
REMOTE_TEST(a_remote_runner_is_of_the_version_that_we_are_of)
{
	WAIT_FOR(far->scene, is_connected(far) && is_ordered(far));
	cut(far);
	say(far, HERE);
	WAIT_FOR(far->scene, !is_gone(far));
	on_tick(&far->tick, far); /* it is greeted */
	say(far, BUILD " 1\nhello\nversion 4\n");
	WAIT_FOR(far->scene, is_gone(far));
}

/* --- what is asked there, and removed --- */

static void
on_purged(void *ctx, const char *failure)
{
	(void)text_copy(ctx, LIMIT_LINE, failure == NULL ? "gone" : failure);
}

static void
on_no_answer(UNUSED void *ctx, UNUSED const struct runs_answer *answer)
{
	fail_msg("it was asked nothing");
}

REMOTE_TEST(a_question_about_its_environment_is_answered_there_and_by_nobody_else)
{
	const struct effect_git_query ask = { .kind = GIT_QUERY_SETTINGS,
		.environment = "staging" };
	const struct effect_git_query heads = { .kind = GIT_QUERY_HEADS,
		.environment = "staging",
		.n_branches = 1,
		.branches = { "main" } };
	const struct effect_git_query elsewhere = { .kind = GIT_QUERY_SETTINGS };
	struct err err;

	WAIT_FOR(far->scene, is_connected(far) && is_ordered(far));
	(void)runs_aid_ask(far->scene, &ask);
	WAIT_FOR(far->scene, far->scene->answers == 1);
	assert_false(far->scene->answer_unreachable || far->scene->answer_status != 0);
	(void)kill(far->runner, SIGSTOP);
	(void)runs_aid_ask(far->scene, &ask);
	(void)runs_aid_ask(far->scene, &heads);
	(void)runs_aid_ask(far->scene, &elsewhere);
	WAIT_FOR(far->scene, far->scene->answers == 3); /* by the runner of this machine */
	cut(far);
	WAIT_FOR(far->scene, far->scene->answers == 4);
	assert_true(far->scene->answer_unreachable);
	assert_true(
	    text_starts(far->scene->answer, "the runner build-1 has been disconnected for "));
	assert_null(runs_git_query_start(far->scene->runs,
	    &(struct runs_git_query_config){ .order = &ask, .on_answer = on_no_answer }, &err));
	assert_true(text_starts(err.text, "the runner build-1 has been disconnected for "));
	(void)kill(far->runner, SIGCONT);
}

REMOTE_TEST(the_folder_of_a_run_is_removed_there_or_stays_and_holds_no_other_up)
{
	const struct effect_run order = order_of(12);
	const struct effect_purge_run there = { .run = 12, .runner = "build-1" };
	char path[160], said[LIMIT_LINE] = "";
	struct story story;
	struct err err;

	runs_aid_script(far->scene, "echo '==> release'");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, story.ends > 0);
	(void)snprintf(path, sizeof(path), "%s/runs/12", far->folder);
	(void)kill(far->runner, SIGSTOP);
	assert_true(runs_purge(far->scene->runs, &there, on_purged, said, &err));
	on_tick(&far->tick, far); /* it is on its way */
	cut(far);
	assert_string_equal(said, "its runner is disconnected");
	assert_false(runs_purge(far->scene->runs, &there, on_purged, said, &err));
	(void)kill(far->runner, SIGCONT);
	connect_again(far);
	WAIT_FOR(far->scene, is_connected(far));
	assert_true(runs_purge(far->scene->runs, &there, on_purged, said, &err));
	WAIT_FOR(far->scene, strcmp(said, "gone") == 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* --- what is live elsewhere --- */

static char *
read_there(const struct far *far, const char *name)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/environments/%s", far->folder, name);
	return file_read(path, PROTOCOL_STATE_MAX, NULL, NULL);
}

static bool
is_there(const struct far *far, const char *name, const char *body)
{
	CLEANUP(freep) char *found = read_there(far, name);

	return body == NULL ? found == NULL : found != NULL && strcmp(found, body) == 0;
}

UNKNOWN_TEST(before_all_that_is_live_is_known_there_no_order_is_sent)
{
	const struct effect_run order = order_of(12);
	char why[LIMIT_LINE];
	struct story story;

	runs_aid_script(far->scene, "touch $PROOF");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, far->channels[1] >= 0);
	say_state(far, "staging", 4, "first\n");
	say_state(far, "shop/production", 5, "second\n");
	WAIT_FOR(far->scene, is_there(far, "shop.production.json", "second\n"));
	agent_link_why(agents_find(far->agents, "build-1"), why);
	assert_string_equal(why, "the runner build-1 does not know yet what is live elsewhere");
	assert_true(is_there(far, "staging.json", "first\n"));
	assert_int_equal(story.hellos, 0);
	say_state(far, "", 5, "");
	WAIT_FOR(far->scene, story.ends > 0);
	assert_int_equal(story.ended.exit_status, 0);
	assert_int_equal(access(far->scene->proof, F_OK), 0);
}

REMOTE_TEST(a_change_is_there_at_once_and_behind_a_restart_of_the_link)
{
	say_state(far, "staging", 4, "first\n");
	say_state(far, "production", 4, "first\n");
	WAIT_FOR(far->scene, is_there(far, "production.json", "first\n"));
	say_state(far, "staging", 5, "second\n");
	WAIT_FOR(far->scene, is_there(far, "staging.json", "second\n"));
	say_state(far, "production", 6, "");
	WAIT_FOR(far->scene, is_there(far, "production.json", NULL));
	cut(far);
	say_state(far, "staging", 7, "third\n");
	assert_true(is_there(far, "staging.json", "second\n"));
	connect_again(far);
	WAIT_FOR(far->scene, is_ordered(far));
	assert_true(is_there(far, "staging.json", "third\n"));
	assert_true(is_there(far, "production.json", NULL));
	assert_true(is_there(far, "number", "7"));
}

/* Of its own environment the newest is said before each. */
REMOTE_TEST(an_order_comes_behind_what_is_live_in_its_environment)
{
	const struct effect_run order = order_of(12);
	char path[160];
	struct story story;

	say_state(far, "staging", 4, "first\n");
	WAIT_FOR(far->scene, is_there(far, "staging.json", "first\n") && is_ordered(far));
	(void)snprintf(path, sizeof(path), "%s/environments/staging.json", far->folder);
	assert_int_equal(unlink(path), 0);
	runs_aid_script(far->scene, "true");
	tell(&story, far, &order, false);
	WAIT_FOR(far->scene, story.hellos > 0);
	assert_true(is_there(far, "staging.json", "first\n"));
}

UNKNOWN_TEST(so_many_that_link_could_not_keep_them_are_sent_a_few_at_a_time)
{
	static char body[PROTOCOL_STATE_MAX];
	char name[32];

	memset(body, 'a', sizeof(body) - 1);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "many-%d", i);
		say_state(far, name, 4, body);
	}
	say_state(far, "", 4, "");
	WAIT_FOR(far->scene, is_there(far, "many-39.json", body) && is_ordered(far));
	memset(body, 'b', sizeof(body) - 1);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "many-%d", i);
		say_state(far, name, 5, body);
	}
	WAIT_FOR(far->scene, is_there(far, "many-39.json", body) && is_ordered(far));
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "many-%d.json", i);
		assert_true(is_there(far, name, body));
	}
	assert_in_range(far->states_most, 2, 9); /* the list of all is one more */
}

REMOTE_TEST(where_it_has_a_newer_state_a_run_is_put_off_until_that_is_gone)
{
	const struct effect_run order = order_of(12);
	char path[160];
	struct story story;

	WAIT_FOR(far->scene, is_there(far, "number", "1") && is_ordered(far));
	(void)snprintf(path, sizeof(path), "%s/environments/number", far->folder);
	runs_aid_write(path, "9", 0640);
	runs_aid_script(far->scene, "touch $PROOF");
	tell(&story, far, &order, true);
	say_state(far, "staging", 4, "old\n");
	WAIT_FOR(far->scene, story.put_off > 0);
	assert_non_null(strstr(story.ended.detail, "older than what is here, of 9"));
	assert_int_equal(access(far->scene->proof, F_OK), -1);
	assert_true(is_there(far, "staging.json", NULL));
	assert_int_equal(unlink(path), 0);
	for (int tries = 0; story.put_off > 0; tries++) { /* as the effect is tried again */
		assert_true(tries < 4);
		tell(&story, far, &order, true);
		WAIT_FOR(far->scene, story.ends + story.put_off > 0);
	}
	assert_int_equal(story.ended.exit_status, 0);
	assert_true(is_there(far, "staging.json", "old\n"));
}
