/* far_world.h - a real remote runner, behind two ends of deploybot-link that a test plays.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

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

static inline bool
is_gone(const struct far *far)
{
	char why[LIMIT_LINE];

	agent_link_why(agents_find(far->agents, "build-1"), why);
	return strstr(why, "been disconnected") != NULL || strstr(why, "another version") != NULL;
}

static inline bool
is_ordered(const struct far *far)
{
	char why[LIMIT_LINE];

	agent_link_why(agents_find(far->agents, "build-1"), why);
	return strstr(why, "is at another run") != NULL;
}

/* --- two links --- */

static inline void
say(const struct far *far, const char *text)
{
	assert_int_equal(send(far->link, text, strlen(text), 0), strlen(text));
}

static inline void
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

static inline void
open_channel(struct far *far, int number, const char *path)
{
	assert_true(number < CHANNELS);
	far->channels[number] = packet_socket(path, false);
	if (far->channels[number] < 0) {
		far->channels[number] = dup(far->listener);
		close_channel(far, number);
	}
}

static inline void
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
static inline void
hand_over(int fd, const char *packet, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	while (send(fd, packet, size, MSG_NOSIGNAL) < 0 && errno == EAGAIN)
		assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
}

static inline void
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

static inline void
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

static inline void
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

static inline void
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

static inline bool
is_connected(const struct far *far)
{
	return agent_link_seen(agents_find(far->agents, "build-1")).state == AGENT_CONNECTED;
}

static inline void
connect_again(struct far *far)
{
	far->is_cut = false;
	say(far, HERE);
}

/* --- a world with a runner elsewhere --- */

static inline void
on_said(UNUSED void *ctx, UNUSED enum event_kind kind, UNUSED const char *identity,
    UNUSED const char *text)
{
	fail_msg("a runner has no manifest, and no key to renew here");
}

static inline void
on_runner(UNUSED void *ctx, const char *runner, UNUSED bool is_connected, UNUSED uint64_t highest)
{
	assert_string_equal(runner, "build-1");
}

static inline void
say_state(struct far *far, const char *environment, int64_t number, const char *body)
{
	agents_take_state(far->agents, state_file_new(environment, number, body, strlen(body)));
}

static inline void
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

static inline void
listen_there(struct far *far, const char *path)
{
	far->listener = packet_socket(path, true);
	assert_int_equal(listen(far->listener, 4), 0);
}

static inline bool
is_listening(const struct far *far)
{
	struct stat there;

	return stat(far->socket, &there) == 0;
}

static inline const char *
runner_of(UNUSED void *ctx, const char *environment)
{
	return strcmp(environment, "staging") == 0 ? "build-1" : "local";
}

/* As the settings of two servers say. */
static inline bool
is_others(UNUSED void *ctx, const char *runner)
{
	return strcmp(runner, "server-b") == 0;
}

static inline void
start_server(struct far *far, const char *path, const char *key)
{
	struct known_peers *known = known_peers_new(1);
	const struct peer peer = { .identity = BUILD, .digest = DIGEST };
	struct err err;
	struct runs_config config = { .runner = runs_aid_runner(),
		.env_file = far->scene->env_file,
		.settings = far->scene->settings,
		.runner_of = runner_of,
		.is_others = is_others,
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

static inline int
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

static inline int
begin(void **state)
{
	return begin_world(state, true, 0);
}

static inline int
begin_unknown(void **state)
{
	return begin_world(state, false, 0);
}

static inline int
begin_leader(void **state)
{
	return begin_world(state, true, 17);
}

static inline int
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

static inline struct effect_run
order_of(int64_t run)
{
	struct effect_run order = runs_aid_order(run);

	(void)text_copy(order.runner, sizeof(order.runner), "build-1");
	order.ordered_at = clock_wall_ms();
	return order;
}

static inline void
tell(struct story *story, struct far *far, const struct effect_run *order, bool goes)
{
	const struct runs_watch watch = runs_aid_watch(story);

	*story = (struct story){ .scene = far->scene, .goes = goes };
	assert_true(runs_order(far->scene->runs, order, &watch, NULL));
}
