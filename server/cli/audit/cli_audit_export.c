/* cli_audit_export.c - `deploybot audit export`: one folder for an auditor.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/audit/cli_audit_export_inside.h"
#include "cli/audit/cli_audit_inside.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/crypto_ts.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/version.h"
#include "store/audit_segment.h"

#define ASKED_NAME "asked.json"
#define LINES_NAME "entries.jsonl"
#define README	   "README.txt"
#define VERIFY	   "verify.sh"
#define SUMS	   "SHA256SUMS"
#define ASKED_MAX  4096 /* a name that the log has fits */

struct export
{
	const char *folder;
	FILE *lines;
	int64_t n;
	int64_t newest; /* of the log when it was begun: no later one is read */
	int64_t until;	/* no later one is written */
	char first_day[AUDIT_DAY], last_day[AUDIT_DAY]; /* of its entries */
};

static FILE *
make_file(const struct export *export, const char *name, mode_t mode, struct err *err)
{
	CLEANUP(file_closep) int fd = -1;
	char path[PATH_MAX];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", export->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (file == NULL)
		return ERR_NULL(err_errno(err, ERR_IO, errno, "%s", path));
	(void)TAKE_FD(fd); /* the stream has it */
	return file;
}

static bool
close_file(FILE *file, bool ok, struct err *err)
{
	/* What failed earlier may be out of the buffer by now. */
	bool is_written =
	    file == NULL || (fflush(file) == 0 && ferror(file) == 0 && fsync(fileno(file)) == 0);

	if (ok && !is_written)
		ok = err_errno(err, ERR_IO, errno, "writing the folder");
	if (file != NULL)
		(void)fclose(file);
	return ok;
}

static bool
write_text(const struct export *export, const char *name, const char *before, const char *text,
    mode_t mode, struct err *err)
{
	FILE *file = make_file(export, name, mode, err);

	if (file == NULL)
		return false;
	(void)fputs(before, file);
	(void)fputs(text, file);
	return close_file(file, true, err);
}

static bool
write_line(
    void *ctx, const char *line, size_t size, const struct audit_fields *fields, const char *name)
{
	struct export *export = ctx;
	int64_t seq;

	if (!audit_field_number(audit_fields_get(fields, "seq"), &seq) || seq > export->until)
		return false;
	audit_segment_day(line, size, export->last_day);
	if (export->n++ == 0)
		(void)text_copy(export->first_day, sizeof(export->first_day), export->last_day);
	audit_print(export->lines, AUDIT_JSON, line, size, fields, name);
	return ferror(export->lines) == 0;
}

/* --- what is around them --- */

static bool
copy_stamp(const struct export *export, const char *from, const char *day, struct err *err)
{
	char name[TEXT_TIME_SIZE + sizeof(AUDIT_STAMP_SUFFIX)];
	size_t size;
	CLEANUP(freep) char *bytes = file_read(from, CRYPTO_TS_ANSWER, &size, err);
	FILE *file;
	bool ok;

	if (bytes == NULL)
		return false;
	(void)snprintf(name, sizeof(name), "%s" AUDIT_STAMP_SUFFIX, day);
	file = make_file(export, name, 0600, err);
	ok = file != NULL;
	if (ok)
		(void)fwrite(bytes, 1, size, file);
	return close_file(file, ok, err);
}

/* Those of its days that stand beside the log. */
static bool
copy_stamps(const struct export *export, const char *log, struct err *err)
{
	char day[TEXT_TIME_SIZE], path[PATH_MAX];
	int64_t end;

	(void)text_copy(day, sizeof(day), export->first_day);
	while (log != NULL && (end = audit_segment_day_end(day)) != 0 &&
	    strcmp(day, export->last_day) <= 0) {
		audit_segment_stamp(log, day, path);
		if (access(path, F_OK) == 0 && !copy_stamp(export, path, day, err))
			return false;
		(void)text_time(day, end);
		day[AUDIT_DAY - 1] = '\0';
	}
	return true;
}

/* --- what was asked for --- */

/* Keys in the order of jq -S, as verify.sh compares; what it calls filtered is is_part(). */
static bool
write_asked(const struct export *export, const struct audit_source *source,
    const struct audit_filter *filter, int64_t at, bool is_verified, struct err *err)
{
	CLEANUP(buf_done) struct buf text = buf_make(ASKED_MAX);
	struct json_out json = json_out_begin(&text, '{');

	json_put_str(&json, "application", filter->application);
	json_put_time(&json, "at", at);
	json_put_i64_if(&json, "deployment", filter->deployment != 0, filter->deployment);
	json_put_str(&json, "environment", filter->environment);
	json_put_time(&json, "from", filter->from);
	json_put_i64_if(&json, "newest", export->newest != 0, export->newest);
	json_put_str(&json, "source",
	    source->database == NULL ? "log" :
		source->log == NULL  ? "database" :
				       "both");
	json_put_time(&json, "to", filter->to);
	json_put_str(&json, "verified", is_verified ? "yes" : "no");
	json_put_str(&json, "version", version_text);
	json_out_end(&json);
	buf_addc(&text, '\n');
	return buf_check(&text, err) &&
	    write_text(export, ASKED_NAME, "", buf_text(&text), 0600, err);
}

/* --- sums --- */

static bool
sum_file(const char *path, char hex[CRYPTO_SHA256_HEX], struct err *err)
{
	CLEANUP(crypto_sha256_freep) struct crypto_sha256 *hash = crypto_sha256_new(err);
	FILE *file = fopen(path, "re");
	uint8_t sum[CRYPTO_SHA256_SIZE];
	char bytes[16384];
	size_t n;
	bool ok = hash != NULL;

	if (file == NULL)
		return err_errno(err, ERR_IO, errno, "%s", path);
	while (ok && (n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		ok = crypto_sha256_add(hash, bytes, n, err);
	if (ok && ferror(file) != 0)
		ok = err_errno(err, ERR_IO, errno, "%s", path);
	(void)fclose(file);
	if (!ok || !crypto_sha256_finish(hash, sum, err))
		return false;
	text_hex(hex, sum, sizeof(sum));
	return true;
}

static int
is_summed(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, SUMS) != 0;
}

static bool
write_sums(const struct export *export, struct err *err)
{
	struct dirent **entries = NULL;
	FILE *file = make_file(export, SUMS, 0600, err);
	int n = file == NULL ? 0 : scandir(export->folder, &entries, is_summed, alphasort);
	char path[PATH_MAX], hex[CRYPTO_SHA256_HEX];
	bool ok = file != NULL && (n >= 0 || err_errno(err, ERR_IO, errno, "%s", export->folder));

	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", export->folder, entries[i]->d_name);
		ok = ok && sum_file(path, hex, err);
		if (ok)
			(void)fprintf(file, "%s  %s\n", hex, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return close_file(file, ok, err);
}

/* --- all of it --- */

static bool
note_first(void *ctx, UNUSED const char *line, UNUSED size_t size,
    const struct audit_fields *fields, UNUSED const char *name)
{
	return !audit_field_number(audit_fields_get(fields, "seq"), ctx); /* it was read before */
}

static bool
note_last(void *ctx, UNUSED const char *line, UNUSED size_t size, const struct audit_fields *fields,
    UNUSED const char *name)
{
	return audit_field_number(audit_fields_get(fields, "seq"), ctx);
}

/* Whether the folder has not all of its period: verify.sh has to know of each of these, too. */
static bool
is_part(const struct audit_filter *filter)
{
	return filter->application != NULL || filter->environment != NULL ||
	    filter->deployment != 0 || filter->person != NULL || filter->code != NULL ||
	    filter->at_least != 0;
}

/* A period of the whole log is one piece of it: from the first entry that is not before it to the
 * last that is not behind it.  A clock that was set back would else leave a hole, as if something
 * had been taken out. */
static bool
find_piece(struct export *export, const struct audit_source *source, struct audit_filter *filter,
    struct err *err)
{
	struct audit_filter from = { .from = filter->from }, to = { .to = filter->to };

	if (!audit_read_newest(source, &export->newest, err))
		return false;
	export->until = export->newest;
	if (is_part(filter))
		return true;
	if (filter->from != 0) {
		to.first = export->newest + 1;
		if (!audit_read(source, &from, note_first, &to.first, err))
			return false;
	}
	if (filter->to != 0) {
		export->until = 0;
		if (!audit_read(source, &to, note_last, &export->until, err))
			return false;
		if (export->until > export->newest)
			export->until = export->newest;
	}
	*filter = (struct audit_filter){ .first = to.first };
	return true;
}

static bool
write_entries(struct export *export, const struct audit_source *source,
    const struct audit_filter *filter, struct err *err)
{
	export->lines = make_file(export, LINES_NAME, 0600, err);
	return close_file(export->lines,
	    export->lines != NULL && audit_read(source, filter, write_line, export, err), err);
}

/* A folder that is sound by itself must not be made of a log that is not. */
static int
check_log(const struct audit_source *source, const struct audit_filter *filter, bool is_anyway)
{
	int status = cli_audit_check_named(source, filter);

	if (status != EX_OK)
		return status;
	status = cli_audit_verify_source(source);
	if (status == EX_OK || is_anyway)
		return status;
	(void)fprintf(stderr,
	    "error: the log does not verify, so nothing was exported; --anyway exports it all the same\n");
	return status;
}

static const char not_verified[] =
    "NOT VERIFIED: when this was exported (with --anyway), rows and files of the log did not fit.\n\n";

static int
make(const struct cli *cli, const struct audit_source *given)
{
	struct audit_arguments arguments = { 0 };
	struct audit_source source = *given;
	struct audit_filter filter;
	struct export export = { 0 };
	char path[PATH_MAX], hex[CRYPTO_SHA256_HEX];
	bool is_anyway = cli->value[OPTION_ANYWAY] != NULL;
	int64_t at = clock_wall_ms();
	int status;
	struct err err;

	if (!cli_audit_arguments(cli, &arguments))
		return EX_USAGE;
	source.in_any_order = is_anyway;
	status = check_log(&source, &arguments.filter, is_anyway);
	if (status != EX_OK && !is_anyway)
		return status;
	export.folder = cli->argv[0];
	if (mkdir(export.folder, 0700) != 0) {
		(void)err_errno(&err, errno == EEXIST ? ERR_INVALID : ERR_IO, errno,
		    "making the folder %s", export.folder);
		return cli_fail(&err);
	}
	(void)snprintf(path, sizeof(path), "%s/" SUMS, export.folder);
	filter = arguments.filter;
	if (!find_piece(&export, &source, &filter, &err) ||
	    !write_asked(&export, &source, &arguments.filter, at, status == EX_OK, &err) ||
	    !write_entries(&export, &source, &filter, &err) ||
	    (export.n > 0 && !copy_stamps(&export, source.log, &err)) ||
	    !write_text(&export, README, status == EX_OK ? "" : not_verified,
		cli_audit_export_readme, 0600, &err) ||
	    !write_text(&export, VERIFY, "", cli_audit_export_verify, 0700, &err) ||
	    !write_sums(&export, &err) || !sum_file(path, hex, &err)) {
		(void)fprintf(
		    stderr, "error: %s: what is in %s is not whole\n", err.text, export.folder);
		return err_exit_status(err.code);
	}
	if (export.n == 0) {
		(void)fprintf(stderr, "error: no entry is like that: %s has none\n", export.folder);
		return 1;
	}
	(void)printf("%s: %" PRId64 " entries in %s\nsha256 of %s: %s\n",
	    status == EX_OK ? "ok" : "note", export.n, export.folder, SUMS, hex);
	return status;
}

int
cli_audit_export(const struct cli *cli)
{
	return cli_audit_with(cli, true, make);
}
