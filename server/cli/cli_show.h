/* cli_show.h - what /v1 answers, as lines for people.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/json.h"

/* A state of /v1 as people read it: "awaiting confirmation".  Gives out. */
#define CLI_STATE 64
const char *cli_state_words(const char *state, char out[CLI_STATE]);

/* A time of /v1 in minutes, "2026-11-21 11:42 UTC"; "" where there is none.  Gives out. */
#define CLI_AT 24
const char *cli_show_at(const struct json *object, const char *key, char out[CLI_AT]);

/* Prints an answer of that view. */
void cli_show_status(const struct json *answer);
void cli_show_history(const struct json *answer);
void cli_show_queue(const struct json *answer);
void cli_show_holds(const struct json *answer);
void cli_show_actions(const struct json *answer);
void cli_show_me(const struct json *answer);
