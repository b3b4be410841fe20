/* Goal: what looks like a secret goes, and what stands beside it stays.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact_shape.h"

#include "lib/redact.h"
#include "tests/unit/redact_aid.h"
#include "unit.h"

TEST(each_shape_begins_and_ends_where_it_is_said_to)
{
	static const struct {
		const char *prefix;
		size_t least;
		bool at_word;
	} shapes[] = {
		{ "ghp_", 20, false },
		{ "gho_", 20, false },
		{ "ghu_", 20, false },
		{ "ghs_", 20, false },
		{ "ghr_", 20, false },
		{ "github_pat_", 20, false },
		{ "glpat-", 20, false },
		{ "gldt-", 20, false },
		{ "glrt-", 20, false },
		{ "glrtr-", 20, false },
		{ "glcbt-", 20, false },
		{ "glptt-", 20, false },
		{ "glft-", 20, false },
		{ "glimt-", 20, false },
		{ "glagent-", 20, false },
		{ "glsoat-", 20, false },
		{ "glffct-", 20, false },
		{ "gloas-", 20, false },
		{ "hvs.", 20, false },
		{ "hvb.", 20, false },
		{ "hvr.", 20, false },
		{ "s.", 24, true },
		{ "whsec_", 20, false },
		{ "AKIA", 16, true },
		{ "ASIA", 16, true },
		{ "xoxa-", 10, true },
		{ "xoxb-", 10, true },
		{ "xoxe-", 10, true },
		{ "xoxp-", 10, true },
		{ "xoxr-", 10, true },
		{ "xoxs-", 10, true },
		{ "123456:", 30, false },
	};
	char text[80], want[80];

	for (size_t i = 0; i < COUNT(shapes); i++) {
		int least = (int)shapes[i].least;

		(void)snprintf(text, sizeof(text), " %s%.*s.", shapes[i].prefix, least,
		    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
		redact_check(NULL, text, " ***.");
		(void)snprintf(text, sizeof(text), " %s%.*s.", shapes[i].prefix, least - 1,
		    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
		redact_check(NULL, text, text);
		(void)snprintf(text, sizeof(text), "q%s%.*s.", shapes[i].prefix, least,
		    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
		(void)snprintf(want, sizeof(want), "%s", shapes[i].at_word ? text : "q***.");
		redact_check(NULL, text, want);
	}
	/* Our own: digits alone, for names of metrics begin so. */
	redact_check(NULL, " deploybot_0123456789abcdef0123.", " ***.");
	redact_check(NULL, " deploybotc_0123456789abcdef0123.", " ***.");
	redact_check(NULL, " deploybot_0123456789abcdef012.", " deploybot_0123456789abcdef012.");
	redact_check(NULL, " deploybot_webhook_events_received_total.",
	    " deploybot_webhook_events_received_total.");
	redact_check(NULL, "12345:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
	    "12345:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
	for (const char *before = "09azAZ/:@[`{-_"; *before != '\0'; before++) {
		(void)snprintf(text, sizeof(text), "%cAKIAIOSFODNN7EXAMPLE", *before);
		(void)snprintf(want, sizeof(want), "%c***", *before);
		redact_check(NULL, text, strchr("09azAZ", *before) != NULL ? text : want);
	}
	redact_check(NULL, "ghp_09azAZ_-09azAZ_-09az/", "***/");
	for (const char *behind = "/:@[`{"; *behind != '\0'; behind++) {
		(void)snprintf(text, sizeof(text), "ghp_09azAZ_-09azAZ_-09a%c", *behind);
		redact_check(NULL, text, text);
	}
}

/* Secrets that nobody has told us of: two texts of each shape that go, and two beside them that
 * stay.  Pieces of a text, so that no scanner takes this file for a leak. */
TEST(each_shape_has_texts_that_go_and_texts_that_stay)
{
#define TWENTY "zzzzzzzzzzzzzzzzzzzz"
#define HEADER "eyJhbGciOiJSUzI1NiJ9"
#define CLAIMS "eyJzdWIiOiJjaSJ9"
#define GUID   "9da5da9c-4218-4c22-aed6-b5c8baebfff5"
	static const struct {
		const char *text, *want; /* NULL: it stays */
	} cases[] = {
		/* GitHub's of an installation: its number and a JWT */
		{ "a ghs_1234567_" HEADER "." CLAIMS ".c2lnbmF0dXJl, b", "a ***, b" },
		{ "ghs_" TWENTY ".b.c. Then", "***. Then" },
		{ "ghs_1234567_z.b.c", NULL },
		{ "ghs_z." TWENTY, NULL },
		{ "ghs_" TWENTY ".", "***." },
		/* JWT */
		{ "jwt=" HEADER "." CLAIMS ".c2lnbmF0dXJl.", "jwt=***." },
		{ "%3D" HEADER ".e30.c2ln/x", "%3D***/x" },
		{ HEADER "." CLAIMS, NULL },
		{ "eyJob.run.starts " HEADER "." CLAIMS ".c2", NULL },
		{ HEADER ". " CLAIMS ". c2lnbmF0dXJl", NULL },
		{ HEADER "..c2lnbmF0dXJl " HEADER ".e3.c2lnbmF0dXJl", NULL },
		{ "xyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl", NULL },
		/* a second beginning, where the first one fails */
		{ "eyJeyJeyJeyJ/" HEADER ".e30.c2ln", "eyJeyJeyJeyJ/***" },
		{ HEADER ".e3." HEADER ".e30.c2ln", HEADER ".e3.***" },
		/* Vault */
		{ "VAULT_TOKEN=hvs." TWENTY "_-9.nsid", "VAULT_TOKEN=***" },
		{ "hvb." TWENTY "AAAA\n", "***\n" },
		{ "hvs.example.company.internal.net", NULL },
		{ "hvx." TWENTY " hv" TWENTY, NULL },
		{ "X-Vault-Token: s." TWENTY "zz_-\r\n", "X-Vault-Token: ***\r\n" },
		{ "token=s." TWENTY "AZaz.nsid&s." TWENTY "09-_", "token=***&***" },
		{ "s." TWENTY "zzz. s.." TWENTY "zzzz", NULL }, /* one letter less */
		{ "docs." TWENTY "zzzz 9s." TWENTY "zzzz Ss." TWENTY "zzzz", NULL },
		{ "s_" TWENTY "zzzz s " TWENTY "zzzz S." TWENTY "zzzz", NULL },
		/* GitLab */
		{ "https://gitlab.example.org/?private_token=glpat-" TWENTY "1.01.101abcdef&x",
		    "https://gitlab.example.org/?private_token=***&x" },
		{ "OUR-gldt-" TWENTY " glrtr-" TWENTY, "OUR-*** ***" },
		{ "PRIVATE-TOKEN: glpat-zzzz_zzzz-zzzzzzzzzz\r\n", "PRIVATE-TOKEN: ***\r\n" },
		{ "glpat-zzzzzzzzzzzzzzzzzzz. glpat " TWENTY, NULL }, /* one letter less */
		{ "glpat-short.01.1 glpat_" TWENTY, NULL },
		{ "glass-" TWENTY " glxx-" TWENTY, NULL },
		/* webhooks' signing secrets */
		{ "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD.", "***." },
		{ "\"whsec_" TWENTY "/+==\"", "\"***\"" },
		{ "whsec_"
		  "short",
		    NULL },
		{ "whsec-" TWENTY, NULL },
		/* Slack's hooks */
		{ "https://hooks.slack.com"
		  "/services/T2K4J934U/B"
		  "IAKM84H6/zzzz" TWENTY " x",
		    "https://hooks.slack.com/services/*** x" },
		{ "/workflows/T0000000/A0000000/12345678/" TWENTY
		  " /triggers/E0000000/12345678/" TWENTY,
		    "/workflows/*** /triggers/***" },
		{ "/services/T2K4J934U/BIAKM84H6/short /services/shop/web/" TWENTY, NULL },
		{ "/services/T2K4J934U/BIAKM84H6?" TWENTY " /workflows/test.yml/runs/12345678/",
		    NULL },
		/* Discord's */
		{ "https://discord.com/api/webhooks/123456789012345678/" TWENTY TWENTY
		  "zzzz_zzzz-zzzz/slack?wait",
		    "https://discord.com/api/webhooks/***?wait" },
		{ "/api/v10/webhooks/1234567890123456789/" TWENTY TWENTY TWENTY "zzzzzzzz",
		    "/api/v10/webhooks/***" },
		{ "/repos/a/b/webhooks/1234/" TWENTY TWENTY TWENTY, NULL },
		{ "/webhooks/123456789012345678/" TWENTY TWENTY, NULL },
		/* Teams' */
		{ "https://a.webhook.office.com/webhookb2/" GUID "@" GUID
		  "/IncomingWebhook/1bf66ccbb8e745e791fa6e6de0cf465b/" GUID "/V2x'",
		    "https://a.webhook.office.com/webhookb2/***'" },
		{ "https://outlook.office.com/webhook/" GUID "@" GUID "/IncomingWebhook/1b/" GUID,
		    "https://outlook.office.com/webhook/***" },
		{ "/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=" TWENTY "%2F-_" TWENTY
		  "&x ?sig=" TWENTY TWENTY,
		    "/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=***&x ?sig=***" },
		{ "/forge/webhook/gitlab /telegram/webhook /webhook/" GUID "/" GUID, NULL },
		{ "/webhookb2/" GUID "@" GUID " /webhook/" GUID "@x", NULL },
		{ "&sig=" TWENTY " ?sig=" TWENTY "." TWENTY, NULL },
		/* Mattermost's and Rocket.Chat's */
		{ "https://chat.example.org/hooks/xd8ac5qjbtgsfbq9u3eahk4rfy",
		    "https://chat.example.org/hooks/***" },
		{ "https://chat.example.org/hooks/xd8ac5qjbtgsfbq9u3eahk4rfy\n",
		    "https://chat.example.org/hooks/***\n" },
		{ "/hooks/xd8ac5qjbtgsfbq9u3eahk4rfy\" -d /hooks/5a1b2c3d4e5f6a7b8/" TWENTY TWENTY,
		    "/hooks/***\" -d /hooks/***" },
		{ "/hooks/build-finished /hooks/xd8ac5qjbtgsfbq9u3eahk4rf /hooks/x", NULL },
		{ "/hooks/xd8ac5qjbtgsfbq9u3eahk4rfyy /hooks/ld8ac5qjbtgsfbq9u3eahk4rfy "
		  "/hooks/XD8AC5QJBTGSFBQ9U3EAHK4RFY ",
		    NULL },
		/* dots end a token where nothing of one follows */
		{ "AKIAIOSFODNN7EXAMPLE. And", "***. And" },
		{ "ghp_" TWENTY "..b", "***..b" },
		{ "bot" BOT_TOKEN ".x", "bot***" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		redact_check(
		    NULL, cases[i].text, cases[i].want != NULL ? cases[i].want : cases[i].text);
}

/* A beginning of two letters: the filter knows it with each that may follow. */
TEST(a_short_token_is_found_whatever_its_first_letter_is)
{
	char text[40];

	for (int c = 1; c < 128; c++) {
		(void)snprintf(text, sizeof(text), "=s.%c" TWENTY "zzz", c);
		redact_check(NULL, text, redact_shape_is_token((char)c) ? "=***" : text);
	}
}
