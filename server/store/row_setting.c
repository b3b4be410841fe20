/* row_setting.c - which values the settings had when they were looked at last.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_setting.h"

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/store_inside.h"

#define MARK	   17 /* 16 digits */
#define GONE_PAGE  16
#define VALUE_KEPT 8192

struct look {
	struct tx *tx;
	row_setting_differs *differs;
	void *ctx;
	int64_t number;
	bool is_first;
	bool is_others; /* the last one was another server's */
};

/* As a row has it. */
struct kept {
	char application[ENVIRONMENT_NAME_MAX];
	char name[SETTING_NAME_MAX];
	char mark[MARK];
	char *value; /* owned */
	bool is_deciding;
};

TX_READER(read_kept, struct kept, TX_TEXT(application), TX_TEXT(name), TX_TEXT(mark),
    TX_WORD(value, mem_text), TX_FLAG(is_deciding))

/* A password in http://user:password@proxy is nothing to keep a digest of. */
static bool
make_mark(const char *text, char ret[MARK], struct err *err)
{
	const char *scheme = strstr(text, "://"),
		   *at = scheme == NULL ? NULL : strrchr(scheme, '@');
	uint8_t digest[CRYPTO_SHA256_SIZE];
	CLEANUP(buf_done) struct buf plain = buf_make(VALUE_KEPT + strlen(text));

	if (at != NULL)
		buf_add(&plain, text, (size_t)(scheme + 3 - text));
	buf_adds(&plain, at != NULL ? at : text);
	if (!buf_check(&plain, err) || !crypto_sha256(plain.data, plain.size, digest, err))
		return false;
	text_hex(ret, digest, (MARK - 1) / 2);
	return true;
}

static void
tell(const struct look *look, const struct kept *kept, const char *is, bool is_deciding)
{
	const struct row_setting_change change = {
		.application = kept->application,
		.name = kept->name,
		.was = !is_deciding	? NULL :
		    kept->value == NULL ? "" :
					  kept->value,
		.is = is_deciding ? is : NULL,
	};

	/* What each of two servers has of its own differs at each take-over. */
	if (look->is_others && settings_is_machines(kept->name, is))
		return;
	if (!look->is_first)
		look->differs(look->ctx, &change);
}

static void
on_value(void *ctx, const struct settings_open *open)
{
	struct look *look = ctx;
	struct tx *tx = look->tx;
	struct kept kept = { .value = NULL };
	char mark[MARK];

	if (tx->failed)
		return;
	if (!make_mark(open->text, mark, &tx->err)) {
		tx->failed = true;
		return;
	}
	(void)tx_read(tx, read_kept, &kept, 1,
	    "SELECT application, name, mark, value, deciding FROM setting"
	    " WHERE application = $1 AND name = $2",
	    DB_TEXT(open->application), DB_TEXT(open->name));
	text_set(kept.application, open->application);
	text_set(kept.name, open->name); /* of the same sizes */
	if (strcmp(kept.mark, mark) != 0)
		tell(look, &kept, open->text, open->is_deciding);
	free(kept.value);
	(void)tx_run(tx,
	    "INSERT INTO setting (application, name, mark, value, deciding, look)"
	    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (application, name)"
	    " DO UPDATE SET mark = $3, value = $4, deciding = $5, look = $6",
	    DB_TEXT(open->application), DB_TEXT(open->name), DB_TEXT(mark),
	    DB_TEXT(open->is_deciding ? open->text : ""), DB_I64(open->is_deciding),
	    DB_I64(look->number)); /* sticky */
}

/* Those that no file sets any more. */
static void
end_gone(struct look *look)
{
	struct kept gone[GONE_PAGE];
	size_t n;

	do {
		n = tx_read(look->tx, read_kept, gone, GONE_PAGE,
		    "SELECT application, name, mark, value, deciding FROM setting"
		    " WHERE look <> $1 ORDER BY application, name LIMIT $2",
		    DB_I64(look->number), DB_I64(GONE_PAGE));
		for (size_t i = 0; i < n; i++) {
			tell(look, &gone[i], "", gone[i].is_deciding);
			free(gone[i].value);
			(void)tx_run(look->tx,
			    "DELETE FROM setting WHERE application = $1 AND name = $2",
			    DB_TEXT(gone[i].application), DB_TEXT(gone[i].name)); /* sticky */
		}
	} while (n == GONE_PAGE && !look->tx->failed);
}

static bool
is_others(struct tx *tx)
{
	const char *name = settings_server_name(tx->settings);
	char was[MARK] = "", mark[MARK];

	(void)tx_first_text(tx, was, sizeof(was),
	    "SELECT mark FROM setting WHERE application = '' AND name = 'SERVER_NAME'");
	return name != NULL && was[0] != '\0' && make_mark(name, mark, NULL) &&
	    strcmp(mark, was) != 0;
}

bool
row_setting_look(struct tx *tx, row_setting_differs *differs, void *ctx)
{
	int64_t last = tx_number(tx, "SELECT COALESCE(MAX(look), 0) FROM setting");
	struct look look = {
		.tx = tx, .differs = differs, .ctx = ctx, .number = last + 1, .is_first = last == 0
	};

	look.is_others = is_others(tx);
	settings_for_open(tx->settings, on_value, &look);
	end_gone(&look);
	return !look.is_first;
}

bool
row_setting_removed(struct tx *tx, const char *name, bool is_set)
{
	if (is_set)
		return tx_changes(tx,
			   "INSERT INTO counter (name, value) VALUES ('removed ' || $1, 1)"
			   " ON CONFLICT DO NOTHING",
			   DB_TEXT(name)) == 1;
	(void)tx_run(
	    tx, "DELETE FROM counter WHERE name = 'removed ' || $1", DB_TEXT(name)); /* sticky */
	return false;
}
