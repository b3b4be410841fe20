/* Goal: that somebody else may have what was lent rings, drowns nothing else, and ends not unsaid.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_alarm.h"

#include "loan_aid.h"

#define MINUTE INT64_C(60000)
#define TWICE  "🔐 Fetched twice: production secret db-migrate"
#define SILENT "🔐 No more alarms: production: "

#define KEY_OF_NIGHTLY \
	{ \
		.workflow = "nightly", .token = "k-1", .attempt = 1 \
	}

static void
open_scene(struct scene *s)
{
	*s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s->w, "ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org",
	    "GITHUB_REPOSITORY=octo/shop", "VAULT_ADDR=https://vault.example.org",
	    "VAULT_TOKEN=hvs.0123456789abcdef0123", "SECRET_DB_MIGRATE_PATH=creds database migrate",
	    "SECRET_DB_MIGRATE_FOR=production",
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main",
	    "WORKFLOW_SHOP_MAY=secret.db-migrate:production",
	    "WORKFLOW_NIGHTLY_KEY=whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u",
	    "WORKFLOW_NIGHTLY_MAY=secret.db-migrate:production", NULL);
}

/* By a job of that run, which is lent it and fetches it twice; run "": by who has a key. */
static void
is_fetched_twice(struct scene *s, const char *run)
{
	static int jobs = 99100;

	s->w.aid.at += MINUTE / 5;
	(void)text_copy(s->job.run, sizeof(s->job.run), run);
	if (run[0] != '\0')
		(void)snprintf(s->job.check_run, sizeof(s->job.check_run), "%d", jobs++);
	assert_int_equal(wants(s, "/v1/secret/db-migrate"), 202);
	vault_says(s, EFFECT_VAULT_LEND, &MADE);
	assert_true(looks(s).is_lent);
	assert_int_equal(looks(s).status, 410);
}

static size_t
rings(struct scene *s, const char *part)
{
	size_t n = 0;

	for (size_t i = 0; i < s->w.n_screen; i++)
		n += s->w.screen[i].chat == WORLD_ADMIN &&
		    strstr(world_plain(&s->w.screen[i]), part) != NULL;
	return n;
}

/* A real one would drown in those that a job makes at will; that it rings no more is said once. */
TEST(one_run_rings_admins_three_times_in_an_hour_and_then_says_so_once)
{
	struct scene s;

	open_scene(&s);
	for (int i = 0; i < 3; i++)
		is_fetched_twice(&s, "4711");
	assert_int_equal(rings(&s, SILENT), 0);
	for (int i = 0; i < 3; i++)
		is_fetched_twice(&s, "4711");
	assert_int_equal(rings(&s, TWICE), 3);
	assert_int_equal(rings(&s, SILENT), 1);
	assert_non_null(world_says_in(&s.w, WORLD_ADMIN,
	    SILENT "run 4711 of octo/shop has rung 3 times within the hour."
		   "\nFurther ones stand in the audit alone, as that of /show 4, secret db-migrate:"
		   " deploybot audit search --code secret_unwrap_failed."));
	assert_int_equal(world_audited(&s.w, "secret_unwrap_failed", NULL), 6);
	s.w.aid.at += 60 * MINUTE;
	is_fetched_twice(&s, "4711");
	assert_int_equal(rings(&s, TWICE), 4);
	world_close(&s.w);
}

/* Else who may begin a run, and takes what another one is lent, is heard by nobody. */
TEST(a_run_that_rings_at_will_silences_no_other_run_of_its_workflow)
{
	struct scene s;

	open_scene(&s);
	for (int i = 0; i < 5; i++)
		is_fetched_twice(&s, "4711");
	is_fetched_twice(&s, "4712");
	assert_int_equal(rings(&s, TWICE), 4);
	assert_non_null(world_says_in(&s.w, WORLD_ADMIN, "/show 6"));
	world_close(&s.w);
}

/* Of a run more or less nobody decides but who begins it: what is said of runs counts, too. */
TEST(all_runs_of_a_workflow_ring_admins_twelve_times_in_an_hour_and_then_say_so_once)
{
	struct scene s;
	char run[8];

	open_scene(&s);
	for (int i = 0; i < 15; i++) {
		(void)snprintf(run, sizeof(run), "%d", 4711 + i / 4);
		is_fetched_twice(&s, run);
	}
	assert_int_equal(rings(&s, TWICE), 9);
	assert_int_equal(rings(&s, SILENT "run 47"), 3);
	assert_int_equal(rings(&s, SILENT "workflow:shop has rung 12 times within the hour."), 1);
	assert_int_equal(rings(&s, SILENT), 4);
	s.job = (struct job)KEY_OF_NIGHTLY;
	is_fetched_twice(&s, "");
	assert_int_equal(rings(&s, TWICE), 10);
	world_close(&s.w);
}

/* All who have a key are one, and nobody knows which of them rings. */
TEST(who_has_a_key_rings_admins_three_times_in_an_hour_and_then_says_so_once)
{
	struct scene s;

	open_scene(&s);
	s.job = (struct job)KEY_OF_NIGHTLY;
	for (int i = 0; i < 5; i++)
		is_fetched_twice(&s, "");
	assert_int_equal(rings(&s, TWICE), 3);
	assert_int_equal(rings(&s, SILENT "workflow:nightly has rung 3 times "), 1);
	assert_int_equal(rings(&s, SILENT), 1);
	world_close(&s.w);
}
