/* cli_capture.h - runs a subcommand as main() does and keeps what it printed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#define CLI_CAPTURE_ARGS 8

/* `deploybot ARGS…` (NULL-terminated, at most CLI_CAPTURE_ARGS).  Returns the exit status (77: it
 * would serve); text, of at least 8192 bytes, gets stdout and stderr. */
int cli_capture(const char *const *args, char *text);
