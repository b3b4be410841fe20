/* notify.h - NOTIFY_<NAME>_…: who else is notified of deployments, and of which words.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/url.h"
#include "types/settings.h"

#define NOTIFY_MAX	32    /* names; a metric's label has them */
#define NOTIFY_WAITING	200   /* messages of each; what comes on top is counted */
#define NOTIFY_DAY_MS	(24 * 3600 * INT64_C(1000)) /* older ones are not sent any more */
#define NOTIFY_WORD_MAX 16    /* bytes with the NUL */
#define NOTIFY_ID	33    /* 128 random bits in hex */
#define NOTIFY_TEXT	2048  /* bytes with the NUL: the first lines of a message */
#define NOTIFY_DATA	8192  /* of `work` as JSON; a webhook's body has at most 20 kB */

/* In the order of their words in settings. */
#define NOTIFY_KINDS(KIND) \
	KIND(WEBHOOK, "webhook") \
	KIND(SLACK, "slack") \
	KIND(DISCORD, "discord") \
	KIND(MATRIX, "matrix") \
	KIND(MAIL, "mail")

enum notify_kind {
#define KIND(name, word) NOTIFY_TO_##name,
	NOTIFY_KINDS(KIND)
#undef KIND
	NOTIFY_KIND_COUNT
};

enum notify_word {
#define NOTIFY(name, ...) NOTIFY_##name,
#include "types/notify.def"
	NOTIFY_WORD_COUNT,
	NOTIFY_UNSENT = NOTIFY_WORD_COUNT, /* so many more were not sent */
	NOTIFY_TEST,			   /* of the command line */
	NOTIFY_WORDS
};

const char *notify_word_text(enum notify_word word); /* "rolled-back" */

const char *notify_kind_text(enum notify_kind kind); /* "slack" */

/* A destination; borrows from its snapshot.  NULL: not set. */
struct notify {
	const char *id; /* "status-page" */
	enum notify_kind kind;
	const char *url, *secret, *secret_previous, *room, *address, *from, *what;
};

/* HOST[:PORT] of its URL, without user and password; "": it has none. */
const char *notify_place(const struct notify *to, char room[URL_PLACE]);

/* Those that have a _TO, one after the other from *at = 0 on. */
bool notify_next(const struct settings *s, size_t *at, struct notify *ret);

/* The one of that id; false: there is none (any more). */
bool notify_find(const struct settings *s, const char *id, struct notify *ret);

/* Does _WHAT, as its type has let it pass, name that word for that environment?  A pattern without
 * an application is one of any where it is *, and else of the application without a name. */
bool notify_covers(const char *what, const char *environment, enum notify_word word);

/* What came of an attempt. */
enum notify_verdict {
	NOTIFY_SENT,
	NOTIFY_LATER,	/* it may work later */
	NOTIFY_NOT_IT,	/* this message is not taken, others may be */
	NOTIFY_OFF,	/* nothing will be, before its settings change */
	NOTIFY_TOO_OLD, /* it waited for a day */
	NOTIFY_NO_NAME, /* the settings have it no more */
};

struct notify_said {
	enum notify_verdict verdict;
	int status;	     /* HTTP's or SMTP's; 0: none */
	int64_t took_ms;
	int64_t after_ms;    /* LATER: not before; 0: nothing was said of that */
	char why[LIMIT_LINE];
};
