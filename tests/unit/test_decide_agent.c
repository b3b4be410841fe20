/* Goal: what an agent says it may be ordered is what an action is shown with and bound to.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent_aid.h"
#include "decide/audit/decide_logs.h"
#include "factor_aid.h"
#include "link_aid.h"
#include "token_aid.h"

#include "lib/fingerprint.h"
#include "lib/text.h"
#include "store/row_action.h"
#include "store/row_claim.h"
#include "store/row_peer.h"
#include "store/row_run.h"
#include "store/row_runner.h"

#define D1    AGENT_AID_1
#define D2    AGENT_AID_2
#define DISK  "disk-free=" D1
#define WEB_1 DISK " restart-web=" D1
#define WEB_2 DISK " restart-web=" D2

#define CLIENT_OF(host) \
	"CLIENTS=acme", "CLIENT_ACME_HOST=" host, "CLIENT_ACME_NAME=Acme Ltd", \
	    "CLIENT_ACME_ACTIONS=restart-web,disk-free"
#define CLIENT CLIENT_OF("agent:acme")

#define AGENT_TEST(name) WORLD_TEST_BETWEEN(name, agent_aid_set_up, agent_aid_tear_down)
#define OPEN(w, ...)	 world_open(w, LINK_AID_LINES(&agent_aid_authority), __VA_ARGS__, NULL)

/* --- what it says ---------------------------------------------------------------------------- */

static void
act_enrol(struct tx *tx, UNUSED void *arg)
{
	struct peer peer = { .identity = "agent/acme", .digest = D1, .made_at = 1, .by = "@ada" };

	row_peer_put(tx, &peer);
}

static void
act_revoke(struct tx *tx, UNUSED void *arg)
{
	struct peer peer = row_peer_get(tx, "agent/acme");

	peer.revoked_at = 2;
	row_peer_put(tx, &peer);
}

#define MANY 12

static void
act_enrol_many(struct tx *tx, UNUSED void *arg)
{
	struct peer peer = { .made_at = 1, .by = "@ada" };

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(peer.identity, sizeof(peer.identity), "agent/host-%02d", i);
		(void)snprintf(peer.digest, sizeof(peer.digest), "%064d", i);
		row_peer_put(tx, &peer);
	}
}

/* Enrolled, and it has said what it may be ordered. */
static void
connect_acme(struct world *w)
{
	world_act(w, act_enrol, NULL);
	agent_aid_says(w, "agent/acme", WEB_1);
}

static void
act_list(struct tx *tx, void *text)
{
	char list[LIMIT_MANIFEST], digest[FINGERPRINT_DIGEST];
	struct peer peer = row_peer_get(tx, "agent/acme");

	(void)row_peer_manifest(tx, "agent/acme", list);
	assert_string_equal(
	    peer.manifest, peer.manifest[0] == '\0' ? "" : fingerprint_digest(list, digest));
	assert_true(text_copy(text, LIMIT_MANIFEST, peer.manifest[0] == '\0' ? "none" : list));
}

static const char *
list_of(struct world *w)
{
	static char list[LIMIT_MANIFEST];

	store_aid_act(&w->aid, act_list, list);
	return list;
}

AGENT_TEST(the_first_list_is_stored_and_another_is_said_to_all_admins)
{
	OPEN(w, CLIENT);
	world_act(w, act_enrol, NULL);
	assert_string_equal(list_of(w), "none");
	agent_aid_says(w, "agent/acme", WEB_1);
	assert_string_equal(list_of(w), WEB_1);
	assert_int_equal(world_audited(w, "\"peer_manifest\"", "agent/acme"), 1);
	assert_null(world_says(w, "Agent changed: acme"));
	agent_aid_says(w, "agent/acme", WEB_1);
	assert_int_equal(world_audited(w, "\"peer_manifest\"", NULL), 1);
	agent_aid_says(w, "agent/acme", WEB_2);
	assert_string_equal(list_of(w), WEB_2);
	assert_int_equal(world_audited(w, "\"peer_manifest\"", "\"changed\":\"restart-web\""), 1);
	assert_int_equal(world_audited(w, "\"peer_manifest\"", "\"manifest_before\":\""), 1);
	assert_non_null(world_says_in(w, WORLD_ADMIN, "🔐 Agent changed: acme: restart-web"));
	assert_non_null(world_says_in(w, WORLD_OTHER_ADMIN, "🔐 Agent changed: acme"));
	agent_aid_says(w, "agent/acme", ""); /* root took all of it away */
	assert_string_equal(list_of(w), "");
	assert_int_equal(
	    world_audited(w, "\"peer_manifest\"", "\"changed\":\"disk-free, restart-web\""),
	    2); /* the first one too */
}

/* Else who has root on many hosts fills the chats of all admins with them. */
AGENT_TEST(lists_that_change_within_a_minute_are_one_message)
{
	char name[16], identity[32];

	OPEN(w, CLIENT);
	world_act(w, act_enrol_many, NULL);
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < MANY; i++) {
			(void)snprintf(identity, sizeof(identity), "agent/host-%02d", i);
			agent_aid_says(w, identity, round % 2 == 0 ? WEB_1 : WEB_2);
		}
	assert_int_equal(world_audited(w, "\"peer_manifest\"", NULL), 3 * MANY);
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "changed: "), 1);
	assert_non_null(world_says_in(w, WORLD_ADMIN, "🔐 Agent changed: host-00: restart-web"));
	world_due(w, TIMER_MANIFESTS);
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "changed: "), 2);
	assert_non_null(world_says_in(w, WORLD_OTHER_ADMIN,
	    "🔐 12 agents changed: host-00, host-01, host-02, host-03, host-04, host-05, host-06, host-07, host-08, host-09 and 2 more\nWhat these hosts start is another thing now"));
	(void)snprintf(name, sizeof(name), "agent/host-07");
	agent_aid_says(w, name, WEB_2); /* of the next minute */
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "changed: "), 2);
	world_due(w, TIMER_MANIFESTS);
	assert_non_null(world_says_in(w, WORLD_ADMIN, "🔐 1 agent changed: host-07\n"));
}

AGENT_TEST(who_is_not_enrolled_or_was_revoked_says_nothing)
{
	OPEN(w, CLIENT);
	agent_aid_says(w, "agent/acme", WEB_1);
	assert_string_equal(list_of(w), "none");
	connect_acme(w);
	world_act(w, act_revoke, NULL);
	agent_aid_says(w, "agent/acme", WEB_2);
	assert_string_equal(list_of(w), WEB_1);
	assert_int_equal(world_audited(w, "\"peer_manifest\"", NULL), 1);
}

AGENT_TEST(what_is_no_list_is_not_taken)
{
	OPEN(w, CLIENT);
	connect_acme(w);
	agent_aid_says(w, "agent/acme", "disk-free=rm\n");
	assert_string_equal(list_of(w), WEB_1);
}

/* Else who has root on one host fills the audit and the chats of all admins. */
AGENT_TEST(lists_that_change_with_each_connection_are_not_taken_any_more)
{
	OPEN(w, CLIENT);
	world_act(w, act_enrol, NULL);
	for (int i = 0; i < 30; i++)
		agent_aid_says(w, "agent/acme", i % 2 == 0 ? WEB_1 : WEB_2);
	assert_int_equal(world_audited(w, "\"peer_manifest\"", NULL), 10);
	assert_string_equal(list_of(w), WEB_2);
}

AGENT_TEST(another_key_leaves_the_list_as_it_is)
{
	OPEN(w, CLIENT);
	connect_acme(w);
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_AGENT, "/v1/agent/move",
			     "{\"name\": \"acme\", \"key\": \"" D2 "\"}"),
	    200);
	assert_string_equal(list_of(w), WEB_1);
}

/* --- what is asked of it --------------------------------------------------------------------- */

static const struct effect_run *
run_of(struct world *w)
{
	const struct effect *effect = world_peek(w, EFFECT_RUN);

	assert_non_null(effect);
	return &effect->u.run;
}

static void
press(struct world *w, struct world_message *said, const char *label)
{
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, label));
}

static void
act_is_agents(struct tx *tx, UNUSED void *arg)
{
	char runner[LIMIT_RUNNER];

	assert_string_equal(row_action_get(tx, 1).executor, "agent");
	assert_string_equal(row_runner_of(tx, 1, runner), "agent:acme");
	assert_int_equal(row_claim_holder(tx, "host:acme:22"), 1);
}

AGENT_TEST(a_restart_shows_the_unit_and_is_ordered_of_the_agent)
{
	char digest[FINGERPRINT_DIGEST];
	struct world_message *said;

	OPEN(w, CLIENT);
	connect_acme(w);
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	said = world_last(w);
	assert_non_null(strstr(world_plain(said),
	    "\nAcme Ltd: starts deploybot-do-restart-web.service (11111111…) on acme\n"));
	world_answers(w, WORLD_ADMIN, "/pending",
	    "starts deploybot-do-restart-web.service (11111111…) on acme");
	press(w, said, "restart-web");
	assert_string_equal(run_of(w)->runner, "agent:acme");
	assert_true(run_of(w)->ordered_at >= STORE_AID_AT);
	assert_string_equal(run_of(w)->action, "restart-web");
	assert_string_equal(run_of(w)->binding, fingerprint_digest(WEB_1, digest));
	store_aid_act(&w->aid, act_is_agents, NULL);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .detail = "done" });
	assert_non_null(world_says(w, "✅ Done: client/acme restart-web"));
}

AGENT_TEST(what_cannot_be_ordered_of_it_is_refused_when_it_is_asked_for)
{
	OPEN(w, CLIENT);
	world_answers(w, WORLD_ADMIN, "/do restart-web acme", "acme's agent is not enrolled");
	world_act(w, act_enrol, NULL);
	world_answers(w, WORLD_ADMIN, "/do restart-web acme", "acme's agent has never connected");
	agent_aid_says(w, "agent/acme", DISK);
	world_answers(w, WORLD_ADMIN, "/do restart-web acme",
	    "acme has no deploybot-do-restart-web.service that its agent may start");
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme"); /* nothing is asked */
	assert_string_equal(run_of(w)->action, "disk-free");
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	world_act(w, act_revoke, NULL);
	world_answers(w, WORLD_ADMIN, "/do disk-free acme", "acme's agent was revoked");
	assert_null(world_peek(w, EFFECT_RUN));
}

/* Its host is cut off at once; that it is gone is known from the loop some seconds later. */
AGENT_TEST(what_a_revoked_agent_has_is_abandoned_at_once)
{
	OPEN(w, CLIENT);
	connect_acme(w);
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	press(w, world_last(w), "restart-web");
	world_answers(w, WORLD_ADMIN, "/abandon 1",
	    "the agent acme of #1 is connected and is waited for. Of one that does not obey");
	world_act(w, act_revoke, NULL);
	world_answers(w, WORLD_ADMIN, "/abandon 1", "acme's agent takes no other run before");
	press(w, world_last(w), "Abandon #1 in client/acme");
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_FAILED);
}

/* --- while it waits -------------------------------------------------------------------------- */

static void
waits_behind_a_freeze(struct world *w)
{
	OPEN(w, CLIENT);
	connect_acme(w);
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	(void)world_text(w, WORLD_ADMIN, "/freeze all until tomorrow x");
	press(w, world_says(w, "❓ Run this? client/acme"), "restart-web");
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_QUEUED);
	assert_null(world_peek(w, EFFECT_RUN));
}

AGENT_TEST(a_unit_that_changed_while_it_waited_is_asked_about_anew)
{
	char digest[FINGERPRINT_DIGEST];
	struct world_message *said;

	waits_behind_a_freeze(w);
	agent_aid_says(w, "agent/acme", WEB_2);
	(void)world_text(w, WORLD_ADMIN, "/unfreeze all");
	assert_null(world_peek(w, EFFECT_RUN));
	said = world_says(w, "(22222222…) on acme");
	assert_non_null(said);
	assert_non_null(strstr(world_plain(said), "the units of client/acme changed: restart-web"));
	assert_null(strstr(world_plain(said), "settings"));
	press(w, said, "restart-web");
	assert_string_equal(run_of(w)->binding, fingerprint_digest(WEB_2, digest));
}

AGENT_TEST(who_is_revoked_while_it_waits_has_nothing_ordered)
{
	waits_behind_a_freeze(w);
	assert_int_equal(
	    token_aid_ask(w, WORLD_ADMIN, API_AGENT, "/v1/agent/revoke", "{\"name\": \"acme\"}"),
	    200);
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_REFUSED);
	assert_non_null(world_says(w, "acme's agent was revoked: nothing is started through it"));
}

AGENT_TEST(a_unit_that_is_no_more_while_it_waits_has_nothing_ordered)
{
	waits_behind_a_freeze(w);
	agent_aid_says(w, "agent/acme", DISK);
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_REFUSED);
}

/* Another way there would be another act than the one that was shown. */
AGENT_TEST(a_host_that_was_sshs_and_is_an_agents_is_asked_about_anew)
{
	struct world_message *said;

	OPEN(w, CLIENT_OF("web@acme"), "CLIENT_ACME_WEB_UNIT=web.service");
	connect_acme(w);
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	(void)world_text(w, WORLD_ADMIN, "/freeze all until tomorrow x");
	press(w, world_says(w, "restart web.service on web@acme"), "restart-web");
	world_settings(w, LINK_AID_LINES(&agent_aid_authority), CLIENT,
	    "CLIENT_ACME_WEB_UNIT=web.service", NULL);
	(void)world_text(w, WORLD_ADMIN, "/unfreeze all");
	assert_null(world_peek(w, EFFECT_RUN));
	said = world_says(w, "❓ Run this? client/acme");
	assert_non_null(strstr(world_plain(said), "starts deploybot-do-restart-web.service"));
	press(w, said, "restart-web");
	assert_string_equal(run_of(w)->runner, "agent:acme");
	store_aid_act(&w->aid, act_is_agents, NULL);
}

/* It would refuse the second one. */
AGENT_TEST(two_clients_of_one_agent_take_turns_whatever_their_environments)
{
	OPEN(w, "CLIENTS=acme,beta", "CLIENT_ACME_HOST=agent:acme", "CLIENT_BETA_HOST=agent:acme",
	    "CLIENT_ACME_ENVIRONMENT=staging", "CLIENT_BETA_ENVIRONMENT=production",
	    "CLIENT_ACME_ACTIONS=disk-free", "CLIENT_BETA_ACTIONS=disk-free");
	connect_acme(w);
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	(void)world_text(w, WORLD_ADMIN, "/do disk-free beta");
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	assert_string_equal(run_of(w)->client, "beta");
}

/* A setting that changes concerns new runs: the row says who has one that is open. */
AGENT_TEST(a_run_stays_with_the_agent_that_has_it)
{
	OPEN(w, CLIENT);
	connect_acme(w);
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	world_settings(w, LINK_AID_LINES(&agent_aid_authority), CLIENT_OF("local"),
	    "CLIENT_ACME_WEB_UNIT=web.service", NULL);
	world_restart(w);
	assert_string_equal(run_of(w)->runner, "agent:acme");
}

/* It would be late, and whoever owns the connection could have it done twice. */
AGENT_TEST(what_never_began_at_an_agent_is_not_begun_again)
{
	OPEN(w, CLIENT);
	connect_acme(w);
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	press(w, world_last(w), "restart-web");
	world_run_ends(w, (struct run_ended){ .exit_status = -1 });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "❌ Failed: client/acme restart-web"));
}

/* --- it has another list than it had said ---------------------------------------------------- */

static void
is_changed(struct world *w, const char *list)
{
	world_run_ends(w,
	    (struct run_ended){ .refused = true,
		.is_changed = true,
		.detail = "its manifest is not that of this host now",
		.binding = list != NULL ? strdup(list) : NULL });
}

AGENT_TEST(a_list_that_refuses_an_order_is_stored_and_asked_about)
{
	char digest[FINGERPRINT_DIGEST];
	struct world_message *said;

	OPEN(w, CLIENT);
	connect_acme(w);
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	press(w, world_last(w), "restart-web");
	is_changed(w, WEB_2);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_string_equal(list_of(w), WEB_2);
	assert_non_null(world_says_in(w, WORLD_OTHER_ADMIN, "🔐 Agent changed: acme: restart-web"));
	said = world_says(w, "(22222222…) on acme");
	assert_non_null(said);
	press(w, said, "restart-web");
	assert_string_equal(run_of(w)->binding, fingerprint_digest(WEB_2, digest));
}

AGENT_TEST(what_refuses_an_order_and_is_no_list_is_not_bound_to)
{
	char digest[FINGERPRINT_DIGEST];

	OPEN(w, CLIENT);
	connect_acme(w);
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	is_changed(w, "disk-free=1 \x1b[2J");
	assert_string_equal(list_of(w), WEB_1);
	assert_string_equal(
	    world_newest(w, "client/acme").binding, fingerprint_digest(WEB_1, digest));
}

/* --- its run ---------------------------------------------------------------------------------- */

static void
runner_is(struct world *w, enum event_kind kind)
{
	struct event *event = store_aid_event(&w->aid, kind);

	(void)text_copy(event->u.runner.name, sizeof(event->u.runner.name), "agent:acme");
	(void)world_decide(w, event);
}

static void
runs_disk_free(struct world *w)
{
	OPEN(w, CLIENT);
	connect_acme(w);
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	(void)world_run_starts(w);
}

AGENT_TEST(an_agent_that_is_disconnected_is_named)
{
	runs_disk_free(w);
	world_answers(
	    w, WORLD_ADMIN, "/abandon 1", "the agent acme of #1 is connected and is waited for");
	runner_is(w, EVENT_RUNNER_GONE);
	assert_non_null(world_says(w, "⚠️ acme's agent is disconnected since "));
	assert_null(world_says(w, "its runner"));
	world_answers(w, WORLD_ADMIN, "/abandon 1", "\nacme's agent is disconnected since ");
	press(w, world_says(w, "❓ Abandon"), "Abandon #1");
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_FAILED);
	assert_non_null(world_says(w, "abandoned by @ada while acme's agent was disconnected"));
	assert_non_null(world_says(
	    w, "see on acme, by journalctl -u deploybot-do-disk-free.service, what it has done"));
}

AGENT_TEST(its_output_is_said_to_be_in_the_journal_of_its_host)
{
	static const char where[] =
	    "Its output is in the journal of acme, and not here: journalctl -u deploybot-do-disk-free.service";

	runs_disk_free(w);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .detail = "12% used" });
	press(w, world_says(w, "✅ Done: client/acme disk-free"), "📄 Log");
	assert_string_equal(w->toast, where);
	assert_true(w->is_alert);
	assert_null(world_peek(w, EFFECT_DOCUMENT));
	assert_string_equal(agent_aid_log(w, API_LOG, "/v1/log/1/0").log_note, where);
	assert_string_equal(agent_aid_log(w, API_RUN, "/v1/run/1/0").log_note, where);
}

AGENT_TEST(a_run_that_its_agent_has_lost_says_so)
{
	runs_disk_free(w);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .lost = true });
	assert_non_null(world_says(w, "acme's agent was killed, and has stopped its unit"));
	assert_null(world_says(w, "deploybot's machine"));
	assert_null(world_peek(w, EFFECT_RUN));
}

/* Nobody but the agent removes what it keeps. */
static void
act_purge(struct tx *tx, UNUSED void *arg)
{
	(void)decide_logs_keep(tx);
}

static void
act_is_purged(struct tx *tx, UNUSED void *arg)
{
	struct run_row runs[2];

	assert_int_equal(row_run_list(tx, 1, runs, 2), 0);
	assert_int_equal(row_run_list(tx, 3, runs, 2), 1);
}

AGENT_TEST(its_folders_are_its_own)
{
	world_open(w, LINK_AID_LINES(&agent_aid_authority), CLIENT, "RUN_LOGS_KEEP=1", NULL);
	connect_acme(w);
	for (int i = 0; i < 3; i++) {
		(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
		world_run_ends(w, (struct run_ended){ .gate_opened = true, .log_size = 10 });
	}
	world_act(w, act_purge, NULL);
	assert_null(world_peek(w, EFFECT_PURGE_RUN));
	store_aid_act(&w->aid, act_is_purged, NULL);
}

/* The agent has records of what was begun since the copy was made, and says how those ended. */
AGENT_TEST(behind_a_restore_no_run_has_the_number_of_one_that_an_agent_knows)
{
	int64_t before;

	runs_disk_free(w);
	before = run_of(w)->run;
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	world_restored(w);
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	assert_true(run_of(w)->run > before + 100000);
}
