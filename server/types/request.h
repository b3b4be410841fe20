/* request.h - what somebody wants: an action, its target, arguments; typed or pressed alike.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A button is a row that holds one of these.  Who wants it, and where the answer goes, is the
 * update's (types/update.h): a press and a typed command become the same decision.
 */
#pragma once

#include "types/limits.h"

#define REQUEST_ACTION	  24
#define REQUEST_TARGET	  LIMIT_REF /* as it was typed; a button's is shorter */
#define REQUEST_ARGUMENTS 640	    /* two values, and their keys */

struct request {
	char action[REQUEST_ACTION]; /* a word of commands.def: "deploy" */
	char target[REQUEST_TARGET]; /* "shop/staging", "shop", "work/123", "run/45"; "": none */
	char arguments[REQUEST_ARGUMENTS]; /* "ref=main\npage=2"; "": none */
	int64_t message; /* the row of the message in which it was pressed, which may be changed;
			    0: the answer is a message of its own */
};

/* An argument of this key is all that was typed behind the target. */
#define REQUEST_TEXT "text"

/* The key of what was typed, where the target was completed from that. */
#define REQUEST_TYPED "typed"

/* A request for the action on that target, a name or, with request_about(), "work" or "run" and its
 * number.  Texts that do not fit are a bug of the caller's. */
struct request request_of(const char *action, const char *target);
struct request request_about(const char *action, const char *kind, int64_t number);

/* Adds "key=value"; nothing where the value is "". */
void request_add(struct request *request, const char *key, const char *value);
void request_add_number(struct request *request, const char *key, int64_t value);

/* Takes that argument out; nothing where it has none. */
void request_drop(struct request *request, const char *key);

/* The first n words of a text, blanks between, in lower case, "" where there are none; false: there
 * are more. */
bool request_words(const char *text, size_t n, char words[][LIMIT_REF]);

/* What stands behind the first n words of a text, as it was typed. */
const char *request_behind(const char *text, size_t n);

/* The value of that argument, "" where it has none; returns out. */
const char *request_get(const struct request *request, const char *key, char out[LIMIT_REF]);
/* The same, for as long as the block in which it stands. */
#define request_text(of, key) request_get(of, key, (char[LIMIT_REF]){ "" })
/* The same as a number from 0 on; what is none is 0. */
int64_t request_get_number(const struct request *request, const char *key);

/* The number of its target where that is of this kind ("work"); 0: it is another's. */
int64_t request_number(const struct request *request, const char *kind);
