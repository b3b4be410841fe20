/* Goal: a hook that could start nothing, or that anybody could call, is named when settings are read.  Side: start. */
/* SPDX-License-Identifier: ISC */

#include "settings/sources/settings_load.h"

#include "unit.h"
#include "types/hook.h"
#include "types/settings.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define HOOK   "HOOK_A_B_STARTS=deploy:staging ref=$.ref"
#define OWN    "HOOK_A_B_SECRET=" SECRET

/* The first line of the report that has this in it; "": none does. */
static const char *
said(const char *const lines[4], const char *part, struct settings **ret)
{
	static struct settings_report report;
	char *list[12] = { (char[]){
			       "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789" },
		(char[]){ "ADMIN_TELEGRAM_IDS=1" }, (char[]){ "REPOSITORY_URL=/srv/a/b" },
		(char[]){ "CLIENTS=acme" }, (char[]){ "CLIENT_ACME_HOST=local" },
		(char[]){ "CLIENT_ACME_ACTIONS=service-status" },
		(char[]){ "CLIENT_ACME_WEB_UNIT=nginx" } };
	size_t n = 7;

	for (size_t i = 0; i < 4 && lines[i] != NULL; i++)
		list[n++] = (char *)(uintptr_t)lines[i];
	*ret = NULL;
	report = (struct settings_report){ 0 };
	if (!settings_load(NULL, list, ret, &report))
		assert_null(*ret);
	for (size_t i = 0; i < report.count; i++)
		if (strstr(report.lines[i].text, part) != NULL)
			return report.lines[i].text;
	return "";
}

TEST(what_is_wrong_with_a_line_is_said)
{
	static const struct {
		const char *lines[4];
		const char *part; /* NULL: it is fine */
	} rows[] = {
		{ { HOOK, OWN }, NULL },
		{ { HOOK, "WEBHOOK_API_SECRET=" SECRET }, NULL },
		{ { "HOOK_A_B_STARTS=deploy:staging", OWN }, NULL },
		{ { "HOOK_A_B_STARTS=do.service-status:client/acme", OWN }, NULL },
		{ { "HOOK_A_B_STARTS=do.run-job:staging argument=migrate", "JOB_MIGRATE=x", OWN },
		    NULL },
		{ { HOOK }, "it has no secret: set HOOK_A_B_SECRET, or WEBHOOK_API_SECRET" },
		{ { OWN }, "HOOK_A_B_STARTS: is not set" },
		{ { HOOK, "HOOK_A_B_SECRET=short" }, "HOOK_A_B_SECRET: " },
		{ { "HOOK_A_B_STARTS=deploy:nowhere ref=$.ref", OWN },
		    "there is no environment nowhere" },
		{ { "HOOK_A_B_STARTS=deploy:shop/staging ref=$.ref", OWN },
		    "there is no environment shop/staging" },
		{ { "HOOK_A_B_STARTS=deploy:staging argument=$.ref", OWN }, "takes ref=" },
		{ { "HOOK_A_B_STARTS=do.run-job:staging ref=$.ref", OWN }, "an action argument=" },
		{ { "HOOK_A_B_STARTS=do.nothing:client/acme", OWN },
		    "there is no action do.nothing" },
		{ { "HOOK_A_B_STARTS=do.restart-web:client/acme", OWN },
		    "acme has no restart-web" },
		{ { "HOOK_A_B_STARTS=do.restart-web:client/other", OWN },
		    "there is no client other" },
		{ { "HOOK_A_B_STARTS=do.restart-web:staging", OWN }, "is an environment, which" },
		{ { "HOOK_A_B_STARTS=deploy:client/acme", OWN }, "is a client, which" },
		{ { "GITHUB_BRANCH_STAGING=", "HOOK_A_B_STARTS=deploy:staging", OWN }, NULL },
		/* Of no such type. */
		{ { "HOOK_A_B_STARTS=rollback:staging", OWN }, "HOOK_A_B_STARTS: " },
		{ { "HOOK_A_B_STARTS=deploy:*", OWN }, "HOOK_A_B_STARTS: " },
		{ { "HOOK_A_B_STARTS=deploy:staging ref=$", OWN }, "HOOK_A_B_STARTS: " },
		{ { "HOOK_A_B_STARTS=deploy:staging ref=$.a[0]", OWN }, "HOOK_A_B_STARTS: " },
		{ { "HOOK_A_B_STARTS=deploy:staging ref=$.*", OWN }, "HOOK_A_B_STARTS: " },
		{ { "HOOK_A_B_STARTS=deploy:staging ref=$..a", OWN }, "HOOK_A_B_STARTS: " },
		{ { "HOOK_A_B_STARTS=deploy:staging ref=-x", OWN }, "HOOK_A_B_STARTS: " },
		{ { "HOOK_A_B_STARTS=deploy:staging ref=$.a reason=$.b", OWN },
		    "HOOK_A_B_STARTS: " },
		{ { "HOOK_A_B_STARTS=deploy:staging,deploy:production", OWN },
		    "HOOK_A_B_STARTS: " },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *part = rows[i].part != NULL ? rows[i].part : "HOOK_A_B";
		struct settings *settings;
		const char *found = said(rows[i].lines, part, &settings);

		if ((found[0] != '\0') != (rows[i].part != NULL))
			fail_msg("row %zu: %s", i, found);
		settings_unref(settings);
	}
}

TEST(hooks_that_share_a_secret_are_named)
{
	static const char *const lines[4] = { HOOK, "HOOK_C_STARTS=deploy:production ref=$.r",
		("WEBHOOK_API_SECRET=" SECRET) };
	static const char *const same[4] = { HOOK, OWN, "HOOK_C_STARTS=deploy:production ref=$.r",
		("HOOK_C_SECRET=" SECRET) };
	static const char *const other[4] = { HOOK, OWN, "HOOK_C_STARTS=deploy:production ref=$.r",
		("HOOK_C_SECRET=" SECRET "x") };
	struct settings *settings;

	assert_string_equal(said(lines, "share one secret", &settings),
	    "/hooks/a-b, /hooks/c share one secret, WEBHOOK_API_SECRET: who may call one may call all of them");
	settings_unref(settings);
	assert_string_equal(said(same, "share one secret", &settings),
	    "/hooks/a-b, /hooks/c share one secret: who may call one may call all of them");
	settings_unref(settings);
	assert_string_equal(said(other, "share one secret", &settings), "");
	settings_unref(settings);
}

TEST(a_hook_is_found_by_its_id_with_the_secret_that_opens_it)
{
	static const char *const lines[4] = { HOOK, OWN, "HOOK_C_STARTS=deploy:production",
		"WEBHOOK_API_SECRET=" SECRET "y" };
	struct settings *settings;
	struct hook hook;

	assert_string_equal(said(lines, "/hooks is not served", &settings),
	    "there are hooks, and /hooks is not served: ENABLE_API_SERVER=true does that");
	assert_true(hook_find(settings, "a-b", &hook));
	assert_string_equal(hook.secret.values[0], SECRET);
	assert_false(hook.is_shared);
	assert_true(hook_find(settings, "c", &hook));
	assert_string_equal(hook.secret.values[0], SECRET "y");
	assert_true(hook.is_shared);
	assert_false(hook_find(settings, "A-B", &hook));
	assert_false(hook_find(settings, "", &hook));
	settings_unref(settings);
}
