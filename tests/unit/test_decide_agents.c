/* Goal: admins alone learn which agents are connected, since when not, and what else is known.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent_aid.h"
#include "people_aid.h"
#include "token_aid.h"

#include "lib/text.h"
#include "store/row_peer.h"

#define D1	     AGENT_AID_1
#define LISTS	     "disk-free=" D1 " restart-web=" D1
#define HOUR	     (3600 * INT64_C(1000))
#define DAY	     (24 * HOUR)
#define OPEN(w, ...) world_open(w, LINK_AID_LINES(&agent_aid_authority), __VA_ARGS__, NULL)
#define CLIENTS \
	"CLIENTS=acme,beta", "CLIENT_ACME_HOST=agent:acme", "CLIENT_ACME_ACTIONS=restart-web", \
	    "CLIENT_BETA_HOST=agent:beta", "CLIENT_BETA_ACTIONS=restart-web"

#define AGENTS_TEST(name) WORLD_TEST_BETWEEN(name, agent_aid_set_up, agent_aid_tear_down)

static void
enrol(struct tx *tx, const char *name, int number, int64_t ends_at)
{
	struct peer peer = { .made_at = 1767225600000, .by = "@ada", .ends_at = ends_at };

	(void)peer_identity(name, peer.identity);
	(void)snprintf(peer.digest, sizeof(peer.digest), "%064d", number);
	row_peer_put(tx, &peer);
}

static void
act_enrol(struct tx *tx, UNUSED void *arg)
{
	struct peer peer;

	enrol(tx, "acme", 1, tx->at + 20 * DAY);
	enrol(tx, "beta", 2, 0);
	enrol(tx, "gone", 3, 0);
	peer = row_peer_get(tx, "agent/gone");
	peer.revoked_at = tx->at;
	row_peer_put(tx, &peer);
}

/* acme is connected, whose clock is wrong; beta has gone. */
static void
begin(struct world *w)
{
	world_act(w, act_enrol, NULL);
	agent_aid_says(w, "agent/acme", LISTS);
	agent_aid_sees(w, "agent/acme",
	    (struct agent_seen){
		.state = AGENT_CONNECTED, .version = "0.2.0", .clock_ahead_s = 90 });
	agent_aid_sees(
	    w, "agent/beta", (struct agent_seen){ .state = AGENT_GONE, .gone_at = w->aid.at });
}

static const char *
ask(struct world *w, const char *path)
{
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_AGENTS, path, NULL), 200);
	return w->aid.said;
}

AGENTS_TEST(v1_says_of_each_whether_it_is_connected)
{
	const char *said;

	OPEN(w, CLIENTS);
	begin(w);
	said = ask(w, "/v1/agents/acme");
	assert_non_null(strstr(
	    said, "\"state\":\"connected\",\"disconnected_since\":null,\"version\":\"0.2.0\""));
	assert_non_null(strstr(
	    said, "\"clock_ahead_seconds\":90,\"said\":\"connected, 0.2.0, certificate until "));
	assert_non_null(strstr(said, ", its clock is 1 min ahead\",\"capabilities\":["));
	assert_non_null(strstr(said, "[{\"name\":\"disk-free\",\"digest\":\"" D1 "\"},{"));
	assert_null(strstr(said, "beta"));
	said = ask(w, "/v1/agents");
	assert_non_null(strstr(said, "\"name\":\"beta\""));
	assert_non_null(strstr(said, "\"said\":\"disconnected since "));
	assert_non_null(strstr(said, "\"said\":\"revoked "));
	assert_non_null(strstr(said, "\"next\":null"));
	assert_null(strstr(said, "capabilities"));
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_AGENTS, "/v1/agents/other", NULL), 404);
	assert_int_equal(
	    token_aid_ask(w, WORLD_STAGING_USER, API_AGENTS, "/v1/agents/acme", NULL), 403);
	assert_null(strstr(w->aid.said, "certificate"));
}

AGENTS_TEST(what_is_not_known_is_not_said)
{
	OPEN(w, CLIENTS);
	world_act(w, act_enrol, NULL);
	assert_non_null(
	    strstr(ask(w, "/v1/agents/acme"), "\"said\":\"never connected, certificate"));
	agent_aid_says(w, "agent/acme", LISTS);
	assert_non_null(
	    strstr(ask(w, "/v1/agents/acme"), "\"said\":\"not known whether it is connected, "));
	assert_null(strstr(w->aid.said, "list changed"));
	agent_aid_says(w, "agent/acme", "");
	assert_non_null(strstr(ask(w, "/v1/agents/acme"), ", list changed "));
	agent_aid_sees(w, "", (struct agent_seen){ .gone_at = 0 });
	assert_non_null(strstr(
	    ask(w, "/v1/agents/acme"), "\"said\":\"not connected since deploybot's start, "));
	agent_aid_sees(w, "agent/acme",
	    (struct agent_seen){ .state = AGENT_SILENT, .clock_ahead_s = -315360000 });
	w->aid.at += 21 * DAY;
	assert_non_null(strstr(ask(w, "/v1/agents/acme"),
	    "\"said\":\"does not answer, its host is connected, its certificate ended "));
	assert_non_null(strstr(w->aid.said, ", its clock is 10 years behind\""));
	agent_aid_sees(
	    w, "agent/acme", (struct agent_seen){ .state = AGENT_CONNECTED, .clock_ahead_s = -60 });
	assert_null(strstr(ask(w, "/v1/agents/acme"), "clock is"));
}

static void
act_enrol_runner(struct tx *tx, UNUSED void *arg)
{
	struct peer peer = {
		.identity = "runner/build-1", .digest = D1, .made_at = 1, .by = "@ada"
	};

	row_peer_put(tx, &peer);
}

AGENTS_TEST(remote_runners_are_listed_apart_and_shown_beside_agents)
{
	OPEN(w, CLIENTS);
	begin(w);
	world_act(w, act_enrol_runner, NULL);
	agent_aid_sees(w, "", (struct agent_seen){ .gone_at = 0 });
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_RUNNERS, "/v1/runners", NULL), 200);
	assert_non_null(strstr(w->aid.said, "{\"runners\":[{\"name\":\"build-1\""));
	assert_non_null(strstr(w->aid.said, "not connected since deploybot's start"));
	assert_null(strstr(w->aid.said, "acme"));
	assert_non_null(strstr(ask(w, "/v1/agents"), "\"next\":null"));
	assert_null(strstr(w->aid.said, "build-1"));
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_RUNNERS, "/v1/runners/acme", NULL), 404);
	assert_int_equal(
	    token_aid_ask(w, WORLD_ADMIN, API_RUNNERS, "/v1/runners/build-1", NULL), 200);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/agents");
	assert_non_null(strstr(world_plain(world_last(w)), "runner build-1 "));
}

static void
act_enrol_many(struct tx *tx, UNUSED void *arg)
{
	char name[16];

	for (int i = 0; i < 600; i++) {
		(void)snprintf(name, sizeof(name), "host-%03d", i);
		enrol(tx, name, i, 0);
	}
}

AGENTS_TEST(of_thousands_each_is_in_one_answer)
{
	OPEN(w, CLIENTS);
	world_act(w, act_enrol_many, NULL);
	(void)ask(w, "/v1/agents");
	assert_non_null(strstr(w->aid.said, "\"name\":\"host-000\""));
	assert_non_null(strstr(w->aid.said_last, "],\"next\":\"host-511\"}"));
	(void)ask(w, "/v1/agents/after/host-511");
	assert_non_null(strstr(w->aid.said, "{\"agents\":[{\"name\":\"host-512\""));
	assert_non_null(strstr(w->aid.said_last, "],\"next\":null}"));
	assert_string_equal(ask(w, "/v1/agents/after/host-599"), "{\"agents\":[],\"next\":null}");
	agent_aid_sees(
	    w, "agent/host-599", (struct agent_seen){ .state = AGENT_GONE, .gone_at = w->aid.at });
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/agents");
	assert_non_null(world_says(w, "Agents: 600 not connected, 0 connected\n🔴 host-000 "));
	assert_null(world_says(w, "host-020"));
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, world_button(world_last(w), "2/30 ▶"));
	assert_non_null(world_says(w, "connected\n🔴 host-020 "));
}

AGENTS_TEST(agents_are_shown_to_admins_in_private)
{
	OPEN(w, CLIENTS);
	begin(w);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/agents");
	assert_non_null(world_says_in(w, WORLD_ADMIN,
	    "Agents: 1 not connected, 1 connected, 1 revoked\n🔴 beta disconnected since "));
	assert_non_null(
	    world_says_in(w, WORLD_ADMIN, "\n🟢 acme connected, 0.2.0, certificate until "));
	assert_non_null(world_says_in(w, WORLD_ADMIN, "\n⚪ gone revoked "));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_TEAM, "/agents");
	assert_non_null(world_says_in(w, WORLD_TEAM, "⛔ /agents works in our private chat only."));
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/agents");
	assert_null(world_says_in(w, WORLD_STAGING_USER, "acme"));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/help all");
	assert_non_null(strstr(world_plain(world_last(w)), "\n/agents "));
}

AGENTS_TEST(status_says_it_of_a_client)
{
	OPEN(w, CLIENTS);
	begin(w);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/status acme");
	assert_string_equal(world_plain(world_last(w)),
	    "client/acme: nothing is in progress\n\n🟢 acme connected, 0.2.0, certificate until Wed 2026-01-21 00:00, its clock is 1 min ahead, agent of client/acme");
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/status");
	assert_non_null(strstr(world_plain(world_last(w)), "🔴 beta disconnected since "));
	assert_null(strstr(world_plain(world_last(w)), "acme"));
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/status acme");
	assert_null(world_says_in(w, WORLD_STAGING_USER, "connected"));
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/status");
	assert_null(world_says_in(w, WORLD_STAGING_USER, "beta"));
}

/* Root of a host says it of its link. */
AGENTS_TEST(a_version_mentions_nobody)
{
	OPEN(w, CLIENTS);
	begin(w);
	agent_aid_sees(w, "agent/acme",
	    (struct agent_seen){ .state = AGENT_CONNECTED, .version = "@lead·a.example" });
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/status acme");
	assert_non_null(strstr(world_plain(world_last(w)), "lead"));
	assert_null(strstr(world_plain(world_last(w)), "@lead"));
	assert_null(strstr(world_plain(world_last(w)), "a.example"));
}

AGENTS_TEST(clients_whose_agent_is_gone_and_certificates_that_end_are_counted)
{
	struct agents_count n;

	OPEN(w, CLIENTS);
	begin(w);
	n = agents_seen_count(w->aid.seen, w->aid.settings, w->aid.at);
	assert_int_equal(n.connected, 1);
	assert_int_equal(n.disconnected, 1); /* one was revoked */
	assert_int_equal(n.gone + n.expiring, 0);
	n = agents_seen_count(w->aid.seen, w->aid.settings, w->aid.at + HOUR / 6 - 1);
	assert_int_equal(n.gone, 0);
	n = agents_seen_count(w->aid.seen, w->aid.settings, w->aid.at + HOUR / 6);
	assert_int_equal(n.gone, 1);
	n = agents_seen_count(w->aid.seen, w->aid.settings, w->aid.at + 11 * DAY);
	assert_int_equal(n.expiring, 1);
}

AGENTS_TEST(an_environment_that_is_released_through_agents_has_them)
{
	const char *status;

	OPEN(w, "DEPLOY_TRANSPORT=agent", "STAGING_HOST=acme,beta", "PRODUCTION_HOST=new");
	begin(w);
	assert_int_equal(
	    agents_seen_count(w->aid.seen, w->aid.settings, w->aid.at + HOUR / 6 - 1).gone, 0);
	assert_int_equal(
	    agents_seen_count(w->aid.seen, w->aid.settings, w->aid.at + HOUR / 6).gone, 1);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/status");
	status = world_plain(world_last(w));
	assert_non_null(strstr(status, "🔴 beta disconnected since "));
	assert_non_null(strstr(status, ", agent of staging"));
	assert_non_null(strstr(status, "🔴 new is not enrolled, agent of production"));
	assert_null(strstr(status, "acme"));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/status staging");
	status = world_plain(world_last(w));
	assert_non_null(strstr(status, "🟢 acme connected, "));
	assert_non_null(strstr(status, "🔴 beta disconnected since "));
	assert_null(strstr(status, "new"));
}

/* The line of what is asked last. */
static const char *
absent_in(struct world *w)
{
	return strstr(world_plain(world_last(w)), "\n⚠️ agent ");
}

AGENTS_TEST(a_question_says_which_agents_of_its_release_are_not_connected)
{
	const char *const line =
	    "\n⚠️ agent beta: disconnected since 00:00; agent gone: revoked 00:00; agent new: not enrolled\n";

	OPEN(w, "DEPLOY_TRANSPORT=agent", "PRODUCTION_HOST=acme,beta,gone,new",
	    "STAGING_HOST=other");
	begin(w);
	agent_aid_sees(w, "agent/gone", (struct agent_seen){ .state = AGENT_CONNECTED });
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	assert_non_null(strstr(world_plain(world_last(w)), "Deploy to production?"));
	assert_true(text_starts(absent_in(w), line));
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy to production"));
	world_git_at(w, COMMIT_A);
	assert_non_null(world_peek(w, EFFECT_RUN)); /* they may be back by then */
}

AGENTS_TEST(a_question_of_a_rollback_or_restart_says_it_too)
{
	OPEN(w, CLIENTS, "DEPLOY_TRANSPORT=agent", "STAGING_HOST=gone,new", "PRODUCTION_HOST=other",
	    "REGISTRY_URL=registry.example.org");
	begin(w);
	world_three_go_live(w);
	(void)world_rollback_asks(w, "/rollback staging");
	assert_true(text_starts(
	    absent_in(w), "\n⚠️ agent gone: revoked 00:00; agent new: not enrolled\n"));
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	assert_non_null(world_says(w, "starts deploybot-do-restart-web.service"));
	assert_null(absent_in(w));
	agent_aid_sees(w, "agent/acme", (struct agent_seen){ .state = AGENT_SILENT });
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	assert_non_null(
	    world_says(w, "\n⚠️ agent acme: does not answer, its host is connected\n"));
}

AGENTS_TEST(of_many_that_are_not_connected_three_are_named)
{
	OPEN(w, "DEPLOY_TRANSPORT=agent", "PRODUCTION_HOST=a,b,c,d,e", "STAGING_HOST=acme");
	begin(w);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	assert_true(text_starts(absent_in(w),
	    "\n⚠️ agent a: not enrolled; agent b: not enrolled; agent c: not enrolled; and 2 more\n"));
}

AGENTS_TEST(what_it_logs_is_read_on_its_hosts_and_said_so_at_once)
{
	struct answer answer;

	OPEN(w, "DEPLOY_TRANSPORT=agent", "STAGING_HOST=acme,beta", "PRODUCTION_HOST=new");
	begin(w);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/logs staging");
	assert_string_equal(world_plain(world_last(w)),
	    "No log: staging: read it on acme,beta, no agent sends it: docker compose logs there, in the folder that STAGING_COMPOSE_DIR names.");
	answer = people_command(w, WORLD_ADMIN, "logs", "{\"arguments\": [\"staging\"]}");
	assert_int_equal(answer.status, 409);
	assert_string_equal(answer.log_of, "");
	assert_non_null(strstr(w->aid.said, "no agent sends it"));
	assert_null(world_peek(w, EFFECT_APPLICATION_LOG)); /* of a script without a ticket */
}

AGENTS_TEST(environments_whose_runner_is_gone_for_a_minute_are_counted)
{
	OPEN(w, "RUNNERS=build-1", "STAGING_RUNNER=build-1");
	world_act(w, act_enrol_runner, NULL);
	agent_aid_sees(w, PEER_RUNNER "build-1",
	    (struct agent_seen){ .state = AGENT_GONE, .gone_at = w->aid.at });
	for (int64_t after = 59999; after <= 60000; after++)
		assert_int_equal(
		    agents_seen_count(w->aid.seen, w->aid.settings, w->aid.at + after).gone,
		    after == 60000);
}

AGENTS_TEST(production_and_what_is_confirmed_is_counted_apart)
{
	struct agents_count n;

	OPEN(w, "RUNNERS=build-1", "ENVIRONMENTS=staging,production,live", "LIVE_CONFIRM=true",
	    "STAGING_RUNNER=build-1", "PRODUCTION_RUNNER=build-1", "LIVE_RUNNER=build-1");
	world_act(w, act_enrol_runner, NULL);
	agent_aid_sees(w, PEER_RUNNER "build-1",
	    (struct agent_seen){ .state = AGENT_GONE, .gone_at = w->aid.at });
	n = agents_seen_count(w->aid.seen, w->aid.settings, w->aid.at + 60000);
	assert_int_equal(n.gone, 3);
	assert_int_equal(n.gone_production, 2);
}

AGENTS_TEST(who_speaks_another_version_is_to_be_upgraded)
{
	OPEN(w, CLIENTS);
	begin(w);
	agent_aid_sees(
	    w, "agent/acme", (struct agent_seen){ .state = AGENT_SILENT, .refused_version = 2 });
	assert_non_null(strstr(ask(w, "/v1/agents/acme"),
	    "\"said\":\"speaks another version of the protocol (2): upgrade, does not answer, "));
}

/* Of each: when it connected, and when that ended, in seconds. */
static struct agent_seen
seen_behind(const int64_t (*times)[2], size_t n, int64_t begin)
{
	struct agent_seen seen = { .gone_at = 0 };

	for (size_t i = 0; i < n; i++) {
		seen.here_at = begin + times[i][0] * 1000;
		agent_seen_end(&seen, begin + times[i][1] * 1000);
	}
	return seen;
}

AGENTS_TEST(a_runner_is_gone_since_the_last_connection_that_lasted_a_minute)
{
	static const struct {
		const char *what;
		int64_t times[4][2];
		int64_t here, at; /* here: it is connected since then; 0: it is not */
		size_t gone;
	} rows[] = {
		{ "a restart", { { 0, 900 } }, 903, 970, 0 },
		{ "two restarts, a minute apart", { { 0, 900 }, { 903, 964 } }, 0, 1000, 0 },
		{ "restarts that take a minute together", { { 0, 900 }, { 940, 1010 } }, 0, 1040,
		    0 },
		{ "a slow restart", { { 0, 900 } }, 950, 975, 0 },
		{ "gone", { { 0, 900 } }, 0, 960, 1 },
		{ "comes and goes", { { 0, 900 }, { 920, 930 }, { 945, 955 } }, 0, 960, 1 },
		{ "comes and goes, and is here", { { 0, 900 }, { 930, 950 } }, 965, 1000, 1 },
		{ "came and went, and stays", { { 0, 900 }, { 930, 950 } }, 965, 1025, 0 },
		{ "here for the first time", { { 0 } }, 900, 905, 0 },
	};

	OPEN(w, "RUNNERS=build-1", "STAGING_RUNNER=build-1");
	world_act(w, act_enrol_runner, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = 0;
		struct agent_seen seen;

		while (n < COUNT(rows[i].times) && rows[i].times[n][1] != 0)
			n++;
		seen = seen_behind(rows[i].times, n, w->aid.at);
		seen.state = rows[i].here == 0 ? AGENT_GONE : AGENT_CONNECTED;
		seen.here_at = rows[i].here == 0 ? 0 : w->aid.at + rows[i].here * 1000;
		agent_aid_sees(w, PEER_RUNNER "build-1", seen);
		if (agents_seen_count(w->aid.seen, w->aid.settings, w->aid.at + rows[i].at * 1000)
			.gone != rows[i].gone)
			fail_msg("%s", rows[i].what);
	}
}

AGENTS_TEST(who_comes_and_goes_is_not_just_connected)
{
	OPEN(w, CLIENTS);
	begin(w);
	agent_aid_sees(w, "agent/acme",
	    (struct agent_seen){ .state = AGENT_CONNECTED,
		.gone_at = w->aid.at - HOUR,
		.here_at = w->aid.at - 5000 });
	assert_non_null(strstr(ask(w, "/v1/agents/acme"),
	    "\"said\":\"connected, but never for a whole minute since "));
}
