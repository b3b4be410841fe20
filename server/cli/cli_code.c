/* cli_code.c - asks the running server; where that needs a code of the second factor, asks for it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_code.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/totp.h"
#include "types/limits.h"

#define NEEDS_CODE 428
#define ROUNDS	   3 /* of a question that changes while its code is typed */

bool
cli_code_read(const char *prompt, char ret[CLI_CODE])
{
	char line[64];

	(void)fputs(prompt, stderr);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return totp_is_code(line) && text_copy(ret, CLI_CODE, line);
}

/* The body with a code typed behind all else of it, for the question that the answer shows. */
static bool
add_code(const char *body, const struct json *answer, struct buf *out, struct err *err)
{
	const char *question = json_get_str(answer, "question");
	const char *shown = json_get_str(answer, "shown");
	char code[CLI_CODE];

	if (question != NULL)
		(void)fprintf(stderr, "%s\n", question);
	if (!cli_code_read("Code of your second factor: ", code))
		return err_set(err, ERR_INVALID, "no code was given: expected six digits");
	buf_add(out, body, strlen(body) - 1);
	buf_addf(out, ", \"code\": \"%s\"", code);
	if (shown != NULL)
		buf_addf(out, ", \"shown\": \"%s\"", shown);
	buf_addf(out, "}");
	return buf_check(out, err);
}

static bool
ask_with_code(const struct cli_api *api, const char *target, const char *body,
    struct cli_answer *ret, struct err *err)
{
	CLEANUP(buf_wipe) struct buf with_code = buf_make(LIMIT_TEXT_IN * 8);
	bool ok;

	ok = add_code(body, ret->json, &with_code, err);
	cli_answer_done(ret);
	return ok && cli_api_ask(api, target, buf_text(&with_code), ret, err);
}

bool
cli_code_ask(const struct cli_api *api, const char *target, const char *body,
    struct cli_answer *ret, struct err *err)
{
	if (!cli_api_ask(api, target, body, ret, err))
		return false;
	for (int i = 0; ret->status == NEEDS_CODE && i < ROUNDS && isatty(STDIN_FILENO) == 1; i++) {
		if (i > 0)
			(void)fputs("It has changed meanwhile; no code was used:\n", stderr);
		if (!ask_with_code(api, target, body, ret, err))
			return false;
	}
	return true;
}
