/* cli_code.c - asks the running server; where that needs a code of the second factor, asks for it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_code.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/totp.h"
#include "types/limits.h"

#define NEEDS_CODE 428
#define FACTORS	   "/v1/2fa/"
#define ROUNDS	   3 /* of a question that changes while its code is typed */

static bool
read_line(const char *prompt, char line[64])
{
	(void)fputs(prompt, stderr);
	if (fgets(line, 64, stdin) == NULL)
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

bool
cli_code_read(const char *prompt, char ret[CLI_CODE])
{
	char line[64];

	return read_line(prompt, line) && totp_is_code(line) && text_copy(ret, CLI_CODE, line);
}

/* ", "code": …" of what is typed; what is about factors takes a recovery code, too. */
static bool
put_code(const char *target, struct buf *out)
{
	char line[64], text[TOTP_RECOVERY_TEXT];
	uint8_t recovery[TOTP_RECOVERY];
	bool is_code, is_recovery;

	if (!read_line("Code of your second factor: ", line))
		return false;
	is_code = totp_is_code(line);
	is_recovery =
	    !is_code && text_starts(target, FACTORS) && totp_recovery_parse(line, recovery);
	if (is_recovery)
		totp_recovery_text(recovery, text);
	if (is_code || is_recovery)
		buf_addf(
		    out, ", \"%s\": \"%s\"", is_code ? "code" : "recovery", is_code ? line : text);
	crypto_wipe(line, sizeof(line));
	crypto_wipe(text, sizeof(text));
	crypto_wipe(recovery, sizeof(recovery));
	return is_code || is_recovery;
}

static bool
close_body(const char *shown, struct buf *out, struct err *err)
{
	if (shown != NULL)
		buf_addf(out, ", \"shown\": \"%s\"", shown);
	buf_addf(out, "}");
	return buf_check(out, err);
}

/* The body with a code typed behind all else of it, for the question that the answer shows. */
static bool
add_code(const char *target, const char *body, const struct json *answer, struct buf *out,
    struct err *err)
{
	const char *question = json_get_str(answer, "question");

	if (question != NULL)
		(void)fprintf(stderr, "%s\n", question);
	buf_add(out, body, strlen(body) - 1);
	if (!put_code(target, out))
		return err_set(err, ERR_INVALID, "no code was given: expected six digits");
	return close_body(json_get_str(answer, "shown"), out, err);
}

static bool
ask_with_code(const struct cli_api *api, const char *target, const char *body,
    struct cli_answer *ret, struct err *err)
{
	CLEANUP(buf_wipe) struct buf with_code = buf_make(LIMIT_TEXT_IN * 8);
	bool ok;

	ok = add_code(target, body, ret->json, &with_code, err);
	cli_answer_done(ret);
	return ok && cli_api_ask(api, target, buf_text(&with_code), ret, err);
}

bool
cli_code_ask(const struct cli_api *api, const char *target, const char *body, const char *shown,
    struct cli_answer *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf first = buf_make(LIMIT_TEXT_IN * 8);

	buf_add(&first, body, strlen(body) - 1);
	if (!close_body(shown, &first, err) ||
	    !cli_api_ask(api, target, buf_text(&first), ret, err))
		return false;
	for (int i = 0; ret->status == NEEDS_CODE && i < ROUNDS && isatty(STDIN_FILENO) == 1; i++) {
		if (i > 0)
			(void)fputs("It has changed meanwhile; no code was used:\n", stderr);
		if (!ask_with_code(api, target, body, ret, err))
			return false;
	}
	return true;
}
