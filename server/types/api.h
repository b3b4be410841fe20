/* api.h - a request to /v1, as the same that is typed or pressed in a chat.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/hook.h"
#include "types/job.h"
#include "types/request.h"
#include "types/update.h"

enum api_operation {
#define API(name, ...) API_##name,
#include "types/api.def"
	API_OPERATION_COUNT
};

enum api_behind {
	API_NONE, API_TARGET, API_NUMBER, API_PLACE, API_WORD, API_PEER, API_NAME, API_ENV,
	API_SINCE, API_SPAN, API_DAYS, API_LIST
};

struct api_row {
	const char *method;
	const char *path;
	enum api_behind behind;
	size_t body_max; /* bytes; 0: it has none */
	const char *types[2]; /* of the body, and NULL; NULL: it has none */
	const char *help;
};

extern const struct api_row api_rows[API_OPERATION_COUNT];

/* It changes something, and has a body. */
bool api_is_post(enum api_operation operation);

#define API_WORDS_MAX  64 /* behind a command */
#define API_REASON_MAX 200
#define API_CODE       7 /* six digits and the NUL */
#define API_RECOVERY   64
#define API_ARGUMENT   41 /* bytes: of a token, its role, its last day */
#define API_REF_MAX    240 /* bytes of a ref, and of a commit */
#define API_SHOWN      33 /* 32 hex digits and the NUL; so is an instance */
#define API_LOGIN      33 /* the same of a code that opens a session */
#define API_INIT_DATA  8192 /* bytes */
/* Of an upload, whose body is the archive: its name, and what a body has as "code" and "shown". */
#define API_FILE_HEADER	 "Deploybot-File"
#define API_CODE_HEADER	 "Deploybot-Code"
#define API_SHOWN_HEADER "Deploybot-Shown"

struct api_request {
	enum api_operation operation;
	struct update from;	     /* who; text: of a command, as it is typed in a chat */
	struct request request;	     /* of all others: target, work/12, answer=yes */
	char reason[API_REASON_MAX]; /* COMMAND: why in a freeze; SECRET: what for; "": none */
	char code[API_CODE];	     /* a POST: of the second factor of who asks; "": none */
	char first[API_CODE];	     /* FACTOR: the first code of a new one; "": none */
	char shown[API_SHOWN];	     /* ANSWER: of the question that was read; "": none */
	char recovery[API_RECOVERY]; /* FACTOR: a recovery code as it is typed, in the place of
				      * `code` or to recover with; "": none */
	int64_t offset;		     /* LOG: bytes; NEWS: a number; AUDIT: an entry */
	char instance[API_SHOWN];    /* NEWS: whose number that is; "": none is said */
	char *init_data; /* SESSION: as Telegram has signed it; owned, wiped once it is checked */
	bool is_kept;	 /* LOAN: the loop has what was lent */
	bool is_crowded; /* SECRET: the loop has no room for another value of that workflow's */
	bool is_network; /* from.token says who; else, over LOCAL_SOCKET, from.person does */
	char client[48]; /* is_network: the address that it came from */
	char key[HOOK_KEY_MAX + 1]; /* a POST, but of a job: its Idempotency-Key; "": none */
	uint8_t digest[32];	    /* of method, path and body */
	struct update_file file;    /* UPLOAD: id is its SHA-256 */
	struct job *job; /* owned; not NULL: a job of a workflow asks, whose token was checked */
};

/* Reads the path and the body (NULL: none) of a request; false, *err says what is wrong with it. */
bool api_read(enum api_operation operation, const char *path, const char *body, size_t size,
    struct api_request *ret, struct err *err) MUST_USE;
