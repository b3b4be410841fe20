/* cli_audit_export.c - `deploybot audit export`: one folder for an auditor.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli_audit_inside.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"

#define LINES_NAME "entries.jsonl"
#define CSV_NAME   "entries.csv"
#define NAMES_NAME "names.csv"
#define README	   "README.txt"
#define VERIFY	   "verify.sh"
#define SUMS	   "SHA256SUMS"

static const char readme[] =
    "Entries of the audit log of one deploybot\n"
    "\n" LINES_NAME "  the entries, one JSON object a line, as deploybot wrote them\n" CSV_NAME
    "    the same for a spreadsheet, where it was asked for: no part of the proof\n" NAMES_NAME
    "      what the ids in user_id were called when this was exported: no part of the\n"
    "               entries, and to be left out where a name was to be forgotten\n" VERIFY
    "      does what follows for all of them: needs bash, jq and sha256sum\n" SUMS
    "     of the files here; the sum of this one is what `audit export` printed\n"
    "\n"
    "Verify\n"
    "\n"
    "1. The files are those that were exported:\n"
    "\n"
    "       sha256sum --check SHA256SUMS\n"
    "\n"
    "2. An entry with \"version\":2 was not changed. Both print the same digits (here of line 1):\n"
    "\n"
    "       sed -n 1p entries.jsonl | jq -cS 'del(.hash)' | sha256sum\n"
    "       sed -n 1p entries.jsonl | jq -r .hash\n"
    "\n"
    "   One without a version is of the first: its hash is the SHA-256 of prev as 32 bytes, the\n"
    "   number of bytes of what follows as 8 bytes, most significant first, and the line up to\n"
    "   ,\"prev\": with a closing brace. verify.sh works that out.\n"
    "\n"
    "3. Between the first and the last line nothing was put in, left out or reordered: seq counts\n"
    "   up by 1, and prev is the hash of the line before. In an export with --app, --environment or\n"
    "   --deployment the entries of all else are left out: there prev is compared where seq follows\n"
    "   seq. What stood before the first line, and behind the last one, the folder cannot show:\n"
    "   whoever makes a folder makes its sums, too. So compare the last line with what is outside:\n"
    "\n"
    "4. The log is the one that the team saw: final messages in the chat end with `audit` and 16\n"
    "   digits, which are the first of the hash of the newest entry at that moment:\n"
    "\n"
    "       grep -n '\"hash\":\"36fec2005dd1a0b4' entries.jsonl        # or: ./verify.sh 36fec2005dd1a0b4\n"
    "\n"
    "   Digits that the chat has and no entry begins with: the log was cut or written anew. What\n"
    "   came behind the last digits that anybody kept outside of the server is not proven.\n";

static const char verify[] =
    "#!/bin/bash\n"
    "# Verifies the entries beside it; see README.txt.\n"
    "set -euo pipefail\n"
    "export LC_ALL=C\n"
    "cd \"$(dirname \"$0\")\"\n"
    "sha256sum --check --quiet SHA256SUMS\n"
    "fail() { echo \"error: $1\" >&2; exit 1; }\n"
    "for digits; do\n"
    "\t[[ $digits =~ ^[0-9a-f]{8,64}$ ]] || fail \"usage: verify.sh [DIGITS...]: 16 of 0-9 a-f behind \\\"audit\\\" in the chat\"\n"
    "done\n"
    "bytes() { printf '%b' \"$(sed 's/../\\\\x&/g' <<<\"$1\")\"; }\n"
    "n=0 last=0 head=\n"
    "while IFS= read -r line && IFS=$'\\t' read -r version seq prev hash <&3 && IFS= read -r plain <&4; do\n"
    "\tn=$((n + 1))\n"
    "\tif [[ $version == 2 ]]; then\n"
    "\t\tsum=$(sha256sum <<<\"$plain\")\n"
    "\telse\n"
    "\t\tplain=\"${line%,\\\"prev\\\":\\\"*}}\"\n"
    "\t\tsum=$({ bytes \"$prev\"; bytes \"$(printf '%016x' \"${#plain}\")\"; printf '%s' \"$plain\"; } | sha256sum)\n"
    "\tfi\n"
    "\t[[ ${sum%% *} == \"$hash\" ]] || fail \"line $n: entry $seq was changed\"\n"
    "\tif ((seq == last + 1)); then\n"
    "\t\t[[ $last == 0 || $prev == \"$head\" ]] || fail \"line $n: entry $seq does not follow the one before it\"\n"
    "\telif ((last != 0 && (seq <= last || !filtered))); then\n"
    "\t\tfail \"line $n: behind entry $last stands entry $seq\"\n"
    "\tfi\n"
    "\t((n == 1)) && echo \"begins behind entry $((seq - 1)), head ${prev:0:16}\"\n"
    "\tlast=$seq head=$hash\n"
    "done <entries.jsonl \\\n"
    "\t3< <(jq -r '[.version // 1, .seq, .prev, .hash] | @tsv' entries.jsonl) \\\n"
    "\t4< <(jq -cS 'del(.hash)' entries.jsonl)\n"
    "((n == $(wc -l <entries.jsonl))) || fail \"line $((n + 1)) cannot be read\"\n"
    "((n > 0)) || fail \"there is no entry\"\n"
    "for digits; do\n"
    "\tseq=$(jq -r --arg digits \"$digits\" 'select(.hash | startswith($digits)) | .seq' entries.jsonl)\n"
    "\t[[ -n $seq ]] || fail \"$digits is no entry of this folder\"\n"
    "\techo \"ok: $digits is entry $seq\"\n"
    "done\n"
    "echo \"ok: $n entries, the last is $last, head ${head:0:16}\"\n"
    "echo \"note: what came behind entry $last this folder does not show; compare its head with the chat, a timestamp or the witness\"\n";

struct export
{
	const char *folder;
	FILE *lines;
	FILE *csv; /* NULL: not asked for */
	FILE *names;
	int64_t n;
};

static FILE *
make_file(const struct export *export, const char *name, mode_t mode, struct err *err)
{
	char path[PATH_MAX];
	FILE *file;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", export->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (file == NULL) {
		(void)err_errno(err, ERR_IO, errno, "%s", path);
		if (fd >= 0)
			(void)close(fd);
	}
	return file;
}

static bool
close_file(FILE *file, bool ok, struct err *err)
{
	bool is_written = file == NULL || (fflush(file) == 0 && fsync(fileno(file)) == 0);

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

	audit_print(export->lines, AUDIT_JSON, line, size, fields, name);
	if (export->csv != NULL)
		audit_print(export->csv, AUDIT_CSV, line, size, fields, name);
	export->n++;
	return ferror(export->lines) == 0 && (export->csv == NULL || ferror(export->csv) == 0);
}

static bool
write_name(void *ctx, const char *who, const char *name)
{
	struct export *export = ctx;

	audit_print_cell(export->names, who);
	(void)fputc(',', export->names);
	audit_print_cell(export->names, name);
	(void)fputs("\r\n", export->names);
	return ferror(export->names) == 0;
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

static bool
write_sums(const struct export *export, struct err *err)
{
	static const char *const names[] = { LINES_NAME, CSV_NAME, NAMES_NAME, README, VERIFY };
	FILE *file = make_file(export, SUMS, 0600, err);
	char path[PATH_MAX], hex[CRYPTO_SHA256_HEX];
	bool ok = file != NULL;

	for (size_t i = 0; ok && i < COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", export->folder, names[i]);
		if (access(path, F_OK) != 0) /* no CSV was asked for */
			continue;
		ok = sum_file(path, hex, err);
		if (ok)
			(void)fprintf(file, "%s  %s\n", hex, names[i]);
	}
	return close_file(file, ok, err);
}

/* --- all of it --- */

static bool
write_entries(struct export *export, const struct audit_source *source,
    const struct audit_arguments *arguments, struct err *err)
{
	bool ok;

	export->lines = make_file(export, LINES_NAME, 0600, err);
	export->names = make_file(export, NAMES_NAME, 0600, err);
	if (arguments->format == AUDIT_CSV)
		export->csv = make_file(export, CSV_NAME, 0600, err);
	ok = export->lines != NULL && export->names != NULL &&
	    (arguments->format != AUDIT_CSV || export->csv != NULL);
	if (export->csv != NULL)
		audit_print_head(export->csv, AUDIT_CSV);
	ok = ok && audit_read(source, &arguments->filter, write_line, export, err);
	if (ok)
		(void)fputs("\"user_id\",\"name\"\r\n", export->names);
	ok = ok && audit_read_names(source, write_name, export, err);
	ok = close_file(export->lines, ok, err);
	ok = close_file(export->names, ok, err);
	return close_file(export->csv, ok, err);
}

/* A folder that is sound by itself must not be made of a log that is not. */
static int
check_log(const struct audit_source *source, const struct audit_arguments *arguments)
{
	int status = cli_audit_is_named(source, &arguments->filter);

	if (status != EX_OK)
		return status;
	status = cli_audit_verify_source(source);
	if (status == EX_OK || arguments->is_anyway)
		return status;
	(void)fprintf(stderr,
	    "error: the log does not verify, so nothing was exported; --anyway exports it all the same\n");
	return status;
}

static const char not_verified[] =
    "NOT VERIFIED: when this was exported (with --anyway), rows and files of the log did not fit.\n\n";

int
cli_audit_export(const struct cli *cli, const struct audit_source *source)
{
	struct audit_arguments arguments = { .format = AUDIT_JSON };
	struct export export = { 0 };
	char path[PATH_MAX], hex[CRYPTO_SHA256_HEX];
	const struct audit_filter *filter = &arguments.filter;
	int status;
	struct err err;

	if (!cli_audit_arguments(
		cli, OPTION_PERIOD | OPTION_FORMAT | OPTION_REST | OPTION_ANYWAY, &arguments))
		return EX_USAGE;
	if (arguments.rest == NULL || arguments.format == AUDIT_TEXT) {
		(void)fprintf(stderr,
		    "error: audit export: expected a new folder, and --format json or csv\n");
		return EX_USAGE;
	}
	status = check_log(source, &arguments);
	if (status != EX_OK && !arguments.is_anyway)
		return status;
	export.folder = arguments.rest;
	if (mkdir(export.folder, 0700) != 0) {
		(void)err_errno(&err, ERR_IO, errno, "making the folder %s", export.folder);
		(void)fprintf(stderr, "error: %s\n", err.text);
		return err_exit_status(err.code);
	}
	(void)snprintf(path, sizeof(path), "%s/" SUMS, export.folder);
	if (!write_entries(&export, source, &arguments, &err) ||
	    !write_text(&export, README, status == EX_OK ? "" : not_verified, readme, 0600, &err) ||
	    !write_text(&export, VERIFY,
		filter->application != NULL || filter->environment != NULL ||
			filter->deployment != 0 ?
		    "#!/bin/bash\nfiltered=1\n" :
		    "#!/bin/bash\nfiltered=0\n",
		strchr(verify, '\n') + 1, 0700, &err) ||
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
