/* Goal: the same steps are found however the output is cut into pieces.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/step_scan.h"

#include "unit.h"

struct found {
	char text[1024];
};

static void
on_found(void *ctx, enum step_scan_kind kind, const char *name)
{
	struct found *found = ctx;
	size_t used = strlen(found->text);

	(void)snprintf(found->text + used, sizeof(found->text) - used,
	    kind == STEP_SCAN_IMAGE	  ? "<%s>" :
		kind == STEP_SCAN_WARNING ? "{%s}" :
		kind == STEP_SCAN_HOST	  ? "(%s)" :
					    "[%s]",
	    name);
}

TEST(each_step_that_decides_is_known_by_its_word)
{
	static const struct {
		const char *name;
		size_t which;
	} cases[] = { { "release", 1 }, { "no-rollback", 2 }, { "migrate", 3 }, { "migrated", 4 },
		{ "migrate-failed 1", 5 }, { "migrate-failed", 5 }, { "migrate-stopped", 6 },
		{ "drain-later", 7 }, { "previous target:before-1", 8 },
		{ "migrate-not-started", 9 }, { "nothing-runs", 10 }, { "previous target:", 0 },
		{ "previous", 0 }, { "previous before-1", 0 }, { "migrate now", 0 },
		{ "release 2", 0 }, { "migrates", 0 }, { "nothing-runs there", 0 }, { "", 0 } };

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(step_scan_decides(cases[i].name), cases[i].which);
}

static void
feed_in_pieces(const char *text, size_t piece, struct found *ret)
{
	struct step_scan scan;
	size_t len = strlen(text);

	memset(ret, 0, sizeof(*ret));
	step_scan_init(&scan, NULL);
	for (size_t at = 0; at < len; at += piece)
		step_scan_feed(
		    &scan, text + at, at + piece > len ? len - at : piece, on_found, ret);
	buf_done(&scan.safe);
}

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CUT    "0123456789abcdef0123456789abcdef01" /* of a step's name, behind "image sha256:" */

TEST(steps_are_found_however_output_is_cut)
{
	static const struct {
		const char *text;
		const char *found;
	} cases[] = {
		{ "==> build\n", "[build]" },
		{ "==> build", "" },
		{ "x\n==> a\ny\n==> b\r\n", "[a][b]" },
		{ "x==> a\n ==> b\n= => c\n==>d\n===> e\n", "" },
		{ "==> \n==>\n==>    \n==>   two words  \n", "[two words]" },
		{ "a=b\n==> c=d\n=\n==\n\n\n==> e\n", "[c=d][e]" },
		{ "==================================================================\n==> x\n",
		    "[x]" },
		{ "==> \033[1mbold\007\n", "[bold]" },
		{ "==> \033[32mrelease\033[0m\n==> \033(B\033[mx\033=y\n", "[release][xy]" },
		{ "==> a\033]0;t\007b\033P..\033\\c\033]8;;\033[1md\n", "[abcd]" },
		{ "==> a\033\n==> b\033[\n==> c\033[1;\n==> d\033]x\n==> e\033(\n==> \033\n",
		    "[a][b][c][d][e]" },
		{ "==> a\033\033[1mb\033[1\001c\033[\xc3\xa4\033\xc3\xa4\n",
		    "[abc\xc3\xa4\xc3\xa4]" },
		{ "==> \007 \007 bell\n", "[bell]" },
		{ "==> 12345678901234567890123456789012345678901234567890\nx\n==> y\n",
		    "[12345678901234567890123456789012345678901234567][y]" },
		{ "==> 1234567890123456789012345678901234567890123456\xc3\xa4\n",
		    "[1234567890123456789012345678901234567890123456]" },
		{ "==> image sha256:" DIGEST "\n==> image sha256:" DIGEST "\r\n==> x\n",
		    "<sha256:" DIGEST "><sha256:" DIGEST ">[x]" },
		/* anything else is a step like another */
		{ "==> image sha256:" DIGEST, "" },
		{ "==> image sha256:" DIGEST "0\n", "[image sha256:" CUT "]" },
		{ "==> image sha256:" DIGEST " \n", "[image sha256:" CUT "]" },
		{ "==> image sha256:" DIGEST "\r\r\n", "[image sha256:" CUT "]" },
		{ "==>  image sha256:" DIGEST "\n", "[image sha256:" CUT "]" },
		{ "==> image  sha256:" DIGEST "\n",
		    "[image  sha256:0123456789abcdef0123456789abcdef0]" },
		{ "==> Image sha256:" DIGEST "\n", "[Image sha256:" CUT "]" },
		{ "==> image sha512:" DIGEST "\n", "[image sha512:" CUT "]" },
		{ "==> image sha256:" CUT "\n", "[image sha256:" CUT "]" },
		{ "==> image "
		  "sha256:A123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
		    "[image sha256:A123456789abcdef0123456789abcdef01]" },
		{ "==> image\n", "[image]" },
		/* a warning is no step, whatever it says */
		{ "==> a\n==> warning two  words \r\n==> warning release\n==> b\n",
		    "[a]{two  words}{release}[b]" },
		{ "==> warning \033[1m<b>@all\007 \033]8;;x\007t\n", "{<b>@all t}" },
		{ "==> warning\n==> warning \n==>  warning x\n==> warnings x\n==> warning   \n",
		    "[warning][warning][warning x][warnings x]" },
		{ "==> quote 1\n==> warning x\n==> unquote 1\n", "" },
		{ "==> warning x", "" },
		/* what others wrote */
		{ "==> a\n==> quote 1aZ\n==> release\n==> image sha256:" DIGEST
		  "\n==> unquote 1aZ\n==> b\n",
		    "[a][b]" },
		{ "==> quote 1\n==> unquote 2\n==> unquote 11\n==> quote 3\n==> unquote 3\n==> no\n"
		  " ==> unquote 1\nx==> unquote 1\n==> unquote 1 \n==>  unquote 1\n==> no\n\n"
		  "==> unquote 1\r\n==> b\n",
		    "[b]" },
		{ "==> quote 12345678901234567890123456789012\n==> no\n", "" },
		{ "==> quote\n==> quote \n==> quote a b\n==> unquote a\n==> b\n",
		    "[quote][quote][quote a b][unquote a][b]" },
		{ "==> quote 123456789012345678901234567890123\n==> b\n",
		    "[quote 123456789012345678901234567890123][b]" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t piece = 1; piece <= strlen(cases[i].text); piece++) {
			struct found found;

			feed_in_pieces(cases[i].text, piece, &found);
			assert_string_equal(found.text, cases[i].found);
		}
	}
}

/* What is not exactly so says nothing, and no line of a run that has hosts is a step by that. */
TEST(what_is_said_of_a_host_is_no_step_of_a_run_that_has_hosts)
{
	static const char long_name[] = "==> host %0262d began\n==> host %0261d ok\n";
	static const struct {
		const char *text, *found, *without;
	} cases[] = {
		{ "==> host web1:22 began\n==> host web1:22 ok\r\n==> x\n",
		    "(web1:22 began)(web1:22 ok)[x]", "[host web1:22 began][host web1:22 ok][x]" },
		{ "==> host [::1]:22 failed\n==> host a failed  two \033[1mwords\033[0m \r\n",
		    "([::1]:22 failed)(a failed two words)",
		    "[host [::1]:22 failed][host a failed  two words]" },
		{ "==> host a began x\n==> host a began \n==> host a ok.\n==> host a failedx\n"
		  "==> host a\n==> host  a ok\n==> host  ok\n==> host a Began\n==> host \n",
		    "[host]", NULL },
		{ "==> hosts a ok\n==>  host a ok\n==> host\n x==> host a ok\n==> host a ok",
		    "[hosts a ok][host a ok][host]", "[hosts a ok][host a ok][host]" },
		{ "==> quote 1\n==> host a began\n==> unquote 1\n", "", "" },
	};
	char names[600];

	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int has_hosts = cases[i].without == NULL; has_hosts <= 1; has_hosts++) {
			struct found found = { "" };
			struct step_scan scan;

			step_scan_init(&scan, NULL);
			scan.has_hosts = has_hosts != 0;
			step_scan_feed(
			    &scan, cases[i].text, strlen(cases[i].text), on_found, &found);
			assert_string_equal(
			    found.text, has_hosts != 0 ? cases[i].found : cases[i].without);
			buf_done(&scan.safe);
		}
	}
	(void)snprintf(names, sizeof(names), long_name, 0, 0);
	{
		struct found found = { "" };
		struct step_scan scan;

		step_scan_init(&scan, NULL);
		scan.has_hosts = true;
		step_scan_feed(&scan, names, strlen(names), on_found, &found);
		assert_int_equal(strlen(found.text), 261 + strlen("( ok)"));
		buf_done(&scan.safe);
	}
}

TEST(why_a_host_failed_has_no_secret_and_its_name_is_as_it_is)
{
	static char line[3 * REDACT_VALUE_MAX];
	static struct step_scan scan;
	struct redact *secrets = redact_new();
	struct found found = { "" };

	assert_true(redact_add(secrets, "webserver-1", NULL));
	step_scan_init(&scan, secrets);
	scan.has_hosts = true;
	(void)snprintf(
	    line, sizeof(line), "==> host webserver-1:22 failed webserver-1 says %0300d\n", 0);
	step_scan_feed(&scan, line, strlen(line), on_found, &found);
	assert_non_null(strstr(found.text, "(webserver-1:22 failed *** says 000"));
	assert_int_equal(strlen(found.text), strlen("(webserver-1:22 failed )") + PROTOCOL_WARNING);
	buf_done(&scan.safe);
	redact_free(secrets);
}

/* A secret is found before its step's name is cut, which would leave half of it. */
TEST(a_step_has_no_secret_in_its_name)
{
	static char password[] = "correct horse, battery staple; and 40 more letters", line[30000];
	static struct step_scan scan;
	struct redact *secrets = redact_new();
	struct found found = { 0 };

	assert_true(redact_add(secrets, password, NULL));
	assert_true(redact_add(secrets, " blanks around ", NULL));
	assert_true(redact_add(secrets, "release", NULL));
	assert_true(redact_add(secrets, "no-rollback", NULL));
	step_scan_init(&scan, secrets);
	(void)snprintf(line, sizeof(line),
	    "==> login %s ok\n==>   %s\n==> 0123456789012345678901234567890123456 %s\n"
	    "==>  blanks around \n==> \001corr\007ect horse, battery staple; and 40 more letters\n"
	    "==> corr\033[1;31mect horse\033]0;t\007, battery staple; and 40 more letters\033[0m\n"
	    "==> ghp_0123456789abcdef0123456789abcdef0123\n"
	    "==> release\n==> \007 release \r\n==> no-rollback\n==> releases\n",
	    password, password, password);
	step_scan_feed(&scan, line, strlen(line), on_found, &found);
	assert_string_equal(found.text,
	    "[login *** ok][***][0123456789012345678901234567890123456 ***][***]"
	    "[***][***][***][release][release][no-rollback][***s]");
	buf_done(&scan.safe);
	redact_free(secrets);
}

/* Longer than a step's name, and bounded; a secret is found before it is cut. */
TEST(a_warning_is_cut_and_has_no_secret)
{
	static char line[1000];
	static struct step_scan scan;
	struct redact *secrets = redact_new();
	struct found found = { 0 };
	char want[PROTOCOL_WARNING + 3];

	assert_true(redact_add(secrets, "correct horse, battery staple", NULL));
	step_scan_init(&scan, secrets);
	(void)snprintf(line, sizeof(line), "==> warning %0198d\xc3\xa4x\n", 0);
	step_scan_feed(&scan, line, strlen(line), on_found, &found);
	(void)snprintf(want, sizeof(want), "{%0198d\xc3\xa4}", 0);
	assert_string_equal(found.text, want);
	found.text[0] = '\0';
	(void)snprintf(line, sizeof(line), "==> warning %0199d\xc3\xa4\n", 0);
	step_scan_feed(&scan, line, strlen(line), on_found, &found);
	(void)snprintf(want, sizeof(want), "{%0199d}", 0);
	assert_string_equal(found.text, want);
	found.text[0] = '\0';
	(void)snprintf(line, sizeof(line), "==> warning %0190d correct horse, battery staple\n", 0);
	step_scan_feed(&scan, line, strlen(line), on_found, &found);
	(void)snprintf(want, sizeof(want), "{%0190d ***}", 0);
	assert_string_equal(found.text, want);
	buf_done(&scan.safe);
	redact_free(secrets);
}

/* What is longer than a line's room may end in the half of one. */
TEST(a_step_that_is_too_long_shows_no_half_of_a_secret)
{
	static char password[REDACT_VALUE_MAX + 1], line[16 * REDACT_VALUE_MAX];
	static struct step_scan scan;
	struct redact *secrets = redact_new();
	struct found found = { 0 };
	size_t len = 0;

	memset(password, 'q', REDACT_VALUE_MAX);
	assert_true(redact_add(secrets, password, NULL));
	step_scan_init(&scan, secrets);
	for (int i = 0; i < 5; i++)
		len += (size_t)snprintf(
		    line + len, sizeof(line) - len, "%s%s ", i == 0 ? "==> " : "", password);
	line[len++] = '\n';
	step_scan_feed(&scan, line, len, on_found, &found);
	assert_string_equal(found.text, "[*** *** ***]");
	buf_done(&scan.safe);
	redact_free(secrets);
}
