/* Goal: who runs deploybot learns before a night which approvals nobody could give.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"

#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "lib/db.h"
#include "store/store.h"

static struct doctor *
new_doctor(struct settings *settings)
{
	struct doctor *doctor = calloc(1, sizeof(*doctor));

	assert_non_null(doctor);
	doctor->settings = settings;
	return doctor;
}

/* What is said of those settings; "": nothing. */
static void
says(const char *text, const char *approvals, const char *approvers, const char *more)
{
	struct doctor *doctor;
	struct world w;

	world_open(&w, "ROLE_LEAD_IDS=44,55", "ROLE_LEAD_MAY=approve:production,status",
	    "CLIENTS=acme", "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free", approvals,
	    approvers, more, NULL);
	doctor = new_doctor(w.aid.settings);
	doctor_approvals(doctor);
	assert_int_equal(doctor->count, text[0] == '\0' ? 0 : 1);
	if (text[0] != '\0' && strstr(doctor->findings[0].text, text) == NULL)
		fail_msg("%s", doctor->findings[0].text);
	free(doctor);
	world_close(&w);
}

TEST(a_number_that_nobody_could_reach_is_a_warning)
{
	/* Two admins and two leads; one of them asks. */
	says("", "PRODUCTION_APPROVALS=3", NULL, NULL);
	says("production: a deployment needs 4 approvals, and only 3 people may give one when "
	     "another of them asks",
	    "PRODUCTION_APPROVALS=4", NULL, NULL);
	says("", "PRODUCTION_APPROVALS=4", "APPROVE_SELF=true", NULL);
	says("", "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=lead", NULL);
	says("needs 2 approvals, and only 1 person may", "PRODUCTION_APPROVALS=2",
	    "PRODUCTION_APPROVERS=lead", NULL);
	says("production: a deployment needs 4 approvals", "PRODUCTION_APPROVALS=1",
	    "PRODUCTION_APPROVALS_IF=forced=4; not-on staging=2", NULL);
	says("", "CLIENT_ACME_APPROVALS=1", NULL, NULL);
	says(
	    "client/acme: an action needs 2 approvals, and only 1 person may give one when another "
	    "of them asks: see the grant approve:client/ID",
	    "CLIENT_ACME_APPROVALS=2", NULL, NULL);
	says("production: a rollback needs 2 approvals", "PRODUCTION_ROLLBACK_APPROVALS=2",
	    "PRODUCTION_APPROVERS=lead", NULL);
}

#define JOB "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main"
#define MAY "WORKFLOW_SHOP_MAY=secret.db:production"

#define DBA "ROLE_DBA_IDS=66", "ROLE_DBA_MAY=secret.db:production"

/* Of those that people alone ask for a code is theirs. */
TEST(a_secret_that_no_job_or_nobody_could_have_is_said)
{
	static const struct {
		const char *more[4];
		enum doctor_level level;
		const char *text;
	} rows[] = {
		{ { "SECRET_DB_APPROVALS=3", DBA }, DOCTOR_OK, "" },
		{ { "SECRET_DB_APPROVALS=4", DBA }, DOCTOR_WARNING,
		    "production: the secret db needs 4 approvals, and only 3 people may give one" },
		{ { "REQUIRE_OTP=secret.db:production", DBA }, DOCTOR_OK, "" },
		{ { "REQUIRE_OTP=secret.db:production", JOB, MAY }, DOCTOR_ERROR,
		    "production: no job is lent db: REQUIRE_OTP asks a code for it" },
		{ { "REQUIRE_OTP=secret.db:production", JOB, MAY, "SECRET_DB_APPROVALS=1" },
		    DOCTOR_OK, "" },
		{ { NULL }, DOCTOR_NOTE,
		    "production: nobody but admins may ask for the secret db: add secret.db:production to the WORKFLOW_<NAME>_MAY or ROLE_<NAME>_MAY of whom it is for" },
		{ { "ROLE_DBA_IDS=66", "ROLE_DBA_MAY=secret.other:staging" }, DOCTOR_NOTE,
		    "nobody but admins may ask for the secret db" },
		{ { "ROLE_DBA_IDS=66", "ROLE_DBA_MAY=secret:production" }, DOCTOR_OK, "" },
	};

	factor_write_key(FACTOR_KEY);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const *more = rows[i].more;
		struct doctor *doctor;
		struct world w;

		world_open(&w, "ROLE_LEAD_IDS=44,55", "ROLE_LEAD_MAY=approve:production,status",
		    "PUBLIC_URL=https://bot.example.org", "ENABLE_API_SERVER=true",
		    "GITHUB_REPOSITORY=octo/shop", "VAULT_ADDR=https://vault.example.org",
		    "VAULT_TOKEN=hvs.0123456789abcdef0123", "SECRET_DB_PATH=kv2 secret db",
		    "SECRET_DB_FOR=production", "SECRET_OTHER_PATH=creds database other",
		    "SECRET_OTHER_FOR=staging", "WORKFLOW_OTHER_IS=github 7 o.yml@refs/heads/main",
		    "WORKFLOW_OTHER_MAY=secret.other:staging", factor_key_setting, more[0], more[1],
		    more[2], more[3], NULL);
		doctor = new_doctor(w.aid.settings);
		doctor_approvals(doctor);
		if (doctor->count != (rows[i].text[0] != '\0') ||
		    (doctor->count > 0 &&
			(doctor->findings[0].level != rows[i].level ||
			    strstr(doctor->findings[0].text, rows[i].text) == NULL)))
			fail_msg("row %zu: %zu, %s", i, doctor->count, doctor->findings[0].text);
		free(doctor);
		world_close(&w);
	}
}

WORLD_TEST_OF(who_never_wrote_to_the_bot_is_named, "PRODUCTION_APPROVALS=1", "ROLE_LEAD_IDS=44,55",
    "ROLE_LEAD_MAY=approve:production,status", "ROLE_DEV_IDS=66", "ROLE_DEV_MAY=status:staging")
{
	struct doctor *doctor;

	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	(void)world_text_in(w, 55, 55, "/start");
	doctor = new_doctor(w->aid.settings);
	doctor->db = db_open(w->aid.path, DB_READ_ONLY, &w->aid.err);
	doctor_approvers(doctor);
	assert_int_equal(doctor->count, 1);
	assert_string_equal(doctor->findings[0].text,
	    "approvers who never wrote to the bot, or have blocked it, so that it cannot ask them in "
	    "private (/start does it): 11, 44");
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/start");
	(void)world_text_in(w, 44, 44, "/start");
	doctor->count = 0;
	doctor_approvers(doctor);
	assert_int_equal(doctor->count, 0);
	db_close(doctor->db);
	free(doctor);
}

/* Whom Telegram has refused is named until they write again, also who has written before. */
WORLD_TEST_OF(who_has_blocked_the_bot_is_named_and_who_is_told_without_a_group,
    "TELEGRAM_CHAT_ID=", "ROLE_DEV_IDS=66", "ROLE_DEV_MAY=status:staging")
{
	struct doctor *doctor;

	for (int64_t who = 11; who <= 33; who += 11)
		(void)world_text_in(w, who, who, "/start");
	doctor = new_doctor(w->aid.settings);
	doctor->db = db_open(w->aid.path, DB_READ_ONLY, &w->aid.err);
	doctor_approvers(doctor);
	assert_int_equal(doctor->count, 0); /* 66 only looks */
	w->refuses[0] = WORLD_OTHER_ADMIN;
	world_push_is_at(w, COMMIT_A);
	doctor_approvers(doctor);
	assert_int_equal(doctor->count, 1);
	assert_non_null(strstr(doctor->findings[0].text, "TELEGRAM_CHAT_ID is not set, so pushes"));
	assert_string_equal(strrchr(doctor->findings[0].text, ':'), ": 22");
	w->refuses[0] = 0;
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	doctor->count = 0;
	doctor_approvers(doctor);
	assert_int_equal(doctor->count, 0);
	db_close(doctor->db);
	free(doctor);
}

/* There all of them are asked in one chat, or nobody is. */
TEST(nobody_is_named_where_nobody_is_asked_in_private)
{
	static const char *const settings[] = { "PRODUCTION_APPROVALS=0",
		"PRODUCTION_APPROVAL_CHAT_ID=-1009" };

	for (size_t i = 0; i < COUNT(settings); i++) {
		struct doctor *doctor;
		struct world w;

		world_open(&w, settings[i], i == 0 ? NULL : "PRODUCTION_APPROVALS=1", NULL);
		w.aid.settings->database = w.aid.path;
		doctor = new_doctor(w.aid.settings);
		doctor_approvers(doctor);
		assert_int_equal(doctor->count, 0);
		db_close(doctor->db);
		free(doctor);
		world_close(&w);
	}
}

/* Told where nobody has a second factor. */
TEST(whether_an_emergency_is_open_without_a_factor_is_said)
{
	static const struct {
		const char *setting;
		const char *said;
	} cases[] = {
		{ "EMERGENCY_WITHOUT_OTP=true",
		    "second factors: no factor: emergency is open (EMERGENCY_WITHOUT_OTP): its grant alone "
		    "passes every approval" },
		{ "EMERGENCY_WITHOUT_OTP=false",
		    "second factors: no factor: emergency is closed until somebody has one: deploybot 2fa add" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct doctor *doctor;
		struct world w;

		world_open(&w, cases[i].setting, NULL);
		doctor = new_doctor(w.aid.settings);
		doctor_emergency(doctor);
		assert_string_equal(doctor->findings[0].text, cases[i].said);
		db_close(doctor->db);
		free(doctor);
		world_close(&w);
	}
}
