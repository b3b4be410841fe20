/* cli_port.h - a GET of the running server's own port, answered at once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct err;
struct settings;

#define CLI_PORT_ANSWER 2048

/*
 * Asks whoever listens at LISTEN_ADDRESS and API_SERVER_PORT, with 3 s for each step.  header: one
 * line without its end, or NULL.  answer gets status line, headers and body, cut behind
 * CLI_PORT_ANSWER bytes and ended with NUL.  False: nobody listens there, or it does not answer.
 */
bool cli_port_get(const struct settings *settings, const char *path, const char *header,
    char answer[CLI_PORT_ANSWER + 1], struct err *err) MUST_USE;

/* Has the answer that header? */
bool cli_port_has_header(const char *answer, const char *name);

/* The body of an answer of status 200; NULL: it is another one. */
const char *cli_port_body(const char *answer);

/* "deploybot NAME" and a newline, which is drawn at each start, of the server that listens there;
 * false: it does not say which it is, so it is another program, or of another version. */
bool cli_port_instance(
    const struct settings *settings, char answer[CLI_PORT_ANSWER + 1], struct err *err) MUST_USE;
