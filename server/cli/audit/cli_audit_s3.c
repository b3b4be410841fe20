/* cli_audit_s3.c - reads every version of every object of a witness's bucket, and its locks.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "cli/audit/cli_audit_against_inside.h"
#include "cli/audit/cli_audit_s3_inside.h"
#include "clients/s3_versions.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"

#define CALLS	  8
#define TRIES	  5
#define PAUSE_MS  500 /* before the second try, then twice as long */
#define PAGE_MAX  (INT64_C(8) << 20)
#define QUERY_MAX 8192
#define NAME_SIZE 1200
#define NEEDED \
	": the auditor needs s3:ListBucketVersions, s3:GetObjectVersion and s3:GetObjectRetention"

enum lock { LOCK_NONE, LOCK_UNKNOWN, LOCK_GOVERNANCE, LOCK_COMPLIANCE, LOCK_COUNT };

/* What a version was found to be. */
struct look {
	uint8_t digest[CRYPTO_SHA256_SIZE];
	bool is_read;
};

struct lock_sum {
	size_t n;
	int64_t first, last; /* until */
};

struct fetch;

/* One of CALLS that are in progress at once. */
struct slot {
	struct fetch *fetch;
	struct s3_read_call *call;
	struct loop_timer timer;
	size_t version; /* SIZE_MAX: the list */
	bool asks_lock;
	int tries;
	char query[QUERY_MAX];
};

struct fetch {
	struct loop *loop;
	struct http_client *client;
	struct s3_auditor auditor;
	struct audit_against *against;
	struct s3_versions versions;
	struct look *looks;
	struct slot slots[CALLS];
	size_t next, n_busy, n_ignored;
	struct lock_sum locks[LOCK_COUNT];
	int64_t now;
	bool has_failed;
	struct err err;
};

static void start(struct slot *slot);
static void go_on(struct slot *slot);

/* --- one call --- */

static void
fail(struct fetch *f)
{
	f->has_failed = true;
	loop_stop(f->loop);
}

static const struct s3_version *
version_of(const struct slot *slot)
{
	return slot->version == SIZE_MAX ? NULL : &slot->fetch->versions.at[slot->version];
}

static void
name_of(const struct fetch *f, const struct s3_version *version, char out[NAME_SIZE])
{
	assert(version != NULL); /* what has none is the list */
	(void)snprintf(out, NAME_SIZE, "s3://%s/%s", f->auditor.bucket, version->key);
}

/* What was found of that version. */
static void
tell(struct fetch *f, const struct s3_version *version, struct audit_finding finding)
{
	char name[NAME_SIZE];

	name_of(f, version, name);
	finding.source = name;
	finding.at = version->at;
	cli_audit_against_print(f->against, &finding);
}

static void
tell_bad(struct fetch *f, const struct s3_version *version, const char *detail)
{
	tell(f, version, (struct audit_finding){ .what = FOUND_COPY_BAD, .detail = detail });
}

/* Too fast, or their fault: again; what else it may be is said. */
static void
refuse(struct slot *slot, const struct s3_read_answer *answer)
{
	struct fetch *f = slot->fetch;
	const struct s3_version *version = version_of(slot);
	bool may_help = answer->code != ERR_NONE || answer->status >= 500 || answer->status == 429;
	char why[240];

	if (may_help && ++slot->tries < TRIES) {
		loop_timer_start(f->loop, &slot->timer, (int64_t)PAUSE_MS << (slot->tries - 1), 0);
		return;
	}
	if (answer->code != ERR_NONE)
		(void)err_set(&f->err, answer->code, "%s", answer->text);
	else
		(void)err_set(&f->err, answer->status == 403 ? ERR_DENIED : ERR_IO,
		    "S3 answered %d %s%s", answer->status,
		    s3_error_read(answer->body, answer->body_size, why, sizeof(why)),
		    answer->status == 403 ? NEEDED : "");
	(void)err_wrap(&f->err, "%.120s", version == NULL ? f->auditor.bucket : version->key);
	fail(f);
}

static void
end_slot(struct slot *slot)
{
	struct fetch *f = slot->fetch;

	f->n_busy--;
	go_on(slot);
	if (f->n_busy == 0)
		loop_stop(f->loop);
}

static void
on_time(UNUSED struct loop_timer *timer, void *ctx)
{
	start(ctx);
}

/* --- locks --- */

static void
count_lock(struct fetch *f, enum lock lock, int64_t until)
{
	struct lock_sum *sum = &f->locks[lock];

	if (sum->n == 0 || until < sum->first)
		sum->first = until;
	if (until > sum->last)
		sum->last = until;
	sum->n++;
}

static void
take_lock(struct fetch *f, const struct s3_version *version, const struct s3_lock *lock)
{
	if (strcmp(lock->mode, "COMPLIANCE") == 0) {
		count_lock(f, LOCK_COMPLIANCE, lock->until);
	} else if (strcmp(lock->mode, "GOVERNANCE") == 0) {
		count_lock(f, LOCK_GOVERNANCE, lock->until);
	} else {
		count_lock(f, LOCK_NONE, 0);
		tell(f, version,
		    (struct audit_finding){
			.what = FOUND_COPY_UNLOCKED, .detail = "it has no lock" });
	}
}

static void
on_lock(struct slot *slot, const struct s3_read_answer *answer)
{
	struct fetch *f = slot->fetch;
	struct s3_lock lock = { 0 };
	char why[240];

	if (answer->code == ERR_NONE && answer->status == 403) {
		count_lock(f, LOCK_UNKNOWN, 0);
		end_slot(slot);
		return;
	}
	if (answer->code == ERR_NONE && answer->status == 404 &&
	    text_starts(s3_error_read(answer->body, answer->body_size, why, sizeof(why)),
		"NoSuchObjectLockConfiguration")) {
		take_lock(f, version_of(slot), &lock);
		end_slot(slot);
		return;
	}
	if (answer->code != ERR_NONE || answer->status != 200) {
		refuse(slot, answer);
		return;
	}
	if (!s3_lock_read(&lock, answer->body, answer->body_size, &f->err)) {
		fail(f);
		return;
	}
	take_lock(f, version_of(slot), &lock);
	end_slot(slot);
}

/* --- an object's version --- */

/* Of those of one name that are no delete markers. */
static bool
is_oldest(const struct fetch *f, size_t i)
{
	const char *key = f->versions.at[i].key;

	while (
	    i > 0 && f->versions.at[i - 1].is_marker && strcmp(f->versions.at[i - 1].key, key) == 0)
		i--;
	return i == 0 || strcmp(f->versions.at[i - 1].key, key) != 0;
}

/* Its lock stands in the answer where the auditor may see it. */
static void
take_headers(struct slot *slot, const struct s3_read_answer *answer)
{
	struct s3_lock lock = { 0 };

	if (answer->lock_mode == NULL || answer->lock_until == NULL ||
	    !text_copy(lock.mode, sizeof(lock.mode), answer->lock_mode) ||
	    !s3_time_read(answer->lock_until, &lock.until)) {
		slot->asks_lock = true;
		slot->tries = 0;
		start(slot);
		return;
	}
	take_lock(slot->fetch, version_of(slot), &lock);
	end_slot(slot);
}

static void
on_object(struct slot *slot, const struct s3_read_answer *answer)
{
	struct fetch *f = slot->fetch;
	const struct s3_version *version = version_of(slot);
	struct look *look = &f->looks[slot->version];
	char name[NAME_SIZE];

	if (answer->code == ERR_LIMIT) {
		tell_bad(f, version, "it is too large for an object of a witness");
		end_slot(slot);
		return;
	}
	if (answer->code == ERR_NONE && answer->status == 404) {
		tell_bad(f, version, "its version was listed and is gone");
		end_slot(slot);
		return;
	}
	if (answer->code != ERR_NONE || answer->status != 200) {
		refuse(slot, answer);
		return;
	}
	name_of(f, version, name);
	if (answer->version != NULL && strcmp(answer->version, version->version) != 0) {
		(void)err_set(&f->err, ERR_INVALID, "%.160s: S3 sent another version", name);
		fail(f);
		return;
	}
	look->is_read = true;
	if (!crypto_sha256(answer->body, answer->body_size, look->digest, &f->err) ||
	    (is_oldest(f, slot->version) &&
		!audit_copy_add_object(f->against->copy, name, version->at, answer->body,
		    answer->body_size, &f->err))) {
		fail(f);
		return;
	}
	take_headers(slot, answer);
}

/* --- the list --- */

static void
on_list(struct slot *slot, const struct s3_read_answer *answer)
{
	struct fetch *f = slot->fetch;

	if (answer->code != ERR_NONE || answer->status != 200) {
		refuse(slot, answer);
		return;
	}
	if (!s3_versions_read(&f->versions, answer->body, answer->body_size, &f->err)) {
		(void)err_wrap(&f->err, "the list of %s", f->auditor.bucket);
		fail(f);
		return;
	}
	slot->tries = 0;
	if (f->versions.is_truncated)
		start(slot);
	else
		loop_stop(f->loop);
}

/* --- asking --- */

static void
on_answer(void *ctx, const struct s3_read_answer *answer)
{
	struct slot *slot = ctx;

	slot->call = NULL;
	if (slot->fetch->has_failed)
		return;
	if (slot->version == SIZE_MAX)
		on_list(slot, answer);
	else if (slot->asks_lock)
		on_lock(slot, answer);
	else
		on_object(slot, answer);
}

static void
add_parameter(struct buf *query, const char *name, const char *value)
{
	buf_addf(query, "%s%s=", query->size == 0 ? "" : "&", name);
	sigv4_encode(query, value, false);
}

static bool
write_query(struct slot *slot, struct err *err)
{
	struct fetch *f = slot->fetch;
	const struct s3_version *version = version_of(slot);
	CLEANUP(buf_done) struct buf query = buf_make(sizeof(slot->query) - 1);
	bool ok;

	if (version == NULL) {
		if (f->versions.is_truncated) {
			add_parameter(&query, "key-marker", f->versions.next_key);
			if (f->versions.next_version[0] != '\0')
				add_parameter(
				    &query, "version-id-marker", f->versions.next_version);
		}
		if (f->auditor.prefix[0] != '\0')
			add_parameter(&query, "prefix", f->auditor.prefix);
		add_parameter(&query, "versions", "");
	} else {
		if (slot->asks_lock)
			add_parameter(&query, "retention", "");
		add_parameter(&query, "versionId", version->version);
	}
	ok = buf_check(&query, err);
	(void)text_copy(slot->query, sizeof(slot->query), buf_text(&query));
	return ok;
}

static void
start(struct slot *slot)
{
	struct fetch *f = slot->fetch;
	const struct s3_version *version = version_of(slot);

	if (f->has_failed)
		return;
	if (write_query(slot, &f->err))
		slot->call = s3_read_start(f->client,
		    &(struct s3_read){ .place = &f->auditor.place,
			.key = version == NULL ? NULL : version->key,
			.query = slot->query,
			.answer_max = version == NULL ? PAGE_MAX : AUDIT_OBJECT_MAX,
			.on_done = on_answer,
			.ctx = slot },
		    &f->err);
	if (slot->call == NULL)
		fail(f);
}

/* The next version that is an object's. */
static void
go_on(struct slot *slot)
{
	struct fetch *f = slot->fetch;

	for (; f->next < f->versions.n && !f->has_failed; f->next++) {
		const struct s3_version *version = &f->versions.at[f->next];

		if (version->is_marker || !audit_copy_is_object(version->key))
			continue;
		slot->version = f->next++;
		slot->asks_lock = false;
		slot->tries = 0;
		f->n_busy++;
		start(slot);
		return;
	}
}

/* --- all of it --- */

static bool
list(struct fetch *f)
{
	f->slots[0].version = SIZE_MAX;
	start(&f->slots[0]);
	if (!f->has_failed)
		loop_run(f->loop);
	return !f->has_failed;
}

/* Two servers' objects are two chains. */
static bool
check_servers(struct fetch *f)
{
	const char *first = NULL;

	for (size_t i = 0; i < f->versions.n; i++) {
		const char *key = f->versions.at[i].key, *slash = strrchr(key, '/');
		size_t size = slash == NULL ? 0 : (size_t)(slash - key);

		if (!audit_copy_is_object(key)) {
			f->n_ignored++;
			continue;
		}
		if (first == NULL)
			first = key;
		if (strncmp(first, key, size) != 0 ||
		    strchr(first + size, '/') != (size == 0 ? NULL : first + size))
			return err_set(&f->err, ERR_INVALID,
			    "%s has objects of several servers (%.60s, %.60s): say --against s3://%s/FOLDER/",
			    f->auditor.bucket, first, key, f->auditor.bucket);
	}
	return first != NULL ||
	    err_set(&f->err, ERR_MISSING, "s3://%s/%.100s holds no object of a witness",
		f->auditor.bucket, f->auditor.prefix);
}

static bool
get_all(struct fetch *f)
{
	s3_versions_sort(&f->versions);
	f->looks = mem_new(f->versions.n + 1, sizeof(*f->looks));
	for (size_t i = 0; i < CALLS; i++)
		go_on(&f->slots[i]);
	if (!f->has_failed && f->n_busy > 0)
		loop_run(f->loop);
	return !f->has_failed;
}

static bool
is_same(const struct look *a, const struct look *b)
{
	return a->is_read && b->is_read && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* Each version that is not the oldest of its name, and each delete marker. */
static void
tell_versions(struct fetch *f)
{
	size_t oldest = SIZE_MAX;

	for (size_t i = 0; i < f->versions.n; i++) {
		const struct s3_version *version = &f->versions.at[i];
		enum audit_found what;
		char second[NAME_SIZE + 64];

		if (!audit_copy_is_object(version->key))
			continue;
		if (version->is_marker) {
			tell(f, version, (struct audit_finding){ .what = FOUND_COPY_DELETED });
			continue;
		}
		if (is_oldest(f, i)) {
			oldest = i;
			continue;
		}
		(void)snprintf(second, sizeof(second), "version %.60s", version->version);
		what = is_same(&f->looks[oldest], &f->looks[i]) ? FOUND_COPY_AGAIN :
								  FOUND_COPY_VERSION;
		tell(f, &f->versions.at[oldest],
		    (struct audit_finding){
			.what = what, .other = second, .other_at = version->at });
	}
}

/* What each lock proves. */
static void
tell_locks(const struct fetch *f)
{
	static const struct {
		const char *mode, *proves;
	} words[LOCK_COUNT] = {
		[LOCK_NONE] = { "no lock",
		    "whoever may delete versions there could have removed or replaced them" },
		[LOCK_UNKNOWN] = { "a lock that these keys may not see",
		    "s3:GetObjectRetention shows it" },
		[LOCK_GOVERNANCE] = { "GOVERNANCE",
		    "only who has s3:BypassGovernanceRetention could remove them before that; nobody could change them" },
		[LOCK_COMPLIANCE] = { "COMPLIANCE",
		    "nobody could change or remove them before that, the account's root neither" },
	};
	char first[TEXT_TIME_SIZE], last[TEXT_TIME_SIZE];

	for (size_t i = 0; i < LOCK_COUNT; i++) {
		const struct lock_sum *sum = &f->locks[i];

		if (sum->n == 0)
			continue;
		(void)printf("note: %zu versions with %s", sum->n, words[i].mode);
		if (sum->last != 0)
			(void)printf(", until %s at the least, %s at the most%s",
			    text_time(first, sum->first), text_time(last, sum->last),
			    sum->first <= f->now ? " (some of that is over)" : "");
		(void)printf(": %s\n", words[i].proves);
	}
}

static bool
run(struct fetch *f)
{
	if (!list(f) || !check_servers(f) || !get_all(f))
		return false;
	if (f->n_ignored > 0)
		(void)printf("note: s3://%s: %zu other objects are not looked at\n",
		    f->auditor.bucket, f->n_ignored);
	tell_versions(f);
	tell_locks(f);
	return true;
}

static bool
open_fetch(struct fetch *f, const char *place, const struct settings *settings, struct err *err)
{
	if (!cli_audit_s3_auditor(place, settings, &f->auditor, err))
		return false;
	f->loop = loop_new(err);
	f->client =
	    f->loop == NULL ? NULL : s3_read_client(f->loop, f->auditor.ca_file, CALLS, err);
	f->now = clock_wall_ms();
	for (size_t i = 0; i < CALLS; i++) {
		f->slots[i].fetch = f;
		loop_timer_init(&f->slots[i].timer, on_time, &f->slots[i]);
	}
	return f->client != NULL;
}

static void
close_fetch(struct fetch *f)
{
	for (size_t i = 0; f->client != NULL && i < CALLS; i++) {
		loop_timer_stop(&f->slots[i].timer);
		s3_read_cancel(f->slots[i].call);
	}
	http_client_free(f->client);
	loop_free(f->loop);
	s3_versions_done(&f->versions);
	free(f->looks);
	crypto_wipe(&f->auditor, sizeof(f->auditor));
}

bool
cli_audit_s3(const char *place, const struct settings *settings, struct audit_against *against,
    struct err *err)
{
	CLEANUP(freep) struct fetch *f = mem_new(1, sizeof(*f));
	bool ok;

	f->against = against;
	ok = open_fetch(f, place, settings, err);
	if (ok && !run(f)) {
		*err = f->err;
		ok = false;
	}
	close_fetch(f);
	return ok;
}
