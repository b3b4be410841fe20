/* step_scan.h - finds `==> name` lines in output that comes in pieces.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/buf.h"
#include "lib/host_lines.h"
#include "lib/redact.h"
#include "runner/protocol.h"

#define STEP_SCAN_QUOTE 32 /* bytes of a word behind `==> quote` */
#define STEP_SCAN_LINE	(PROTOCOL_WARNING + 3 * REDACT_VALUE_MAX) /* no secret is cut in two */

/* Words of ours, by which the server decides: kept as they are, whatever a secret may be called,
 * and however many steps were said before.  A migration has begun; how it ended (behind a blank:
 * with which status); what it is rolled back to where no release is known (behind the colon). */
#define STEP_SCAN_RELEASE     "release"
#define STEP_SCAN_NO_ROLLBACK "no-rollback"
#define STEP_SCAN_MIGRATE     "migrate"
#define STEP_SCAN_DRAIN_LATER "drain-later"
#define STEP_SCAN_NOTHING_RUNS "nothing-runs"
#define STEP_SCAN_DECISIVE(S) \
	S(STEP_SCAN_RELEASE) S(STEP_SCAN_NO_ROLLBACK) S(STEP_SCAN_MIGRATE) \
	S("migrated") S("migrate-failed") S("migrate-stopped") S(STEP_SCAN_DRAIN_LATER) \
	S("previous target:") S("migrate-not-started") S(STEP_SCAN_NOTHING_RUNS)

/* "NAME failed WHY", the longest of what is said of a host. */
#define STEP_SCAN_HOST_TEXT (HOST_TEXT + sizeof(" failed ") + PROTOCOL_WARNING)

struct step_scan {
	bool has_hosts;		/* a line `==> host …` is no step */
	bool mid_line;		/* the line that we are in is not a step's */
	char quote[STEP_SCAN_QUOTE + 1];	/* others' words until this one is said; "": ours */
	struct redact *secrets; /* kept out of names */
	size_t len;
	char line[STEP_SCAN_LINE]; /* of a line that may be one; longer is cut */
	struct buf safe; /* that line without secrets; all its memory is there from the start */
};

enum step_scan_kind {
	STEP_SCAN_STEP,
	STEP_SCAN_IMAGE,	/* exactly `==> image sha256:<64 hex>`: the text is the digest */
	STEP_SCAN_WARNING,	/* `==> warning TEXT`: no step; for people, in the script's words */
	STEP_SCAN_HOST, /* `==> host NAME began`, `ok` or `failed WHY`: what is behind host */
};

typedef void step_scan_found(void *ctx, enum step_scan_kind kind, const char *text);

/* The state at the start of the output.  secrets: borrowed; NULL: known shapes alone. */
void step_scan_init(struct step_scan *scan, struct redact *secrets);

/* From within a line to the next one that begins like a step's, or to the end, which is one or is
 * within one. */
const char *step_scan_skip(const char *data, const char *end, bool *ret_mid_line);

/* Is it exactly `==> quote WORD` or `==> unquote WORD`, a CR behind it or none? */
bool step_scan_is_quote(const char *line, size_t len);

/* Which of them a step's name is, from 1; 0: none. */
size_t step_scan_decides(const char *name);

/* Calls back for each step that ends in these bytes.  Its name is without blanks at its ends,
 * control characters, escape sequences and secrets, cut to PROTOCOL_STEP_NAME bytes between
 * characters; an empty one is no step.  A warning's text is the same, cut to PROTOCOL_WARNING, and
 * so is why a host failed.  A line ends with LF or CRLF.
 *
 * From `==> quote WORD` (up to 32 letters and digits) to `==> unquote WORD` a script shows what
 * others wrote: no line of it is a step.  Who does not know WORD cannot end it, which is why no
 * log has such lines (quote_lines.h): who may read it could tell whoever wrote what is shown. */
void step_scan_feed(struct step_scan *scan, const char *data, size_t len, step_scan_found *found,
    void *ctx);
