/* Goal: why nothing is deployed somewhere names no other environment to who does not see that.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"

#include "lib/text.h"

#define CONTRACTOR 99
#define SHOP	   "REPOSITORY_URL=/r\nDEPLOY_TRANSPORT=local\nSTAGING_PORT=1\nPRODUCTION_PORT=2\n"

#define BLOG \
	"REPOSITORY_URL=/other\nDEPLOY_TRANSPORT=local\nENVIRONMENTS=production\nPRODUCTION_PORT="

/* On port 1 blog/production is one target with shop/staging, which gives way. */
static void
read_with(struct world *w, const char *may, const char *port)
{
	char directory[256], blog[LIMIT_LINE];

	text_setf(blog, BLOG "%s\n", port);
	world_application_file(w, "blog", blog);
	world_application_file(w, "shop", SHOP);
	(void)snprintf(directory, sizeof(directory), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(
	    w, "GITHUB_REPOSITORY=", directory, STRANGER_IS, "ROLE_CONTRACTOR_IDS=99", may, NULL);
	world_settings_read(w);
}

static void
says_only(struct world *w, const char *text, const char *path)
{
	if (text != NULL)
		(void)world_text_in(w, CONTRACTOR, CONTRACTOR, text);
	else
		assert_int_equal(api_aid_ask(w, STRANGER, API_STATUS, path, NULL), 200);
	text = text != NULL ? world_plain(world_last(w)) : w->aid.said;
	if (strstr(text, "it shares a port of this machine with another environment") == NULL)
		fail_msg("not said: %s", text);
	assert_null(strstr(text, "blog"));
	assert_null(strstr(text, "port:1"));
	assert_null(strstr(text, "(1)"));
}

WORLD_TEST(a_refusal_names_no_environment_that_one_does_not_see)
{
	read_with(w, "ROLE_CONTRACTOR_MAY=deploy:shop/staging, status:shop/staging", "1");
	says_only(w, "/deploy shop/staging", NULL);
	says_only(w, "/promote production shop/staging", NULL);
	says_only(w, NULL, "/v1/status/shop/staging");
	world_answers(w, WORLD_ADMIN, "/deploy shop/staging",
	    "shop/staging shares a port of this machine with blog/production (");
}

WORLD_TEST(a_refusal_names_what_one_sees)
{
	read_with(w,
	    "ROLE_CONTRACTOR_MAY=deploy:shop/staging, status:shop/staging, status:blog/production",
	    "1");
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/deploy shop/staging");
	assert_non_null(strstr(world_plain(world_last(w)), "with blog/production ("));
	assert_int_equal(
	    api_aid_ask(w, STRANGER, API_STATUS, "/v1/status/shop/staging", NULL), 200);
	SAID(w, "with blog/production (");
}

/* Two of one application, as a contractor of one of them reads it. */
WORLD_TEST_OF(a_refusal_names_none_of_its_own_application_either, "ROLE_CONTRACTOR_IDS=99",
    "ROLE_CONTRACTOR_MAY=deploy:production", "DEPLOY_TRANSPORT=local", "STAGING_PORT=8001",
    "PRODUCTION_PORT=8001")
{
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/deploy production");
	assert_non_null(strstr(world_plain(world_last(w)), "with another environment: a release"));
	assert_null(strstr(world_plain(world_last(w)), "with staging"));
	world_answers(w, WORLD_ADMIN, "/deploy production", "with staging: a release to one");
}

/* What is written down is read by everybody who sees that environment. */
WORLD_TEST(what_is_written_down_of_a_refusal_names_no_other_environment)
{
	read_with(w, "ROLE_CONTRACTOR_MAY=status:shop/staging", "2");
	(void)world_text(w, WORLD_ADMIN, "/deploy shop/staging");
	read_with(w, "ROLE_CONTRACTOR_MAY=status:shop/staging", "1");
	world_git_at(w, COMMIT_A);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_REFUSED);
	assert_string_equal(world_newest(w, "shop/staging").detail,
	    "it shares a port of this machine with another environment: a release to one would replace the other's");
}
