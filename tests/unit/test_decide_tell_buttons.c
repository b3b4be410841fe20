/* Goal: each button that an end offers is pressed by somebody who may, and answers.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "job_aid.h"

#include "decide/tell/decide_tell_inside.h"
#include "lib/text.h"

/* How work ends.  play: d begins a deployment, b one with a barrier, r a rollback, a an action; of
 * its run u says that a host is unreachable, f is an end before it changed anything, m one in its
 * migration, t one behind its release, g a good one; h and x are the answers of health; s: the row
 * says so; p is a pipeline that fails, l a secret that was lent. */
static const struct end {
	const char *play;
	enum deploy_state state;
} ends[] = {
	{ "dgh", DEPLOY_LIVE },
	{ "dghdf", DEPLOY_FAILED },
	{ "dghdm", DEPLOY_FAILED },
	{ "dt", DEPLOY_FAILED },
	{ "dghbgx", DEPLOY_FAILED },
	{ "dghdgxgh", DEPLOY_ROLLED_BACK },
	{ "dghdgxt", DEPLOY_ROLLBACK_FAILED },
	{ "dghdgxgx", DEPLOY_ROLLBACK_FAILED },
	{ "dghdgh", DEPLOY_LIVE },
	{ "dghdghrgh", DEPLOY_LIVE },
	{ "dghdghruf", DEPLOY_FAILED },
	{ "dghdghrt", DEPLOY_FAILED },
	{ "ag", DEPLOY_DONE },
	{ "af", DEPLOY_FAILED },
	{ "p", DEPLOY_FAILED },
	{ "l", DEPLOY_DONE },
	{ "dfs", DEPLOY_CANCELLED },
	{ "dfs", DEPLOY_REFUSED },
	{ "dfs", DEPLOY_EXPIRED },
	{ "dfs", DEPLOY_SUPERSEDED },
};

static void
set_state(struct tx *tx, void *arg)
{
	const struct end *end = arg;

	row_deployment_set_state(
	    tx, &(struct deployment){ .id = 1, .environment = "staging" }, end->state, 0);
}

/* It fails at GitHub. */
static void
play_pipeline(struct world *w)
{
	struct forge_said said = { .verdict = FORGE_SAYS_DONE,
		.run = {
		    .run = 7, .attempt = 1, .rank = PIPELINE_IS_OVER, .conclusion = "failure" } };

	(void)world_text(w, WORLD_ADMIN, "/do run-pipeline staging release");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_last(w)->buttons.at[0].id);
	world_forge(w, EFFECT_FORGE_START, &said);
	world_forge(w, EFFECT_FORGE_LOOK, &said);
}

/* A job has it, and still may use it. */
static void
play_loan(struct world *w)
{
	struct job job = JOB_OF_SHOP;

	assert_int_equal(job_asks(w, &job, API_SECRET, "/v1/secret/db-migrate", "{}").status, 202);
	world_vault(
	    w, EFFECT_VAULT_LEND, &(struct vault_said){ .is_done = true, .accessor = "a-1" });
	assert_int_equal(job_asks(w, &job, API_LOAN, "/v1/loan/1", NULL).status, 200);
}

static void
play(struct world *w, const struct end *end, char step)
{
	static const char *const commits[] = { COMMIT_A, COMMIT_B };

	if (step == 'p') {
		play_pipeline(w);
		return;
	}
	if (step == 'l') {
		play_loan(w);
		return;
	}
	if (step == 'd' || step == 'b') {
		(void)world_text(w, WORLD_ADMIN, "/deploy staging");
		world_git(w,
		    (struct world_git){ .commit = commits[w->n_screen > 0],
			.barrier = step == 'b' ? "drops column price" : NULL });
	} else if (step == 'r')
		(void)world_rollback_asks(w, "/rollback staging");
	else if (step == 'a')
		(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	if (step == 'r' || step == 'a')
		(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_last(w)->buttons.at[0].id);
	else if (step == 'd' || step == 'b')
		(void)world_run_starts(w);
	else if (step == 'h' || step == 'x')
		world_probed(w, step == 'x' ? "HTTP 500" : NULL);
	else if (step == 'u')
		world_run_step(w, 0, "unreachable h1");
	else if (step == 's')
		store_aid_act(&w->aid, set_state, (void *)(uintptr_t)end);
	else {
		struct run_ended ended = step == 'f' ? FAILED_BEFORE_RELEASE :
		    step == 't'			     ? TOUCHED :
						       GOOD;

		if (step == 'm')
			ended = (struct run_ended){
				.gate_opened = true, .migration = true, .exit_status = 70
			};
		(void)text_copy(
		    ended.application_log, sizeof(ended.application_log), "no space left\n");
		world_run_ends(w, ended);
	}
}

/* What that end offers in a chat; each that offers something there is noted. */
struct offered {
	struct deployment work;
	int64_t chat;
	struct buttons buttons;
	bool offers[16];
	bool ended[DEPLOY_STATE_COUNT];
};

static void
list_offered(struct tx *tx, void *arg)
{
	struct offered *offered = arg;

	offered->buttons.n = 0;
	for (size_t i = 0; decide_tell_offers[i] != NULL; i++) {
		size_t before = offered->buttons.n;

		assert_true(i + 1 < COUNT(offered->offers));
		decide_tell_offers[i](tx, &offered->work, offered->chat, &offered->buttons);
		offered->offers[i] |= offered->buttons.n > before;
	}
	assert_int_equal(
	    decide_tell_buttons(tx, &offered->work, offered->chat, &(struct buttons){ 0 })->n,
	    offered->buttons.n);
}

/* Presses the one at that place; false: there are fewer. */
static bool
answers(const struct end *end, size_t at, struct offered *offered)
{
	const struct button *button = &offered->buttons.at[at];
	struct world w;
	size_t n_open, n_screen;
	int64_t id = 0;

	world_open(&w, STAGING_URL, "STAGING_ROLLBACK_NAG_MINUTES=15", "STAGING_HOST=h1,h2",
	    "CLIENTS=acme", "CLIENT_ACME_HOST=local", "CLIENT_ACME_ENVIRONMENT=staging",
	    "CLIENT_ACME_ACTIONS=restart-web", "CLIENT_ACME_WEB_UNIT=web.service",
	    "GITHUB_REPOSITORY=octo/shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123",
	    "PIPELINE_RELEASE=release.yml ref=main", "SECRET_DB_MIGRATE_PATH=kv2 secret db",
	    "SECRET_DB_MIGRATE_FOR=staging", "ENABLE_API_SERVER=true",
	    "PUBLIC_URL=https://bot.example.org", "VAULT_ADDR=https://vault.example.org",
	    "VAULT_TOKEN=hvs.0123456789abcdef0123",
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main",
	    "WORKFLOW_SHOP_MAY=secret.db-migrate:staging", NULL);
	for (const char *step = end->play; *step != '\0'; step++) {
		play(&w, end, *step);
		id += strchr("bdrapl", *step) != NULL;
	}
	offered->work = world_deployment(&w, id);
	if (offered->work.state != end->state)
		fail_msg("%s: %s", end->play, deploy_flow_name(offered->work.state));
	offered->ended[end->state] = true;
	world_act(&w, list_offered, offered);
	n_open = w.n_open;
	n_screen = w.n_screen;
	w.toast[0] = '\0';
	if (at < offered->buttons.n)
		(void)world_press(&w, WORLD_ADMIN, offered->chat, button->id);
	if (at < offered->buttons.n &&
	    (strstr(w.toast, "expired") != NULL || strstr(w.toast, "Denied") != NULL ||
		(w.toast[0] == '\0' && w.n_open == n_open && w.n_screen == n_screen)))
		fail_msg("%s in %d: %s says \"%s\"", end->play, (int)offered->chat, button->label,
		    w.toast);
	world_close(&w);
	return at + 1 < offered->buttons.n;
}

/* An offer of the table that no row of ends[] comes to is one that nobody has pressed. */
TEST(each_button_that_an_end_offers_answers_whoever_may_press_it)
{
	static const int64_t chats[] = { WORLD_GROUP, WORLD_ADMIN };
	struct offered offered = { 0 };

	for (size_t i = 0; i < COUNT(chats) * COUNT(ends); i++) {
		offered.chat = chats[i / COUNT(ends)];
		for (size_t at = 0; answers(&ends[i % COUNT(ends)], at, &offered); at++) {
		}
	}
	for (size_t i = 0; i < DEPLOY_STATE_COUNT; i++) {
		enum deploy_state end = (enum deploy_state)i;

		if (deploy_flow_class(end) == DEPLOY_CLASS_FINAL && !offered.ended[end])
			fail_msg("no row of ends[] is %s", deploy_flow_name(end));
	}
	for (size_t i = 0; decide_tell_offers[i] != NULL; i++)
		if (!offered.offers[i])
			fail_msg("no end comes to offer %zu of decide_tell_offers", i);
}
