/* decide_upload.c - an archive that somebody sent, from its request until its files are known.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_upload.h"

#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/git/decide_git.h"
#include "decide/hold/decide_refusal.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/row_audit.h"
#include "store/row_effect.h"
#include "store/row_upload.h"

#define HERE	   "upload" /* key of a request: the digest of what is here */
#define CHATS	   "file"   /* the chat's word for it */
#define NAME	   "name"
#define SIZE	   "size"
#define DAY_MS	   INT64_C(86400000)
#define RETAIN_MAX 64 /* archives in one round */

/* --- its request --- */

void
decide_upload_add(struct request *request, const struct update_file *file, bool is_here)
{
	request_add(request, is_here ? HERE : CHATS, file->id);
	request_add(request, NAME, file->name);
	request_add_number(request, SIZE, file->size);
}

bool
decide_upload_is(const struct request *request)
{
	return request_text(request, HERE)[0] != '\0' || request_text(request, CHATS)[0] != '\0';
}

/* --- room --- */

static void
purge(struct tx *tx, const char *digest)
{
	struct effect effect = { .kind = EFFECT_PURGE_UPLOAD, .u.purge_upload.at = tx->at };

	text_set(effect.u.purge_upload.digest, digest);
	row_upload_drop(tx, digest);
	(void)row_effect_order(tx, &effect);
}

void
decide_upload_drop(struct tx *tx, const char *digest)
{
	if (digest[0] != '\0' && !row_upload_is_needed(tx, digest))
		purge(tx, digest);
}

/* The oldest that nobody needs, until there is room for that much more. */
static void
make_room(struct tx *tx, int64_t more)
{
	struct upload_row old[RETAIN_MAX];
	int64_t total = row_upload_total(tx) + more;
	size_t n = total <= tx->settings->uploads_total ?
	    0 :
	    row_upload_list_unneeded(tx, tx->at, old, RETAIN_MAX);

	for (size_t i = 0; i < n && total > tx->settings->uploads_total; i++) {
		purge(tx, old[i].digest);
		total -= old[i].size;
	}
}

bool
decide_upload_retain(struct tx *tx)
{
	struct upload_row old[RETAIN_MAX];
	size_t n = row_upload_list_unneeded(
	    tx, tx->at - tx->settings->upload_keep_days * DAY_MS, old, RETAIN_MAX);

	for (size_t i = 0; i < n; i++)
		purge(tx, old[i].digest);
	make_room(tx, 0);
	return n == RETAIN_MAX;
}

void
decide_upload_sweep(struct tx *tx, char (*digests)[LIMIT_DIGEST], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (row_upload_get(tx, digests[i]).digest[0] == '\0')
			decide_upload_drop(tx, digests[i]);
}

static const char full[] =
    "archives that are still needed fill UPLOADS_TOTAL. An admin can raise it.";

/* NULL: it is kept. */
static const char *
keep(struct tx *tx, const char *digest, int64_t size, const char *file)
{
	bool is_there = row_upload_get(tx, digest).digest[0] != '\0';
	struct upload_row upload = { .size = size };

	make_room(tx, is_there ? 0 : size);
	if (row_upload_total(tx) + (is_there ? 0 : size) > tx->settings->uploads_total)
		return full;
	text_set(upload.digest, digest);
	text_set(upload.file, file);
	row_upload_put(tx, &upload);
	return NULL;
}

/* --- may it be? --- */

static const char *
find_refusal(const struct environment_settings *settings, const struct request *request,
    char out[LIMIT_LINE])
{
	if (decide_refusal_of_upload(settings, out) != NULL)
		return out;
	if (request_text(request, "ref")[0] != '\0')
		return "an archive has no branch. Send it with the environment alone.";
	if (request_get_number(request, SIZE) > LIMIT_UPLOAD)
		return "the archive is larger than 20 MB, which is the most. Leave out what can be built or fetched, and send it again.";
	return NULL;
}

bool
decide_upload_may(struct tx *tx, const struct update *update,
    const struct environment_settings *settings, const struct request *request)
{
	const char *why, *here = request_text(request, HERE);
	int64_t wait_ms = decide_upload_wait_ms(tx, update->person);
	char text[LIMIT_LINE];

	if (!decide_may(tx, update, POLICY_UPLOAD, settings->name))
		return false;
	why = find_refusal(settings, request, text);
	if (why == NULL && wait_ms > 0) {
		text_setf(text,
		    "you have sent three archives within an hour, which is the most. Send it again in %d min.",
		    (int)((wait_ms + 59999) / 60000));
		why = text;
	}
	if (why == NULL && here[0] != '\0')
		why = keep(tx, here, request_get_number(request, SIZE), "");
	if (why == NULL)
		return true;
	(void)decide_send_firstf(
	    tx, &update->address, FIRST_NOT_DEPLOYED, settings->name, ": %s", why);
	return false;
}

/* --- its work --- */

void
decide_upload_set(struct deployment *work, const struct request *request)
{
	char text[LIMIT_REF];

	work->source = SOURCE_UPLOAD;
	text_set(work->commit, request_get(request, HERE, text));
	text_set(work->subject, request_get(request, NAME, text));
	work->is_to_be_asked = true; /* nobody has read it */
	work->is_off_branch = true;
}

static void
fetch(struct tx *tx, int64_t work, const char *file, const char *digest)
{
	struct effect effect = { .kind = EFFECT_FETCH_FILE, .subject = work };

	text_set(effect.u.fetch_file.file, file);
	text_set(effect.u.fetch_file.digest, digest);
	(void)row_effect_order(tx, &effect);
}

static void
unpack(struct tx *tx, const struct deployment *work)
{
	struct effect_git_query query = { .kind = GIT_QUERY_UNPACK };

	text_set(query.environment, work->environment);
	text_set(query.ref, work->commit);
	text_set(query.requested_by, work->requester);
	decide_git_query(tx, &query, work->id);
}

void
decide_upload_begin(struct tx *tx, struct deployment *work, const struct request *request)
{
	char file[LIMIT_REF];

	if (work->commit[0] == '\0')
		fetch(tx, work->id, request_get(request, CHATS, file), "");
	else
		unpack(tx, work);
}

const char *
decide_upload_fetched(struct tx *tx, struct deployment *work, const struct file_fetched *fetched)
{
	const struct effect_fetch_file *order = &tx->effect->u.fetch_file;
	const char *why;

	if (fetched->digest[0] == '\0')
		return fetched->why;
	if (order->digest[0] != '\0' && strcmp(order->digest, fetched->digest) != 0)
		return "the chat gives another file by now: send it again";
	why = keep(tx, fetched->digest, fetched->size, order->file);
	if (why != NULL)
		return why;
	text_set(work->commit, fetched->digest);
	row_deployment_save(tx, work);
	unpack(tx, work);
	return NULL;
}

const char *
decide_upload_unpacked(
    struct tx *tx, const struct deployment *work, const struct git_answer *answer)
{
	struct approval_request shown = { 0 };

	/* Its files are counted this once; whoever is to approve it reads that too. */
	decide_git_changes(tx, work->environment, answer, shown.changes, sizeof(shown.changes));
	row_approval_ask(tx, work->id, &shown);
	row_upload_unpacked(tx, work->commit, answer->bytes);
	make_room(tx, 0);
	return row_upload_total(tx) > tx->settings->uploads_total ? full : NULL;
}

/* The code of what is wrong with it; AUDIT_CODE_COUNT: of nothing that it does to others. */
static enum audit_code
code_of(const char *violation)
{
	enum audit_code code = 0;

	for (; code < AUDIT_CODE_COUNT; code++) {
		const char *its = audit_code_rows[code].violation;

		if (its != NULL && strcmp(its, violation) == 0)
			break;
	}
	return code;
}

static void
audit_violation(struct tx *tx, const struct deployment *work, const struct git_answer *answer)
{
	char user[PRINCIPAL_TEXT];
	const char *facts[] = { "name", work->subject, "detail", answer->error, NULL };
	enum audit_code code = code_of(answer->violation);

	if (code != AUDIT_CODE_COUNT)
		row_audit_add(tx,
		    &(struct audit_entry){ .code = code,
			.user = decide_requester(tx, work, user),
			.environment = work->environment,
			.source = work->source,
			.commit = work->commit,
			.outcome = "refused",
			.deployment = work->id },
		    facts);
}

const char *
decide_upload_not_unpacked(struct tx *tx, struct deployment *work,
    const struct git_answered *answered, const struct git_answer *answer)
{
	struct upload_row upload = row_upload_get(tx, work->commit);

	if (answered->unreachable && answered->exit_status == GIT_NO_ARCHIVE) {
		if (upload.file[0] == '\0')
			return "the archive is not on this machine any more: send it again";
		fetch(tx, work->id, upload.file, upload.digest);
		return NULL;
	}
	audit_violation(tx, work, answer);
	return answer->error;
}
