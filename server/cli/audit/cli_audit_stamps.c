/* cli_audit_stamps.c - the timestamps beside the log: read, checked, their hashes looked for in it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/audit/cli_audit_stamps.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit/cli_audit_against_inside.h"
#include "lib/crypto_ts.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/audit_lines.h"
#include "store/audit_segment.h"

/* The folder of the log, and what its stamps' names begin with. */
static const char *
part(const char *log, char folder[PATH_MAX])
{
	const char *slash = strrchr(log, '/');

	(void)snprintf(folder, PATH_MAX, "%.*s", slash == NULL ? 1 : (int)(slash - log) + 1,
	    slash == NULL ? "." : log);
	return slash == NULL ? log : slash + 1;
}

/* audit.log.2026-11-20.tsr of audit.log */
static bool
is_stamp(const char *name, const char *log)
{
	size_t size = strlen(log);

	return text_starts(name, log) && name[size] == '.' &&
	    strlen(name) == size + AUDIT_DAY + strlen(AUDIT_STAMP_SUFFIX) &&
	    text_ends(name, AUDIT_STAMP_SUFFIX);
}

static int
list(const char *log, struct dirent ***ret, char folder[PATH_MAX])
{
	const char *base = part(log, folder);
	int n = scandir(folder, ret, NULL, alphasort), kept = 0;

	for (int i = 0; i < n; i++)
		if (is_stamp((*ret)[i]->d_name, base))
			(*ret)[kept++] = (*ret)[i];
		else
			free((*ret)[i]);
	return n < 0 ? n : kept;
}

static void
free_list(struct dirent **entries, int n)
{
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
}

bool
cli_audit_has_stamps(const char *log)
{
	struct dirent **entries = NULL;
	char folder[PATH_MAX];
	int n = list(log, &entries, folder);

	free_list(entries, n);
	return n > 0;
}

/* What is none, or is signed by nobody whom --tsa-ca trusts, is wrong.  That the system knows its
 * authority not is no fault: many have roots of their own. */
static bool
read_stamp(const char *path, const char *ca_file, struct audit_against *against,
    struct crypto_ts *ret, bool *ret_counts, struct err *err)
{
	struct err why = { 0 };
	size_t size;
	CLEANUP(freep) char *bytes = file_read(path, CRYPTO_TS_ANSWER, &size, &why);
	const struct audit_finding finding = {
		.what = FOUND_COPY_BAD, .source = path, .detail = why.text
	};
	bool is_read =
	    bytes != NULL && crypto_ts_read(bytes, size, CRYPTO_TS_NOBODY, NULL, ret, &why);

	*ret_counts = is_read &&
	    crypto_ts_read(bytes, size, ca_file == NULL ? CRYPTO_TS_SYSTEM : CRYPTO_TS_FILE,
		ca_file, ret, &why);
	if (why.code == ERR_CONFIG) {
		*err = why;
		return false;
	}
	if (*ret_counts)
		return true;
	if (!is_read || ca_file != NULL)
		cli_audit_against_print(against, &finding);
	else
		(void)printf(
		    "note: %s, by %s, is not checked: the system knows no such authority; name its certificate with --tsa-ca, as CA of timestamp.conf does\n",
		    path, ret->by);
	return true;
}

static bool
add_stamp(const char *path, const char *name, const char *ca_file, struct audit_against *against,
    struct err *err)
{
	char digits[2 * AUDIT_HASH + 1];
	struct audit_head head;
	struct crypto_ts stamp;
	bool counts;

	if (!read_stamp(path, ca_file, against, &stamp, &counts, err))
		return false;
	if (!counts)
		return true;
	text_hex(digits, stamp.hash, sizeof(stamp.hash));
	if (!audit_head_read(&head, digits, stamp.at))
		return err_set(err, ERR_INVALID, "%s: its digest is none of an entry", path);
	head.file = mem_text(name);
	head.by = mem_textf("%s (%s)", stamp.by, path);
	cli_audit_heads_add(&against->heads, &head);
	return true;
}

bool
cli_audit_stamps(
    const char *log, const char *ca_file, struct audit_against *against, struct err *err)
{
	struct dirent **entries = NULL;
	char folder[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
	int n = list(log, &entries, folder);
	bool ok = n >= 0 || err_errno(err, ERR_IO, errno, "%s", folder);

	for (int i = 0; ok && i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s%s%s", folder,
		    text_ends(folder, "/") ? "" : "/", entries[i]->d_name);
		ok = add_stamp(path, entries[i]->d_name, ca_file, against, err);
	}
	free_list(entries, n);
	return ok;
}

/* --- days that have none --- */

struct days {
	const char *log;
	struct audit_against *against;
	char last[AUDIT_LINE_MAX + 1];	     /* line of that day */
	char first[AUDIT_DAY];		     /* that is stamped; "": none is */
	char now[AUDIT_DAY];		     /* whose lines are read */
	char from[AUDIT_DAY], to[AUDIT_DAY]; /* neighbours without a stamp; "": none */
	size_t n;
};

static void
tell_missing(struct days *days)
{
	if (days->n == 1)
		(void)printf("note: no timestamp of %s stands beside the log\n", days->from);
	else if (days->n > 1)
		(void)printf("note: no timestamps of %zu days, %s to %s, stand beside the log\n",
		    days->n, days->from, days->to);
	days->n = 0;
}

/* A stamp of another entry than the day's last says nothing of those behind it: another day's,
 * under this one's name. */
static void
check_day(struct days *days, const char *path)
{
	const struct audit_heads *heads = &days->against->heads;
	const char *base = strrchr(path, '/'), *name = base == NULL ? path : base + 1;
	char hash[2 * AUDIT_HASH + 16];

	for (size_t i = 0; i < heads->n; i++) {
		const struct audit_head *head = &heads->at[i];

		(void)snprintf(hash, sizeof(hash), "\"hash\":\"%s\"", head->digits);
		if (head->file == NULL || head->seq == 0 || strcmp(head->file, name) != 0 ||
		    strstr(days->last, hash) != NULL)
			continue;
		cli_audit_against_print(days->against,
		    &(const struct audit_finding){ .what = FOUND_STAMP_MOVED,
			.first = head->seq,
			.last = head->seq,
			.source = path,
			.detail = days->now });
	}
}

/* That day is over, as a later one has an entry. */
static void
end_day(struct days *days)
{
	char path[PATH_MAX];

	audit_segment_stamp(days->log, days->now, path);
	if (access(path, F_OK) == 0) {
		if (days->first[0] == '\0')
			memcpy(days->first, days->now, AUDIT_DAY);
		tell_missing(days);
		check_day(days, path);
		return;
	}
	if (days->first[0] == '\0')
		return;
	if (days->n++ == 0)
		memcpy(days->from, days->now, AUDIT_DAY);
	memcpy(days->to, days->now, AUDIT_DAY);
}

bool
cli_audit_stamps_days(const char *log, struct audit_against *against, struct err *err)
{
	CLEANUP(freep) struct audit_lines *lines = mem_new(1, sizeof(*lines));
	struct days days = { .log = log, .against = against };
	enum audit_lines_next next = AUDIT_LINES_END;
	char day[AUDIT_DAY], path[PATH_MAX];
	bool ok;

	ok = audit_lines_open(lines, log, err);
	while (ok && (next = audit_lines_next(lines, err)) < AUDIT_LINES_END) {
		audit_segment_day(lines->line, lines->size, day);
		if (next != AUDIT_LINES_LINE || audit_segment_day_end(day) == 0 ||
		    strcmp(day, days.now) < 0)
			continue;
		if (days.now[0] != '\0' && strcmp(day, days.now) > 0)
			end_day(&days);
		memcpy(days.now, day, AUDIT_DAY);
		memcpy(days.last, lines->line, lines->size);
		days.last[lines->size] = '\0';
	}
	ok = ok && next == AUDIT_LINES_END;
	if (ok) {
		tell_missing(&days);
		audit_segment_stamp(log, days.now, path);
		check_day(&days, path);
	}
	audit_lines_close(lines);
	return ok;
}
