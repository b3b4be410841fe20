/* cli_code.h - asks the running server; where that needs a code of the second factor, asks for it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/cli_api.h"

#define CLI_CODE 7 /* six digits and the NUL */

/* Six digits from standard input.  False: something else was typed. */
bool cli_code_read(const char *prompt, char ret[CLI_CODE]) MUST_USE;

/* cli_api_ask() with a body; shown: the question that it answers, NULL: none.  Where the answer is
 * that a code is needed (428), and somebody sits at a terminal, what it is for is shown, and it is
 * read and sent with the same; again where that has changed meanwhile. */
bool cli_code_ask(const struct cli_api *api, const char *target, const char *body,
    const char *shown, struct cli_answer *ret, struct err *err) MUST_USE;
