/* Goal: a name that is no setting is named, with what was meant, and is never taken for another one.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

TEST(an_unknown_name_gets_the_nearest_known_one)
{
	struct settings *s =
	    LOAD("LOG_LEVLE=debug\nSTAGING_HOTS=x\nCOMPLETELY_DIFFERENT=1\nTRANSPORT_ALL=1\n"
		 "AUDIT_SYSLOG_SERVR=x\nSTAGING_TRANSPORT_ZONE=2\nSTAGING_SOMEWHERE_ELSE=3\n",
		MINIMUM);

	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "LOG_LEVLE: is no setting; did you mean LOG_LEVEL? (");
	SAYS(SETTINGS_WARNING,
	    "AUDIT_SYSLOG_SERVR: is no setting; did you mean AUDIT_SYSLOG_SERVER? (");
	SAYS(SETTINGS_WARNING, "STAGING_HOTS: is no setting; did you mean STAGING_HOST?");
	SAYS(SETTINGS_WARNING, "COMPLETELY_DIFFERENT: is no setting (");
	assert_false(settings_aid_says(SETTINGS_WARNING, "TRANSPORT_ALL"));
	assert_false(settings_aid_says(SETTINGS_WARNING, "STAGING_TRANSPORT_ZONE"));
	SAYS(SETTINGS_WARNING,
	    "STAGING_SOMEWHERE_ELSE: is no setting, and no script gets it (a transport");
	settings_unref(s);
}

/* Who followed "did you mean STAGING_ROLLBACK_APPROVALS?" changed what staging asks for. */
TEST(what_is_of_an_environment_that_is_not_there_is_never_anothers)
{
	struct settings *s = LOAD("QA_ROLLBACK_APPROVALS=2\nPREVIEW_HEALTH_URL=http://x/\n"
				  "QA_DEPLOY_USER=x\nSTAGNG_HEALTH_URL=http://x/\n"
				  "STAGNG_DEPLOY_USER=x\nQA_HOST=x\nQA_TELEGRAM_CHAT_ID=-1001\n"
				  "PROD_DEPLOY_TRANSPORT=ssh\n",
	    MINIMUM);

	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "QA_ROLLBACK_APPROVALS: is no setting: ENVIRONMENTS names no qa (");
	SAYS(
	    SETTINGS_WARNING, "PREVIEW_HEALTH_URL: is no setting: ENVIRONMENTS names no preview (");
	SAYS(SETTINGS_WARNING, "QA_DEPLOY_USER: is no setting: ENVIRONMENTS names no qa (");
	SAYS(SETTINGS_WARNING, "QA_HOST: is no setting: ENVIRONMENTS names no qa (");
	SAYS(SETTINGS_WARNING, /* production is one */
	    "PROD_DEPLOY_TRANSPORT: is no setting: ENVIRONMENTS names no prod (");
	SAYS(SETTINGS_WARNING,
	    "QA_TELEGRAM_CHAT_ID: is no setting, and no environment has a TELEGRAM_CHAT_ID of its own (");
	SAYS(SETTINGS_WARNING,
	    "STAGNG_HEALTH_URL: is no setting; did you mean STAGING_HEALTH_URL? (");
	SAYS(SETTINGS_WARNING,
	    "STAGNG_DEPLOY_USER: is no setting; did you mean STAGING_DEPLOY_USER? (");
	settings_unref(s);
}

/* One line for each, whatever is set for it; what is empty is not set. */
TEST(a_client_that_is_not_listed_is_named_once)
{
	struct settings *s =
	    LOAD("CLIENT_ACME_HOST=a@b\nCLIENT_ACME_WEB_UNIT=web.service\n"
		 "CLIENT_ACME_ACTIONS=restart-web\nCLIENT_SIX_TWO_HOST=h\nCLIENT_NONE_HOST=\n",
		MINIMUM);
	size_t n = 0;

	assert_non_null(s);
	SAYS(SETTINGS_FLAW, "CLIENTS: does not list acme, which has settings (CLIENT_ACME_HOST, ");
	SAYS(SETTINGS_FLAW, " line 1): add it (CLIENTS=acme), or nothing is done there");
	SAYS(SETTINGS_FLAW, "CLIENTS: does not list six-two, which has settings");
	for (size_t i = 0; i < settings_said.count; i++)
		n += strncmp(settings_said.lines[i].text, "CLIENT", 6) == 0;
	assert_int_equal(n, 3); /* the empty one is no setting, as ever */
	assert_false(settings_aid_says(SETTINGS_WARNING, "CLIENT_ACME"));
	settings_unref(s);
}

/* Of a container they stand in the environment; what is empty is not set. */
TEST(a_setting_of_a_version_before_is_named_with_what_takes_its_place)
{
	struct settings *s = LOAD("AUDIT_TIMESTAMP_URL=https://tsa.example.org/\n", MINIMUM,
	    "AUDIT_TIMESTAMP_CA=/etc/tsa.pem");
	size_t removed = 0;

	assert_non_null(s);
	assert_int_equal(s->removed, 3);
	SAYS(SETTINGS_WARNING,
	    "AUDIT_TIMESTAMP_URL: is no setting any more: no timestamp is made by it; write it as URL into ");
	SAYS(SETTINGS_WARNING, "then take it out here (");
	SAYS(SETTINGS_WARNING, " line 1)");
	SAYS(SETTINGS_WARNING,
	    "AUDIT_TIMESTAMP_CA: is no setting any more: no timestamp is checked by it");
	assert_false(settings_aid_says(SETTINGS_WARNING, "did you mean"));
	for (size_t i = 0; i < settings_said.count; i++)
		removed += settings_said.lines[i].is_removed;
	assert_int_equal(removed, 2);
	settings_unref(s);
	s = LOAD("AUDIT_TIMESTAMP_URL=\n", MINIMUM);
	assert_non_null(s);
	assert_int_equal(s->removed, 0);
	assert_false(settings_aid_says(SETTINGS_WARNING, "AUDIT_TIMESTAMP"));
	settings_unref(s);
}
