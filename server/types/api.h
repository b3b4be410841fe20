/* api.h - a request to /v1, as the same that is typed or pressed in a chat.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/request.h"
#include "types/update.h"

enum api_operation {
#define API(name, ...) API_##name,
#include "types/api.def"
	API_OPERATION_COUNT
};

enum api_behind { API_TARGET, API_NUMBER, API_PLACE, API_WORD };

struct api_row {
	const char *method;
	const char *path;
	enum api_behind behind;
	const char *help;
};

extern const struct api_row api_rows[API_OPERATION_COUNT];

/* It changes something, and has a body. */
bool api_is_post(enum api_operation operation);

#define API_WORDS_MAX  64 /* behind a command */
#define API_REASON_MAX 200

struct api_request {
	enum api_operation operation;
	struct update from;	     /* who; text: of a command, as it is typed in a chat */
	struct request request;	     /* of all others: target, work/12, answer=yes */
	char reason[API_REASON_MAX]; /* COMMAND: why in a freeze; "": none */
	int64_t offset;		     /* LOG: bytes */
};

/* Reads the path and the body (NULL: none) of a request; false, *err says what is wrong with it. */
bool api_read(enum api_operation operation, const char *path, const char *body, size_t size,
    struct api_request *ret, struct err *err) MUST_USE;
