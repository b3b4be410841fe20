/* cli_factor.c - deploybot 2fa: makes a second factor, shown once; confirms, recovers and resets it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli_code.h"
#include "cli/cli_server.h"
#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/qr.h"
#include "lib/text.h"
#include "lib/totp.h"

#define TRIES 3

/* An exit status; EX_OK: it was done, and *ret is the answer.  Where who asks has to give a code of
 * their own, that is read and sent with it. */
static int
ask(const struct cli_server *local, const char *word, const char *key, const char *code,
    struct cli_answer *ret)
{
	char target[32], body[96];
	int64_t person;
	struct err err;

	if (!text_to_i64(local->argv[0], 1, INT64_MAX, &person, NULL))
		return cli_refuse(local->cli, OPTION_COUNT, local->argv[0], NULL);
	(void)snprintf(target, sizeof(target), "/v1/2fa/%s", word);
	if (key == NULL)
		(void)snprintf(body, sizeof(body), "{\"person\": %lld}", (long long)person);
	else
		(void)snprintf(body, sizeof(body), "{\"person\": %lld, \"%s\": \"%s\"}",
		    (long long)person, key, code);
	if (!cli_code_ask(&local->api, target, body, NULL, ret, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	return ret->status < 300 ? EX_OK : cli_server_show_said(local, ret);
}

/* Nothing of it goes where it would be kept: standard output may be a file. */
static int
show_secret(const struct cli_server *local, const struct json *answer)
{
	const char *uri = json_get_str(answer, "uri"), *secret = json_get_str(answer, "secret");
	CLEANUP(buf_wipe) struct buf drawn = buf_make((size_t)1 << 20);
	struct err err;
	bool ok;

	if (uri == NULL || secret == NULL)
		return cli_server_fail(local, EX_PROTOCOL, "the server has sent no secret");
	ok = qr_terminal(uri, &drawn, &err);
	if (ok)
		(void)fprintf(stderr,
		    "%s\nOr type it into the app (time-based, SHA1, 6 digits):\n ",
		    buf_text(&drawn));
	for (size_t i = 0; ok && secret[i] != '\0'; i++)
		(void)fprintf(stderr, i % 4 == 0 ? " %c" : "%c", secret[i]);
	(void)fprintf(stderr, "\n\n");
	return ok ? EX_OK : cli_server_fail(local, EX_OSERR, err.text);
}

static int
show_recovery(const struct cli_server *local, const struct cli_answer *answer)
{
	const struct json *codes = json_get(answer->json, "recovery");
	int status = cli_server_show_said(local, answer);

	if (local->is_json)
		return status;
	(void)printf(
	    "\nRecovery codes, each for one time; they are not shown again.  Keep them where the telephone is not:\n");
	for (size_t i = 0; i < json_count(codes); i++)
		(void)printf("  %s\n", json_str(json_at(codes, i)));
	return status;
}

static int
confirm(const struct cli_server *local)
{
	int status = EX_DATAERR;

	for (int i = 0; i < TRIES && status != EX_OK; i++) {
		CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
		char code[CLI_CODE];

		if (!cli_code_read("The code that the app shows now: ", code)) {
			status = cli_server_fail(local, EX_DATAERR, "expected six digits");
			continue;
		}
		status = ask(local, "confirm", "first", code, &answer);
		if (status == EX_OK)
			return show_recovery(local, &answer);
	}
	return status;
}

int
cli_factor_add(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	int status = ask(local, "add", NULL, "", &answer);

	if (status != EX_OK)
		return status;
	status = show_secret(local, answer.json);
	return status == EX_OK ? confirm(local) : status;
}

static int
ask_for_codes(const struct cli_server *local, const char *word)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	int status = ask(local, word, NULL, "", &answer);

	return status == EX_OK ? show_recovery(local, &answer) : status;
}

/* One that its person has made in the chat. */
int
cli_factor_confirm(struct cli_server *local)
{
	return ask_for_codes(local, "confirm");
}

int
cli_factor_codes(struct cli_server *local)
{
	return ask_for_codes(local, "codes");
}

int
cli_factor_reset(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	int status = ask(local, "reset", NULL, "", &answer);

	return status == EX_OK ? cli_server_show_said(local, &answer) : status;
}

static bool
read_recovery(char ret[TOTP_RECOVERY_TEXT])
{
	uint8_t code[TOTP_RECOVERY];
	char line[64];
	bool ok;

	(void)fputs("One of the recovery codes: ", stderr);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	ok = totp_recovery_parse(line, code);
	if (ok)
		totp_recovery_text(code, ret);
	crypto_wipe(line, sizeof(line));
	crypto_wipe(code, sizeof(code));
	return ok;
}

int
cli_factor_recover(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	char code[TOTP_RECOVERY_TEXT];
	int status;

	if (!read_recovery(code))
		return cli_server_fail(
		    local, EX_DATAERR, "expected 16 letters and digits, as ABCD-EFGH-IJKL-MNOP");
	status = ask(local, "recover", "recovery", code, &answer);
	crypto_wipe(code, sizeof(code));
	return status == EX_OK ? cli_server_show_said(local, &answer) : status;
}
