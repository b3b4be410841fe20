/* Goal: /v1/figures counts what a person may see, of the days that they name, a few times a minute.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"

#include "lib/zone.h"

static const char *
path_of(struct world *w, int64_t days_before, const char *target)
{
	static char path[96];
	char from[ZONE_DATE], to[ZONE_DATE];

	(void)zone_date_text(w->aid.settings->zone, w->aid.at - days_before * 86400000, from);
	(void)zone_date_text(w->aid.settings->zone, w->aid.at, to);
	(void)snprintf(path, sizeof(path), "/v1/figures/%s/%s%s", from, to, target);
	return path;
}

static int
ask(struct world *w, uint32_t uid, int64_t days_before, const char *target)
{
	w->aid.at += 60 * 1000;
	return api_aid_ask(w, uid, API_FIGURES, path_of(w, days_before, target), NULL);
}

WORLD_TEST_BARE(a_rollback_of_a_person_makes_a_failure_of_what_was_live)
{
	api_aid_open(w);
	world_deploy_goes_live(w, COMMIT_A);
	w->aid.at += 3600 * 1000;
	world_deploy_goes_live(w, COMMIT_B);
	assert_int_equal(ask(w, ADMIN, 6, "/staging"), 200);
	SAID(w,
	    "\"days\":7,\"environments\":[{\"environment\":\"staging\",\"deployments\":2,"
	    "\"failures\":0,\"change_failure_rate\":0.0000,");
	SAID(w, "\"deployments_a_week\":2.0000");
	w->aid.at += 3600 * 1000;
	world_rolls_back(w, "/rollback staging");
	assert_int_equal(ask(w, ADMIN, 6, "/staging"), 200);
	SAID(w, "\"deployments\":2,\"failures\":1,\"change_failure_rate\":0.5000,");
	SAID(w, "\"work\":[1,2]");
}

/* As the panel "Change failure rate" asks for them. */
WORLD_TEST_BARE(what_changed_its_target_is_counted_as_the_figures_have_it)
{
	api_aid_open(w);
	world_deploy_goes_live(w, COMMIT_A);
	world_deploy_goes_live(w, COMMIT_B);
	w->aid.at += INT64_C(23) * 3600 * 1000;
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(w->changes, " live:1 live:1 rolled_back:1");
	w->changes[0] = '\0';
	world_deploy_goes_live(w, COMMIT_C);
	w->aid.at += INT64_C(25) * 3600 * 1000; /* too late to be its fault */
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(w->changes, " live:1");
	w->changes[0] = '\0';
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_D);
	world_run_plays(w, ((struct run_ended){ .gate_opened = true, .exit_status = 1 }));
	assert_string_equal(w->changes, ""); /* a build failed */
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_E);
	world_run_releases(
	    w, ((struct run_ended){ .gate_opened = true, .released = true, .exit_status = 1 }));
	world_run_plays(w, GOOD);
	assert_string_equal(w->changes, " failed:1");
}

WORLD_TEST_BARE(its_days_are_its_span)
{
	api_aid_open(w);
	world_deploy_goes_live(w, COMMIT_A);
	w->aid.at += INT64_C(9) * 86400000;
	world_deploy_goes_live(w, COMMIT_B);
	assert_int_equal(ask(w, ADMIN, 1, "/staging"), 200);
	SAID(w, "\"deployments\":1,");
	assert_int_equal(ask(w, ADMIN, 9, "/staging"), 200);
	SAID(w, "\"deployments\":2,");
	assert_int_equal(
	    api_aid_ask(w, ADMIN, API_FIGURES, "/v1/figures/2026-02-30/2026-03-01", NULL), 400);
	SAID(w, "as 2026-07-01");
	w->aid.at += 60 * 1000;
	assert_int_equal(
	    api_aid_ask(w, ADMIN, API_FIGURES, "/v1/figures/2026-03-02/2026-03-01", NULL), 400);
	w->aid.at += 60 * 1000;
	assert_int_equal(
	    api_aid_ask(w, ADMIN, API_FIGURES, "/v1/figures/1990-03-02/2026-03-01", NULL), 400);
	SAID(w, "ten years");
}

WORLD_TEST_BARE(who_sees_no_history_sees_no_figures)
{
	api_aid_open(w);
	world_deploy_goes_live(w, COMMIT_A);
	world_settings(w, TEAM, STRANGER_IS, STAGING_IS, "ROLE_DEV_IDS=99",
	    "ROLE_DEV_MAY=status:production, history:staging", NULL);
	assert_int_equal(ask(w, STRANGER, 6, "/staging"), 200);
	SAID(w, "\"deployments\":1,");
	assert_int_equal(ask(w, STRANGER, 6, "/production"), 403);
	assert_false(api_aid_said(w, "deployments"));
	assert_int_equal(ask(w, STRANGER, 6, ""), 200);
	assert_false(api_aid_said(w, "\"environment\":\"production\""));
}

WORLD_TEST_BARE(they_can_be_asked_for_once_in_ten_seconds)
{
	api_aid_open(w);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    api_aid_ask(w, ADMIN, API_FIGURES, path_of(w, 6, "/staging"), NULL), 200);
	assert_int_equal(api_aid_ask(w, ADMIN, API_FIGURES, path_of(w, 6, "/staging"), NULL), 429);
	SAID(w, "once in ten seconds");
	w->aid.at += 10 * 1000;
	assert_int_equal(api_aid_ask(w, ADMIN, API_FIGURES, path_of(w, 6, "/staging"), NULL), 200);
	assert_int_equal(api_aid_ask(w, ADA, API_FIGURES, path_of(w, 6, "/staging"), NULL), 200);
}
