/* Goal: /status asks a health URL of each host, and says on how many of them it is healthy.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"
#include "decide_aid_inside.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_host.h"
#include "types/probe_hosts.h"
#include "waves_aid.h"

#define OF_EACH "STAGING_HEALTH_URL=http://{host}:8080/healthz"
#define OF_TWO	"STAGING_HEALTH_URL=http://lb.example/healthz,http://{host}:8080/healthz"

/* What the look of /status found: of what is no template nothing wrong, of hosts "h2: 503". */
static void
found(struct world *w, const char *names, const char *bad, int status)
{
	struct effect *effect = world_must_take(w, EFFECT_PROBE);
	struct probed *probed = &effect->result->u.probed;

	assert_string_equal(effect->u.probe.hosts, names);
	assert_int_equal(effect->u.probe.plan.deadline_s, 10);
	probed->hosts = TAKE(effect->u.probe.hosts);
	probed->n = probe_hosts_findings(&effect->u.probe, probed->hosts);
	probed->findings = mem_new(probed->n, sizeof(*probed->findings));
	for (size_t i = 0; i < probed->n; i++)
		probed->findings[i] = (struct probe_finding){ .is_healthy = true, .passes = 1 };
	for (const char *at = strstr(names, bad); at != NULL; at = NULL) {
		size_t i = effect->u.probe.n - 1;

		for (const char *c = names; c < at; c++)
			i += *c == ' ';
		probed->findings[i] =
		    (struct probe_finding){ .failures = 3, .http_status = status };
		text_set(probed->findings[i].detail, "timed out after 5 s");
	}
	world_report(w, effect);
}

static void
live_on_three(struct world *w, bool has_plain)
{
	waves_begin(w);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	for (int i = 0; i < 2; i++) {
		struct effect *effect = world_must_take(w, EFFECT_PROBE);
		struct probed *probed = &effect->result->u.probed;

		probed->hosts = TAKE(effect->u.probe.hosts);
		probed->n = probe_hosts_findings(&effect->u.probe, probed->hosts);
		assert_int_equal(probed->n, (size_t)i + 1 + has_plain);
		probed->findings = mem_new(probed->n, sizeof(*probed->findings));
		for (size_t n = 0; n < probed->n; n++)
			probed->findings[n].is_healthy = true;
		world_report(w, effect);
		if (i == 0) {
			waves_say(w, "h2 began, h2 ok, h3 began, h3 ok");
			world_run_releases(w, GOOD);
		}
	}
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

WORLD_TEST_OF(status_says_on_how_many_hosts_it_is_healthy, HOSTS, OF_EACH)
{
	live_on_three(w, false);
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	found(w, "h1:22 h2:22 h3:22 ", "h2", 503);
	assert_non_null(world_says(w, "\nhealthy on 2 of 3 (h2: 503)"));
	assert_null(world_says(w, "not looked at"));
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	found(w, "h1:22 h2:22 h3:22 ", "h3", 0);
	assert_non_null(world_says(w, "\nhealthy on 2 of 3 (h3: timed out after 5 s)"));
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	found(w, "h1:22 h2:22 h3:22 ", "none", 0);
	assert_non_null(world_says(w, "\nhealthy on 3 of 3"));
}

WORLD_TEST_OF(beside_a_url_for_all_it_is_said_too, HOSTS, OF_TWO)
{
	live_on_three(w, true);
	world_rewrite(w, "UPDATE host SET state = 'failed' WHERE name = 'h1:22'"); /* serves on */
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	found(w, "h1:22 h2:22 h3:22 ", "h1", 500);
	assert_non_null(world_says(w, "healthy on 2 of 3 (h1: 500)"));
}

/* Regression: it said nothing of an environment whose URLs are of each host. */
WORLD_TEST_OF(the_pinned_status_is_unhealthy_where_more_hosts_are_than_may_fail, HOSTS, OF_EACH,
    "PIN_STATUS=true", "STAGING_FAILURES_MAX=1")
{
	live_on_three(w, false);
	world_due(w, TIMER_PIN);
	found(w, "h1:22 h2:22 h3:22 ", "h2", 503);
	assert_non_null(world_says_in(w, WORLD_TEAM, "staging runs bbbbbbb"));
	w->aid.at += 60000;
	world_settings(w, HOSTS, OF_EACH, "PIN_STATUS=true", NULL);
	world_settings_read(w);
	world_due(w, TIMER_PIN);
	found(w, "h1:22 h2:22 h3:22 ", "h2", 503);
	assert_non_null(world_says_in(w, WORLD_TEAM, "staging: unhealthy; last live: bbbbbbb"));
}

WORLD_TEST_OF(before_a_host_is_known_nobody_is_asked, HOSTS, OF_EACH)
{
	world_released(w, "staging");
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	assert_int_equal(world_count(w, EFFECT_PROBE), 0);
	assert_non_null(world_says(w, "health: not looked at"));
}

/* --- as one finding --- */

WORLD_TEST(of_a_thousand_hosts_five_are_named_and_who_was_not_asked_is_no_failure)
{
	struct probe_target target = { .url = "http://{host}/" };
	struct effect_probe probe = { .n = 1, .targets = &target };
	struct probed probed = { .n = 1000 };
	struct buf hosts = buf_make(16000);
	struct probe_finding *all;

	(void)w;
	probed.findings = mem_new(1000, sizeof(*probed.findings));
	for (int i = 0; i < 1000; i++) {
		buf_addf(&hosts, "web%d:22 ", i);
		probed.findings[i].is_healthy = i >= 100;
	}
	probed.hosts = buf_take(&hosts);
	all = probe_hosts_collapse(&probe, &probed);
	assert_true(all->is_healthy);
	assert_string_equal(all->detail, "healthy on 900 of 1000; 100 did not answer in time");
	free(all);
	for (int i = 0; i < 7; i++) {
		probed.findings[i].failures = 1;
		probed.findings[i].http_status = 503;
	}
	all = probe_hosts_collapse(&probe, &probed);
	assert_false(all->is_healthy);
	assert_string_equal(all->detail,
	    "healthy on 900 of 1000 (web0: 503; web1: 503; web2: 503; web3: 503; web4: 503; …); "
	    "93 did not answer in time");
	free(all);
	probed.n = 999;
	assert_null(probe_hosts_collapse(&probe, &probed));
	free(probed.findings);
	free(probed.hosts);
}

static size_t
asks_over_the_api(struct world *w)
{
	return api_aid_answer(w, api_aid_peer(ADA, NULL), API_STATUS, "/v1/status/staging", NULL)
	    .n_targets;
}

WORLD_TEST_OF(what_each_host_runs_and_how_it_is_is_said_over_the_api, HOSTS, OF_EACH, ADA_IS)
{
	live_on_three(w, false);
	assert_int_equal(asks_over_the_api(w), 3);
	SAID(w, "\"runs_on\":[{\"commit\":\"" COMMIT_B "\",\"state\":\"release\",\"hosts\":3}]");
	world_rewrite(
	    w, "UPDATE host SET state = 'failed', release = '" COMMIT_A "' WHERE name = 'h2:22'");
	world_rewrite(w, "UPDATE host SET state = 'unknown' WHERE name = 'h3:22'");
	assert_int_equal(asks_over_the_api(w), 3);
	assert_string_equal(w->aid.asked,
	    "\nhttp://h1:8080/healthz " COMMIT_B
	    "\nhttp://h2:8080/healthz \nhttp://h3:8080/healthz "); /* whatever these say is right */
	SAID(w, "{\"commit\":null,\"state\":\"unknown\",\"hosts\":1}");
	SAID(w, "{\"commit\":\"" COMMIT_A "\",\"state\":\"release\",\"hosts\":1}");
	world_rewrite(w, "UPDATE host SET state = 'touched' WHERE name = 'h3:22'");
	(void)asks_over_the_api(w);
	SAID(w, "{\"commit\":null,\"state\":\"touched\",\"hosts\":1}");
}

WORLD_TEST_OF(
    a_host_that_has_left_the_settings_is_asked_nothing_and_is_named, HOSTS, OF_EACH, ADA_IS)
{
	live_on_three(w, false);
	world_rewrite(w, "UPDATE host SET left_at = 5 WHERE name = 'h3:22'");
	assert_int_equal(asks_over_the_api(w), 2);
	(void)world_text(w, WORLD_ADMIN, "/hosts staging");
	assert_non_null(world_says(w, "h3: runs bbbbbbb; it has left the settings"));
	assert_null(world_says(w, "h2: runs bbbbbbb; it has left"));
}

static void
make_more(struct tx *tx, UNUSED void *arg)
{
	char name[LIMIT_HOST];

	for (int i = 0; i < PROBE_LOOK_TARGETS - 2; i++) {
		text_setf(name, "k%d:22", i);
		row_host_plan(tx, &(struct deployment){ .id = 1, .environment = "staging" }, name,
		    1, &(struct release){ 0 });
	}
}

/* There is room for 64: all of its hosts are asked, or none. */
WORLD_TEST_OF(more_hosts_than_there_is_room_for_are_not_asked, HOSTS, OF_EACH, ADA_IS)
{
	live_on_three(w, false);
	world_act(w, make_more, NULL);
	assert_int_equal(asks_over_the_api(w), 0);
	world_rewrite(w, "DELETE FROM host WHERE name = 'h3:22'");
	assert_int_equal(asks_over_the_api(w), PROBE_LOOK_TARGETS);
}

WORLD_TEST_OF(what_is_paused_says_over_the_api_where_it_stands_and_why, HOSTS, ADA_IS)
{
	waves_begin(w);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	(void)asks_over_the_api(w);
	SAID(w, "\"state\":\"paused\"");
	SAID(w, "\"note\":\"paused: by @ada\"");
	SAID(w, "\"waves\":2,");
	SAID(w, "\"runs_on\":[{\"commit\":\"" COMMIT_A "\",\"state\":\"release\",\"hosts\":2}");
}
