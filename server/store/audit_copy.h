/* audit_copy.h - the entries that somebody keeps outside: what the log is compared with.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * They come as a witness's objects, each `<first>-<last>-<16 digits of the head>.jsonl`, or as
 * another copy of the log.  Only lines that are what they say count: an object that does not fit
 * to its name is a finding, and none of it counts.  Of two that hold one number the older counts;
 * where nobody says which one that is, as in a folder, and they differ, none does.
 *
 * Memory: 40 bytes an entry.  The lines stand in a file without a name in TMPDIR.
 */
#pragma once

#include "lib/base.h"
#include "store/audit_chain.h"

#define AUDIT_OBJECT_MAX (INT64_C(4) << 20) /* bytes */
#define AUDIT_OBJECTS_MAX 4000000

enum audit_severity_found { FOUND_NOTE, FOUND_WITNESS, FOUND_LOG };

/* what is found, and whether it is wrong with the witness or with the log */
#define AUDIT_FOUNDS(F) \
	F(CHANGED,      LOG) \
	F(FOREIGN,      LOG)     /* several, sound behind each other: another chain's */ \
	F(REWRITTEN,    LOG)     /* several; the first follows the log's line before it */ \
	F(REHASHED,     LOG)     /* its content is there: number, prev or hash are others */ \
	F(REMOVED,      LOG) \
	F(INSERTED,     LOG) \
	F(MOVED,        LOG) \
	F(CUT_FRONT,    LOG) \
	F(CUT_END,      LOG) \
	F(UNLINKED,     LOG)     /* no witness has it, and the chain is broken there */ \
	F(UNENDED,      LOG)     /* the last line lacks its newline */ \
	F(FILE_NAME,    LOG) \
	F(HEAD_MISSING, LOG) \
	F(STAMP_MOVED,  LOG)     /* a day's timestamp is of another entry than its last */ \
	F(REMOVAL_FALSE, LOG)    /* an entry says what AUDIT_KEEP_DAYS cannot have removed */ \
	F(COPY_BAD,     WITNESS) \
	F(COPY_UNLINKED, WITNESS) \
	F(COPY_GAP,     WITNESS) \
	F(COPY_DIFFERS, WITNESS) /* two objects have one number, with another line */ \
	F(CUT_BY_RULE,  NOTE)    /* AUDIT_KEEP_DAYS removed its beginning, as an entry says */ \
	F(COPY_TWICE,   NOTE)    /* two objects have one number, with the same line */ \
	F(COPY_VERSION, WITNESS) /* a name has a second version with other content */ \
	F(COPY_AGAIN,   NOTE)    /* a name has a second version with the same content */ \
	F(COPY_DELETED, WITNESS) /* a delete marker */ \
	F(COPY_UNLOCKED, WITNESS) \
	F(COPY_LATE,    NOTE)    /* it begins behind the first entry */ \
	F(COPY_IGNORED, NOTE)    /* a file that is no object */

enum audit_found {
#define F(name, severity) FOUND_##name,
	AUDIT_FOUNDS(F)
#undef F
	FOUND_COUNT
};

enum audit_severity_found audit_found_severity(enum audit_found what);

struct audit_finding {
	enum audit_found what;
	int64_t first, last; /* entries; 0: none */
	const char *file;    /* of the log; NULL: nowhere */
	int64_t line;
	const char *source; /* of the witness; NULL: none */
	int64_t at;	    /* wall ms since when it has that; 0: nobody says */
	const char *other;  /* a second one */
	int64_t other_at;
	const char *detail; /* NULL: none */
};

/* Everything borrowed for the call alone. */
typedef void audit_found_fn(void *ctx, const struct audit_finding *finding);

struct audit_copy;

/* found is called from all that follows. */
struct audit_copy *audit_copy_new(audit_found_fn *found, void *ctx, struct err *err) MUST_USE;
void audit_copy_free(struct audit_copy *copy); /* takes NULL */
DEFINE_FREEP(struct audit_copy, audit_copy_free)

/* Is this the last part of an object's name? */
bool audit_copy_is_object(const char *name);

/* at: wall ms when it arrived there, 0: nobody says.  False: no disk. */
bool audit_copy_add_object(struct audit_copy *copy, const char *name, int64_t at, const char *text,
    size_t size, struct err *err) MUST_USE;

/* Another copy of the log, with its closed files. */
bool audit_copy_add_log(struct audit_copy *copy, const char *path, struct err *err) MUST_USE;

/* All is there: orders it, and looks how the objects stand to each other. */
bool audit_copy_finish(struct audit_copy *copy, struct err *err) MUST_USE;

/* --- behind audit_copy_finish --- */

struct audit_copy_entry {
	int64_t seq;
	int64_t offset;
	uint8_t digest[16]; /* of the line, the first half of its SHA-256 */
	uint32_t source;
	uint16_t size;
	bool is_found; /* the comparison's */
	bool is_undecided; /* another object has another one: neither counts */
};

/* Rising by number. */
struct audit_copy_entry *audit_copy_entries(const struct audit_copy *copy, size_t *ret_n);
struct audit_copy_entry *audit_copy_find(const struct audit_copy *copy, int64_t seq);
const char *audit_copy_source(
    const struct audit_copy *copy, const struct audit_copy_entry *entry, int64_t *ret_at);
size_t audit_copy_objects(const struct audit_copy *copy);

/* Its line, without a newline. */
bool audit_copy_text(const struct audit_copy *copy, const struct audit_copy_entry *entry,
    char out[AUDIT_LINE_MAX], struct err *err) MUST_USE;
