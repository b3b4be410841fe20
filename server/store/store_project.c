/* store_project.c - files that rows can rebuild: state files, the audit file.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crash_point.h"
#include "lib/db_upkeep.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_environment.h"
#include "store/row_promotion.h"
#include "store/store_inside.h"
#include "types/settings.h"

#define DAY_MS	       (24 * 3600 * INT64_C(1000))
#define PRUNE_EVERY_MS (3600 * INT64_C(1000))

#define STATE_MAX     73728 /* bytes of a state file */
#define LIVE_MAX      1000  /* that were live there: the most that KEEP_RELEASES may be */
#define TAIL_MAX      65536 /* of the audit file, compared at start; `audit verify` reads all */
#define LINES_AT_ONCE 16
#define LINES_MAX     ((size_t)LINES_AT_ONCE * (AUDIT_LINE_MAX + 1))

/* --- state files --- */

static void
put_release(struct json_out *json, const struct release *release)
{
	json_put_i64(json, "release", release->number);
	json_put_str(json, "commit", release->commit);
	json_put_str(json, "source", commit_source_word(release->source));
	json_put_str(json, "image", release->image[0] == '\0' ? NULL : release->image);
}

/* Newest first, each once: releases that failed never are in it. */
static void
put_live(struct tx *tx, struct json_out *json, const char *environment)
{
	CLEANUP(freep) struct release_live *live = mem_new(LIVE_MAX, sizeof(*live));
	size_t n = row_release_list_live(tx, environment, live, LIVE_MAX);

	json_put_open(json, "live", '[');
	for (size_t i = 0; i < n; i++)
		json_out_str(json, live[i].commit);
	json_out_end(json);
}

/* Images that are to be live there, and that no clean-up of their source may remove meanwhile.
 * False: there are none. */
static bool
put_promoted(struct tx *tx, struct json_out *json, const char *environment)
{
	struct promotion_image open[ROW_PROMOTIONS_OPEN];
	size_t n = row_promotion_list_open(tx, environment, open);

	if (n > 0)
		json_put_open(json, "promoted", '[');
	for (size_t i = 0; i < n; i++)
		json_out_str(json, open[i].digest);
	if (n > 0)
		json_out_end(json);
	return n > 0;
}

static void
put_releases(struct tx *tx, struct json_out *out, const struct environment *environment)
{
	char time[TEXT_TIME_SIZE];

	put_release(out, &environment->current);
	json_put_str(out, "deployed_at", text_time(time, environment->current.at));
	json_out_key(out, "previous");
	if (environment->previous.id == 0) {
		json_out_str(out, NULL);
	} else {
		json_out_object(out);
		put_release(out, &environment->previous);
		json_out_end(out);
	}
	put_live(tx, out, environment->name);
}

/* False: there is nothing to write.  Before its first release it has what is promoted alone. */
static bool
write_state(struct tx *tx, const struct environment *environment, struct buf *out)
{
	struct json_out json = json_out_begin(out, '{');
	bool has_release = environment->current.id != 0, has_promoted;

	json_put_str(&json, "environment", environment->name);
	if (has_release)
		put_releases(tx, &json, environment);
	has_promoted = put_promoted(tx, &json, environment->name);
	json_out_end(&json);
	buf_addc(out, '\n');
	return has_release || has_promoted;
}

static bool
is_same_file(const char *path, const struct buf *content)
{
	size_t size;
	CLEANUP(freep) char *old = file_read(path, STATE_MAX, &size, NULL);

	return old != NULL && size == content->size && memcmp(old, content->data, size) == 0;
}

/* Nobody reads them where there is no deploybot-link. */
static void
add_state(const struct store *store, const char *environment, const char *content, size_t size,
    struct queue_list *out)
{
	struct outcome *outcome;

	if (store->settings == NULL || store->settings->link.address == NULL)
		return;
	outcome = outcome_new(OUTCOME_STATE);
	outcome->state = state_file_new(environment, store->mark.audit.seq, content, size);
	queue_list_add(out, &outcome->link);
}

static bool
project_environment(struct store *store, const char *name, struct queue_list *out, struct err *err)
{
	struct event nothing = { 0 };
	struct environment environment;
	char path[PATH_MAX], file[ENVIRONMENT_ID_MAX];
	CLEANUP(buf_done) struct buf content = buf_make(STATE_MAX);
	struct tx tx;

	tx_begin(&tx, store, &nothing);
	row_environment_get(&tx, name, &environment);
	if (tx.failed) {
		*err = tx.err;
		return false;
	}
	(void)snprintf(path, sizeof(path), "%s/%s.json", store->environments_path,
	    environment_id_file(name, file));
	if (!write_state(&tx, &environment, &content) && !tx.failed) {
		(void)unlink(path); /* of one that was renamed; else it is not there */
		add_state(store, name, "", 0, out);
		return true;
	}
	if (tx.failed) {
		*err = tx.err;
		return false;
	}
	if (!buf_check(&content, err) ||
	    (!is_same_file(path, &content) &&
		(!file_mkdirs(store->environments_path, 0755, err) ||
		    !file_write(path, content.data, content.size, 0640, err))))
		return false;
	add_state(store, name, content.data, content.size, out);
	return true;
}

static bool
project_all_environments(struct store *store, struct queue_list *out, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!db_query(&rows, store->db, err,
		"SELECT name FROM environment WHERE current_release <> 0 UNION"
		" SELECT environment FROM promotion WHERE is_open = 1 ORDER BY name"))
		return false;
	while (db_next(&rows))
		if (!project_environment(store, db_col_text(&rows, 0), out, err))
			return false;
	if (!db_rows_end(&rows, err))
		return false;
	add_state(store, "", "", 0, out); /* these were all */
	return true;
}

static bool
project_environments(struct store *store, struct queue_list *out, struct err *err)
{
	if (store->environments_path == NULL)
		return true;
	if (store->stale.is_all) {
		if (!project_all_environments(store, out, err))
			return false;
		store_names_clear(&store->stale);
	}
	for (; store->stale.n > 0; store->stale.n--)
		if (!project_environment(store, store->stale.names[store->stale.n - 1], out, err))
			return false;
	return true;
}

/* --- the audit file: what stands in it --- */

/* The file's last bytes, from the start of a line. */
struct tail {
	char *data;
	size_t size;
	size_t whole; /* bytes of whole lines; what is behind was cut off while it was written */
	bool has_hole;
	size_t hole;	  /* the line in which bytes are missing */
	int64_t hole_seq; /* the entry of that line */
};

static bool
read_tail(int fd, int64_t file_size, struct tail *ret, struct err *err)
{
	size_t want = file_size > TAIL_MAX ? TAIL_MAX : (size_t)file_size;
	char *start, *last;
	ssize_t got;

	ret->data = mem_alloc(TAIL_MAX);
	got = pread(fd, ret->data, want, file_size - (int64_t)want);
	if (got < 0 || (size_t)got != want)
		return err_errno(err, ERR_IO, got < 0 ? errno : EIO, "reading its tail");
	ret->size = want;
	if ((int64_t)want < file_size) { /* the first line is not whole */
		start = memchr(ret->data, '\n', want);
		if (start == NULL)
			return err_set(err, ERR_INVALID, "its tail is no audit line");
		ret->size = (size_t)(ret->data + want - (start + 1));
		memmove(ret->data, start + 1, ret->size);
	}
	last = memrchr(ret->data, '\n', ret->size);
	ret->whole = last == NULL ? 0 : (size_t)(last + 1 - ret->data);
	return true;
}

/* What was not flushed when the power went may be there in part, and reads as NUL elsewhere.  No
 * line holds one, so nothing that was written can pass for a hole. */
static bool
is_line_with_holes(const char *found, const char *line, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (found[i] != line[i] && found[i] != '\0')
			return false;
	return true;
}

/* Compares the tail with the rows, from entry `seq` on. *ret_last: the newest whole one that is
 * the same; *ret_rest: what is missing of the line that was cut off. */
static bool
compare_tail(struct store *store, struct tail *tail, int64_t seq, int64_t *ret_last,
    struct buf *ret_rest, struct err *err)
{
	size_t at = 0;
	int64_t last;

	while (at < tail->size) {
		size_t left = tail->size - at, same;

		buf_clear(ret_rest);
		if (!store_audit_lines(store->db, seq, 1, ret_rest, &last, err))
			return false;
		same = left < ret_rest->size ? left : ret_rest->size;
		if (last != seq || !is_line_with_holes(tail->data + at, ret_rest->data, same))
			return err_set(err, ERR_INVALID, "entry %lld in it is not the database's",
			    (long long)seq);
		if (!tail->has_hole && memcmp(tail->data + at, ret_rest->data, same) != 0) {
			tail->has_hole = true;
			tail->hole = at;
			tail->hole_seq = seq;
		}
		buf_drop_front(ret_rest, same);
		at += same;
		seq++;
	}
	if (tail->has_hole) {
		buf_clear(ret_rest);
		seq = tail->hole_seq;
	}
	*ret_last = seq - 1;
	return true;
}

/* Of which entry the tail's first line is.  Where its bytes are missing it is the file's first,
 * which *ret is. */
static bool
first_of_tail(const struct tail *tail, int64_t file_size, int64_t *ret, struct err *err)
{
	size_t line = tail->whole == 0 ?
	    0 :
	    (size_t)((char *)memchr(tail->data, '\n', tail->whole) - tail->data);
	bool is_from_start = (int64_t)tail->size == file_size;

	if (line > 0 && audit_chain_seq(tail->data, line, ret))
		return true;
	if (is_from_start && (line == 0 || memchr(tail->data, '\0', line) != NULL))
		return true;
	return err_set(err, ERR_INVALID, "its tail is no audit line");
}

/* From the line with the hole on it is written again. */
static bool
cut_hole(int fd, const struct tail *tail, int64_t *size, struct err *err)
{
	if (!tail->has_hole)
		return true;
	*size -= (int64_t)(tail->size - tail->hole);
	if (ftruncate(fd, *size) != 0)
		return err_errno(err, ERR_IO, errno, "truncating what a power cut left of it");
	log_warning("the audit file lacks bytes since a power cut: rewriting it from entry %lld on",
	    (long long)tail->hole_seq);
	return true;
}

/* Brings exported_seq to what the file, which begins with entry `first` where its first line does
 * not say so, holds; ends a line that was cut off, cuts off holes. */
static bool
compare_file(struct store *store, int fd, int64_t size, int64_t first, struct err *err)
{
	struct tail tail = { 0 };
	CLEANUP(buf_done) struct buf rest = buf_make(AUDIT_LINE_MAX + 1);
	int64_t seq = first, last = first - 1;
	bool ok = true;

	if (size > 0)
		ok = read_tail(fd, size, &tail, err);
	ok = ok && first_of_tail(&tail, size, &seq, err) &&
	    compare_tail(store, &tail, seq, &last, &rest, err) && cut_hole(fd, &tail, &size, err) &&
	    file_write_all(fd, rest.data, rest.size, err);
	if (ok) {
		store->exported_seq = last;
		store->exported_size = size + (int64_t)rest.size;
	}
	free(tail.data);
	return ok;
}

/* What the newest of the closed ones ends with; 0: there is none. */
static bool
compare_closed(struct store *store, int64_t *ret_last, struct err *err)
{
	CLEANUP(audit_segments_done) struct audit_segments closed = { 0 };
	char path[PATH_MAX];
	CLEANUP(file_closep) int fd = -1;
	struct stat st;
	bool ok = true;

	*ret_last = 0;
	if (!audit_segments_list(store->audit_path, &closed, err))
		return false;
	if (closed.n > 0) {
		int64_t first = closed.first[closed.n - 1];

		audit_segment_path(store->audit_path, first, path);
		fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
		ok = fd >= 0 && fstat(fd, &st) == 0;
		if (!ok)
			ok = err_errno(err, ERR_IO, errno, "%s", path);
		else
			ok = compare_file(store, fd, st.st_size, first, err) ||
			    err_wrap(err, "%s", path);
		*ret_last = store->exported_seq;
	}
	return ok;
}

/* Which entry it begins with, and that one's day. */
static bool
read_first(struct store *store, int fd, int64_t closed, struct err *err)
{
	char line[AUDIT_LINE_MAX];
	ssize_t got = pread(fd, line, sizeof(line), 0);
	const char *end = got <= 0 ? NULL : memchr(line, '\n', (size_t)got);

	store->exported_first = 0;
	store->exported_day[0] = '\0';
	if (store->exported_size == 0)
		return true;
	if (end == NULL || !audit_chain_seq(line, (size_t)(end - line), &store->exported_first))
		return err_set(err, ERR_INVALID, "its first line is no audit line");
	if (closed != 0 && store->exported_first != closed + 1)
		return err_set(err, ERR_INVALID,
		    "it begins with entry %lld, and the newest closed file ends with %lld",
		    (long long)store->exported_first, (long long)closed);
	audit_segment_day(line, (size_t)(end - line), store->exported_day);
	return true;
}

static bool
compare_all(struct store *store, int fd, int64_t size, struct err *err)
{
	int64_t closed;

	return compare_closed(store, &closed, err) &&
	    compare_file(store, fd, size, closed + 1, err) && read_first(store, fd, closed, err);
}

/* --- the audit file: it is closed --- */

static bool
flush(int fd, struct err *err)
{
	return fsync(fd) == 0 || err_errno(err, ERR_IO, errno, "flushing");
}

static int
open_newest(const struct store *store, struct err *err)
{
	int fd =
	    open(store->audit_path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	return fd >= 0 ? fd : ERR_FD(err_errno(err, ERR_IO, errno, "opening it"));
}

/* Renamed as a whole, and durable before the next one has a line.  A file that has the name is
 * evidence of something, and stays. */
static bool
close_newest(struct store *store, int *fd, struct err *err)
{
	char path[PATH_MAX];

	audit_segment_path(store->audit_path, store->exported_first, path);
	if (!flush(*fd, err))
		return false;
	if (access(path, F_OK) == 0)
		return err_set(
		    err, ERR_IO, "it is to be closed, and %s is there: move that away", path);
	if (rename(store->audit_path, path) != 0)
		return err_errno(err, ERR_IO, errno, "renaming it to %s", path);
	if (!file_flush_name(store->audit_path, err))
		return false;
	(void)close(*fd); /* fsync() has reported */
	*fd = open_newest(store, err);
	store->exported_size = 0;
	store->exported_first = 0;
	return *fd >= 0;
}

/* Is that line for the next file?  A clock that was set back is no new day. */
static bool
is_over(const struct store *store, const char *day, int64_t size)
{
	int64_t most = store->config.audit_size != 0 ? store->config.audit_size : LIMIT_AUDIT_FILE;

	return store->exported_size > 0 &&
	    (store->exported_size + size > most || strcmp(store->exported_day, day) < 0);
}

/* --- the audit file: what is missing --- */

/* One write for each line: whoever reads along sees whole lines. */
static bool
write_lines(struct store *store, int *fd, const struct buf *lines, struct err *err)
{
	const char *at = lines->data, *end = lines->data + lines->size;
	char day[AUDIT_DAY];

	while (at < end) {
		const char *next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;

		audit_segment_day(at, (size_t)(next - at), day);
		if (is_over(store, day, next - at) && !close_newest(store, fd, err))
			return false;
		if (!file_write_all(*fd, at, (size_t)(next - at), err))
			return false;
		CRASH_POINT(audit_appended);
		if (store->exported_size == 0) {
			store->exported_first = store->exported_seq + 1;
			memcpy(store->exported_day, day, sizeof(day));
		}
		store->exported_size += next - at;
		store->exported_seq++;
		at = next;
	}
	return true;
}

/* What is not flushed stays within what a start compares. */
static bool
append_missing(struct store *store, int *fd, struct err *err)
{
	int64_t flushed = store->exported_size;
	CLEANUP(buf_done) struct buf lines = buf_make(LINES_MAX);
	int64_t last;
	bool ok = true;

	while (ok && store->exported_seq < store->mark.audit.seq) {
		buf_clear(&lines);
		ok = store_audit_lines(
		    store->db, store->exported_seq + 1, LINES_AT_ONCE, &lines, &last, err);
		if (store->exported_size < flushed) /* it was closed, and that one was flushed */
			flushed = 0;
		if (ok && store->exported_size + (int64_t)lines.size - flushed > TAIL_MAX / 2) {
			ok = flush(*fd, err);
			flushed = store->exported_size;
		}
		ok = ok && write_lines(store, fd, &lines, err);
	}
	ok = ok && flush(*fd, err);
	CRASH_POINT(audit_flushed);
	return ok;
}

static bool
export_to(struct store *store, int *fd, struct err *err)
{
	struct stat st;

	if (fstat(*fd, &st) != 0)
		return err_errno(err, ERR_IO, errno, "looking at it");
	if (st.st_size != store->exported_size && !compare_all(store, *fd, st.st_size, err))
		return false;
	return append_missing(store, fd, err);
}

/* --- the audit file: closed ones go, once they are old, the witness outside has them, and an entry
 * says so --- */

/* Is the entry older than AUDIT_KEEP_DAYS? */
static bool
is_old(struct store *store, int64_t seq, bool *ret, struct err *err)
{
	int64_t at;

	if (!db_one_i64(&at, store->db, err,
		"SELECT coalesce(max(at), $2) FROM audit WHERE seq = $1", DB_I64(seq),
		DB_I64(INT64_MAX)))
		return false;
	*ret = at < store->at - store->settings->audit_keep_days * DAY_MS;
	return true;
}

struct pruning {
	int64_t confirmed; /* by the witness, up to this entry */
	int64_t removed;   /* recorded as going, up to this entry */
	bool is_over;	   /* this one stays, and so do all later ones */
};

/* The oldest of them, from that entry to that one. */
static bool
prune_one(
    struct store *store, int64_t first, int64_t last, struct pruning *pruning, struct err *err)
{
	char path[PATH_MAX];
	bool old = false;

	pruning->is_over = true;
	if (last > pruning->confirmed)
		return true;
	if (!is_old(store, last, &old, err) || !old)
		return err->code == ERR_NONE;
	pruning->is_over = false;
	if (last > pruning->removed) { /* the next decision records it */
		if (store->removable == 0)
			store->removable_first = first;
		store->removable = last;
		return true;
	}
	audit_segment_path(store->audit_path, first, path);
	if (unlink(path) != 0)
		return err_errno(err, ERR_IO, errno, "removing %s", path);
	log_info("%s is removed: the witness outside has its entries, up to %lld", path,
	    (long long)last);
	return true;
}

static bool
prune_closed(struct store *store, struct err *err)
{
	CLEANUP(audit_segments_done) struct audit_segments closed = { 0 };
	struct pruning pruning = { 0 };
	bool ok;

	err->code = ERR_NONE;
	if (store->settings == NULL || store->settings->audit_keep_days == 0 ||
	    store->exported_size < 0 ||
	    (store->pruned_at != 0 && store->at - store->pruned_at < PRUNE_EVERY_MS))
		return true;
	store->removable = 0;
	ok = store_witness_confirmed(store, &pruning.confirmed, &pruning.removed, err) &&
	    audit_segments_list(store->audit_path, &closed, err);
	for (size_t i = 0; ok && !pruning.is_over && i < closed.n; i++) {
		int64_t next = i + 1 < closed.n ? closed.first[i + 1] :
		    store->exported_first != 0	? store->exported_first :
						  store->exported_seq + 1;

		ok = prune_one(store, closed.first[i], next - 1, &pruning, err);
	}
	store->pruned_at = store->at;
	return ok;
}

static bool
project_audit(struct store *store, struct err *err)
{
	bool ok;
	CLEANUP(file_closep) int fd = -1;

	if (store->audit_path == NULL ||
	    (store->exported_size >= 0 && store->exported_seq == store->mark.audit.seq))
		return true;
	fd = open_newest(store, err);
	if (fd < 0)
		return false;
	ok = export_to(store, &fd, err);
	if (!ok)
		store->exported_size = -1; /* what stands there now is seen the next time */
	return ok;
}

/* --- both --- */

/* Logged once, when it begins and when it ends. */
static void
tell(bool ok, bool *was_refused, const char *path, const struct err *err)
{
	if (!ok && !*was_refused)
		log_error("%s: %s", path, err->text);
	else if (ok && *was_refused)
		log_info("%s is rewritten", path);
	*was_refused = !ok;
}

bool
store_is_release_unreported(const struct store *store)
{
	return store->stale.n > 0;
}

bool
store_project(struct store *store, struct queue_list *ret_outcomes)
{
	struct err err = { 0 };
	bool files, audit;

	files = project_environments(store, ret_outcomes, &err);
	tell(files, &store->environments_refused, store->environments_path, &err);
	audit =
	    project_audit(store, &err) && (store->audit_path == NULL || prune_closed(store, &err));
	tell(audit, &store->audit_refused, store->audit_path, &err);
	if (!audit)
		store_count_metric(ret_outcomes, INCREMENT_AUDIT_EXPORT_FAILED, 1);
	assert(db_idle(store->db));
	return !files || !audit;
}

void
store_checkpoint(struct store *store, int pages)
{
	struct err err;

	if (db_flush_failed(store->db))
		return; /* what the log holds is not known: nothing of it may reach the database */
	if (db_log_pages(store->db) < pages)
		return;
	CRASH_POINT(checkpoint_due);
	if (!db_checkpoint(store->db, NULL, &err))
		log_warning("checkpoint: %s", err.text); /* the log grows until one succeeds */
	CRASH_POINT(checkpoint_done);
}

bool
store_idle(struct store *store, struct queue_list *ret_outcomes)
{
	bool behind = store_project(store, ret_outcomes);

	store_checkpoint(store, STORE_LOG_IDLE);
	return behind;
}
