/* audit_copy.c - gathers what a witness has, and checks it by itself.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/audit_field.h"
#include "store/audit_lines.h"

#define HEAD_DIGITS (LIMIT_AUDIT_HEAD - 1)
#define SUFFIX	    ".jsonl"

struct source {
	char *name;
	int64_t at;
};

struct audit_copy {
	audit_found_fn *found;
	void *ctx;
	FILE *spool;
	int64_t spooled;
	struct source *sources;
	size_t n_sources, room_sources;
	struct audit_copy_entry *entries;
	size_t n, room;
};

enum audit_severity_found
audit_found_severity(enum audit_found what)
{
	static const enum audit_severity_found severities[] = {
#define F(name, severity) [FOUND_##name] = FOUND_##severity,
		AUDIT_FOUNDS(F)
#undef F
	};

	return severities[what];
}

/* --- life --- */

static FILE *
open_spool(struct err *err)
{
	const char *folder = getenv("TMPDIR");
	CLEANUP(file_closep) int fd = -1;
	FILE *file;

	if (folder == NULL || folder[0] == '\0')
		folder = "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	file = fd < 0 ? NULL : fdopen(fd, "w+");
	if (file == NULL)
		return ERR_NULL(err_errno(
		    err, ERR_IO, errno, "a file for the witness's lines in %s (TMPDIR)", folder));
	(void)TAKE_FD(fd); /* the stream has it */
	return file;
}

struct audit_copy *
audit_copy_new(audit_found_fn *found, void *ctx, struct err *err)
{
	CLEANUP(freep) struct audit_copy *copy = mem_new(1, sizeof(*copy));

	copy->found = found;
	copy->ctx = ctx;
	copy->spool = open_spool(err);
	return copy->spool == NULL ? NULL : TAKE(copy);
}

void
audit_copy_free(struct audit_copy *copy)
{
	if (copy == NULL)
		return;
	for (size_t i = 0; i < copy->n_sources; i++)
		free(copy->sources[i].name);
	free(copy->sources);
	free(copy->entries);
	(void)fclose(copy->spool);
	free(copy);
}

/* --- adding --- */

static bool
add_source(struct audit_copy *copy, const char *name, int64_t at, struct err *err)
{
	if (copy->n_sources >= AUDIT_OBJECTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d objects", AUDIT_OBJECTS_MAX);
	array_reserve(
	    &copy->sources, copy->n_sources, &copy->room_sources, 64, sizeof(*copy->sources));
	copy->sources[copy->n_sources++] = (struct source){ .name = mem_text(name), .at = at };
	return true;
}

/* Of the newest source. */
static bool
add_line(struct audit_copy *copy, int64_t seq, const char *text, size_t size, struct err *err)
{
	struct audit_copy_entry *entry;
	uint8_t digest[CRYPTO_SHA256_SIZE];

	array_reserve(&copy->entries, copy->n, &copy->room, 1024, sizeof(*copy->entries));
	if (!crypto_sha256(text, size, digest, err))
		return false;
	if (fwrite(text, 1, size, copy->spool) != size)
		return err_errno(err, ERR_IO, errno, "keeping the witness's lines in TMPDIR");
	entry = &copy->entries[copy->n++];
	*entry = (struct audit_copy_entry){ .seq = seq,
		.offset = copy->spooled,
		.source = (uint32_t)(copy->n_sources - 1),
		.size = (uint16_t)size };
	memcpy(entry->digest, digest, sizeof(entry->digest));
	copy->spooled += (int64_t)size;
	return true;
}

static void
tell_bad(struct audit_copy *copy, const char *name, int64_t at, const char *detail)
{
	const struct audit_finding finding = {
		.what = FOUND_COPY_BAD, .source = name, .at = at, .detail = detail
	};

	copy->found(copy->ctx, &finding);
}

/* --- objects --- */

struct object_name {
	int64_t first, last;
	char head[LIMIT_AUDIT_HEAD];
};

static bool
read_number(const char **at, char end, int64_t *ret)
{
	char digits[24];
	size_t size = strspn(*at, "0123456789");

	if (size == 0 || size >= sizeof(digits) || (*at)[size] != end)
		return false;
	memcpy(digits, *at, size);
	digits[size] = '\0';
	*at += size + 1;
	return text_to_i64(digits, 1, AUDIT_INTEGER_MAX, ret, NULL);
}

static bool
read_name(const char *name, struct object_name *ret)
{
	const char *at = strrchr(name, '/');

	at = at == NULL ? name : at + 1;
	if (!read_number(&at, '-', &ret->first) || !read_number(&at, '-', &ret->last) ||
	    ret->last < ret->first || strspn(at, "0123456789abcdef") != HEAD_DIGITS ||
	    strcmp(at + HEAD_DIGITS, SUFFIX) != 0)
		return false;
	memcpy(ret->head, at, HEAD_DIGITS);
	ret->head[HEAD_DIGITS] = '\0';
	return true;
}

bool
audit_copy_is_object(const char *name)
{
	struct object_name parts;

	return read_name(name, &parts);
}

/* The line at *at, which moves behind it; 0: it lacks its newline. */
static size_t
take_line(const char **at, const char *end, const char **ret)
{
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));

	if (newline == NULL)
		return 0;
	*ret = *at;
	*at = newline + 1;
	return (size_t)(newline - *ret);
}

/* Its lines by themselves, then against its name.  False: why. */
static bool
check_object(const struct object_name *name, const char *text, size_t size, struct err *why)
{
	const char *at = text, *end = text + size, *line;
	struct audit_claim first;
	struct audit_chain chain;
	char head[LIMIT_AUDIT_HEAD];
	size_t n = size == 0 ? 0 : take_line(&at, end, &line);

	if (n == 0 || !audit_chain_read(line, n, &first, why))
		return err_set(why, ERR_INVALID, "its first line is no audit line");
	chain = (struct audit_chain){ .seq = first.is.seq - 1 };
	memcpy(chain.hash, first.prev, sizeof(chain.hash));
	for (at = text; at < end;) {
		n = take_line(&at, end, &line);
		if (n == 0)
			return err_set(why, ERR_INVALID, "it is cut off within a line");
		if (!audit_chain_check(&chain, line, n, why))
			return false;
	}
	audit_chain_short(&chain, head);
	if (first.is.seq != name->first || chain.seq != name->last)
		return err_set(why, ERR_INVALID, "it holds entries %" PRId64 " to %" PRId64,
		    first.is.seq, chain.seq);
	return strcmp(head, name->head) == 0 ||
	    err_set(why, ERR_INVALID, "the hash of its last line begins with %s", head);
}

bool
audit_copy_add_object(struct audit_copy *copy, const char *name, int64_t at, const char *text,
    size_t size, struct err *err)
{
	const char *next = text, *line = text;
	struct object_name parts;
	struct err why = { 0 };
	size_t n;

	if (!read_name(name, &parts)) {
		tell_bad(copy, name, at, "its name is none of a witness's object");
		return true;
	}
	if (!check_object(&parts, text, size, &why)) {
		tell_bad(copy, name, at, why.text);
		return true;
	}
	if (!add_source(copy, name, at, err))
		return false;
	for (int64_t seq = parts.first; seq <= parts.last; seq++) {
		n = take_line(&next, text + size, &line);
		if (!add_line(copy, seq, line, n, err))
			return false;
	}
	return true;
}

/* --- another copy of the log --- */

static void
tell_bad_line(struct audit_copy *copy, const struct audit_lines *lines, const char *detail)
{
	char where[PATH_MAX + 32];

	(void)snprintf(where, sizeof(where), "%s line %" PRId64, lines->name, lines->number);
	tell_bad(copy, where, 0, detail);
}

/* A line that is what it says counts, also behind one that is not. */
static bool
add_log_line(struct audit_copy *copy, const struct audit_lines *lines, struct audit_chain *chain,
    struct err *err)
{
	struct audit_claim claim;
	bool is_first = chain->seq == 0;

	if (!audit_chain_read(lines->line, lines->size, &claim, NULL)) {
		tell_bad_line(copy, lines, "it is no audit line");
		return true;
	}
	if (memcmp(claim.hash, claim.is.hash, AUDIT_HASH) != 0) {
		tell_bad_line(copy, lines, "its hash is not that of what it says");
		return true;
	}
	if (!is_first && claim.is.seq == chain->seq + 1 &&
	    memcmp(claim.prev, chain->hash, AUDIT_HASH) != 0)
		tell_bad_line(copy, lines, "it does not follow the one before it");
	else if (!is_first && claim.is.seq <= chain->seq)
		tell_bad_line(copy, lines, "it stands behind a later entry");
	*chain = claim.is;
	return add_line(copy, claim.is.seq, lines->line, lines->size, err);
}

bool
audit_copy_add_log(struct audit_copy *copy, const char *path, struct err *err)
{
	CLEANUP(freep) struct audit_lines *lines = mem_new(1, sizeof(*lines));
	struct audit_chain chain = { 0 };
	enum audit_lines_next next = AUDIT_LINES_FAILED;
	bool ok;

	ok = add_source(copy, path, 0, err) && audit_lines_open(lines, path, err);
	while (ok && (next = audit_lines_next(lines, err)) < AUDIT_LINES_END) {
		if (next == AUDIT_LINES_LINE)
			ok = add_log_line(copy, lines, &chain, err);
		else
			tell_bad_line(copy, lines,
			    next == AUDIT_LINES_LONG ? "it is too long" : "it is cut off");
	}
	ok = ok && next == AUDIT_LINES_END;
	audit_lines_close(lines);
	return ok;
}

/* --- how they stand to each other --- */

static int
compare_sources(const struct source *a, const struct source *b)
{
	if (a->at != b->at && a->at != 0 && b->at != 0)
		return a->at < b->at ? -1 : 1;
	return (a > b) - (a < b);
}

static int
compare_entries(const void *a, const void *b, void *ctx)
{
	const struct audit_copy_entry *left = a, *right = b;
	const struct audit_copy *copy = ctx;

	if (left->seq != right->seq)
		return left->seq < right->seq ? -1 : 1;
	if (left->source != right->source)
		return compare_sources(&copy->sources[left->source], &copy->sources[right->source]);
	return (left->offset > right->offset) - (left->offset < right->offset);
}

/* Numbers of one kind, of the same two sources. */
struct overlap {
	enum audit_found what;
	uint32_t kept, other;
	int64_t first, last; /* 0: none yet */
};

static void
flush_overlap(struct audit_copy *copy, struct overlap *overlap)
{
	const struct audit_finding finding = {
		.what = overlap->what,
		.first = overlap->first,
		.last = overlap->last,
		.source = copy->sources[overlap->kept].name,
		.at = copy->sources[overlap->kept].at,
		.other = copy->sources[overlap->other].name,
		.other_at = copy->sources[overlap->other].at,
	};

	if (overlap->last != 0)
		copy->found(copy->ctx, &finding);
	overlap->last = 0;
}

static void
note_overlap(struct audit_copy *copy, struct overlap *overlap, const struct audit_copy_entry *kept,
    const struct audit_copy_entry *other)
{
	enum audit_found what = memcmp(kept->digest, other->digest, sizeof(kept->digest)) == 0 ?
	    FOUND_COPY_TWICE :
	    FOUND_COPY_DIFFERS;

	if (overlap->last != kept->seq - 1 || overlap->what != what ||
	    overlap->kept != kept->source || overlap->other != other->source) {
		flush_overlap(copy, overlap);
		*overlap = (struct overlap){ .what = what,
			.kept = kept->source,
			.other = other->source,
			.first = kept->seq };
	}
	overlap->last = kept->seq;
}

/* Nothing says which of two objects is the older one: a name proves no time. */
static bool
is_undecided(const struct audit_copy *copy, const struct audit_copy_entry *kept,
    const struct audit_copy_entry *other)
{
	return memcmp(kept->digest, other->digest, sizeof(kept->digest)) != 0 &&
	    (copy->sources[kept->source].at == 0 || copy->sources[other->source].at == 0);
}

/* Of each number the first one stays, and none where it is not known which one was first. */
static void
drop_doubled(struct audit_copy *copy)
{
	struct overlap overlap = { 0 };
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < copy->n; i++) {
		struct audit_copy_entry *last = n == 0 ? NULL : &copy->entries[n - 1];

		if (last == NULL || last->seq != copy->entries[i].seq) {
			copy->entries[n++] = copy->entries[i];
			continue;
		}
		note_overlap(copy, &overlap, last, &copy->entries[i]);
		last->is_undecided |= is_undecided(copy, last, &copy->entries[i]);
	}
	if (copy->n > 0)
		flush_overlap(copy, &overlap);
	for (size_t i = 0; i < n; i++)
		if (!copy->entries[i].is_undecided)
			copy->entries[kept++] = copy->entries[i];
	copy->n = kept;
}

static bool
claim_of(struct audit_copy *copy, const struct audit_copy_entry *entry, struct audit_claim *ret,
    struct err *err)
{
	char line[AUDIT_LINE_MAX];

	return audit_copy_text(copy, entry, line, err) &&
	    audit_chain_read(line, entry->size, ret, err);
}

/* Two neighbours of which each came with its own. */
static bool
check_link(struct audit_copy *copy, const struct audit_copy_entry *before, struct err *err)
{
	const struct audit_copy_entry *entry = before + 1;
	struct audit_claim left, right;
	struct audit_finding finding = { .what = FOUND_COPY_UNLINKED,
		.first = entry->seq,
		.last = entry->seq,
		.source = copy->sources[entry->source].name,
		.at = copy->sources[entry->source].at,
		.other = copy->sources[before->source].name,
		.other_at = copy->sources[before->source].at };

	if (before->source == entry->source)
		return true;
	if (!claim_of(copy, before, &left, err) || !claim_of(copy, entry, &right, err))
		return false;
	if (memcmp(left.is.hash, right.prev, AUDIT_HASH) != 0)
		copy->found(copy->ctx, &finding);
	return true;
}

static void
tell_gap(struct audit_copy *copy, enum audit_found what, int64_t first, int64_t last)
{
	const struct audit_finding finding = { .what = what, .first = first, .last = last };

	copy->found(copy->ctx, &finding);
}

bool
audit_copy_finish(struct audit_copy *copy, struct err *err)
{
	if (fflush(copy->spool) != 0)
		return err_errno(err, ERR_IO, errno, "keeping the witness's lines in TMPDIR");
	if (copy->n > 1)
		qsort_r(copy->entries, copy->n, sizeof(copy->entries[0]), compare_entries, copy);
	drop_doubled(copy);
	if (copy->n > 0 && copy->entries[0].seq > 1)
		tell_gap(copy, FOUND_COPY_LATE, 1, copy->entries[0].seq - 1);
	for (size_t i = 0; i + 1 < copy->n; i++) {
		const struct audit_copy_entry *entry = &copy->entries[i];

		if (entry[1].seq > entry->seq + 1)
			tell_gap(copy, FOUND_COPY_GAP, entry->seq + 1, entry[1].seq - 1);
		else if (!check_link(copy, entry, err))
			return false;
	}
	return true;
}

/* --- reading --- */

struct audit_copy_entry *
audit_copy_entries(const struct audit_copy *copy, size_t *ret_n)
{
	*ret_n = copy->n;
	return copy->entries;
}

static int
compare_seq(const void *key, const void *entry)
{
	int64_t seq = *(const int64_t *)key;
	const struct audit_copy_entry *at = entry;

	return (seq > at->seq) - (seq < at->seq);
}

struct audit_copy_entry *
audit_copy_find(const struct audit_copy *copy, int64_t seq)
{
	return copy->n == 0 ?
	    NULL :
	    bsearch(&seq, copy->entries, copy->n, sizeof(copy->entries[0]), compare_seq);
}

const char *
audit_copy_source(
    const struct audit_copy *copy, const struct audit_copy_entry *entry, int64_t *ret_at)
{
	*ret_at = copy->sources[entry->source].at;
	return copy->sources[entry->source].name;
}

size_t
audit_copy_objects(const struct audit_copy *copy)
{
	return copy->n_sources;
}

bool
audit_copy_text(const struct audit_copy *copy, const struct audit_copy_entry *entry,
    char out[AUDIT_LINE_MAX], struct err *err)
{
	ssize_t got = pread(fileno(copy->spool), out, entry->size, entry->offset);

	return got == (ssize_t)entry->size ||
	    err_errno(err, ERR_IO, got < 0 ? errno : EIO, "reading the witness's lines in TMPDIR");
}
