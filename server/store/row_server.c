/* row_server.c - gathers a server's marks, and writes its row.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_server.h"

#include <limits.h>

#include "lib/crypto.h"
#include "lib/file.h"
#include "lib/fingerprint.h"
#include "lib/seal.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/version.h"
#include "settings/settings_table.h"
#include "settings/sources/settings_secrets.h"
#include "store/leader.h"

#define MARKS_KEY   "/secret-marks.key" /* serve_secrets.c makes it */
#define KEYED	    "secrets/key"	/* marks of secrets follow */
#define MARK_DIGITS 16			/* of lib/fingerprint.h */
#define LIST_MAX    (8u << 20)		/* 500 applications have a tenth of it */

static void
on_open(void *ctx, const struct settings_open *value)
{
	char name[ENVIRONMENT_NAME_MAX + SETTING_NAME_MAX + 2];

	text_setf(name, "%s%s%s", value->application, value->application[0] != '\0' ? ":" : "",
	    value->name); /* fits */
	if (!settings_is_machines(value->name, value->text))
		fingerprint_add_bytes(ctx, name, value->text, strlen(value->text));
}

/* Rows know a user of the machine by the number that it gave: on the other it has to be the same
 * person's. */
static void
add_users(struct buf *list, const struct settings *s)
{
	const struct settings_member *member;
	char name[SETTING_NAME_MAX + sizeof("/uid")], uid[16];
	size_t at = 0;

	while ((member = settings_next_member(s, FAMILY_LOCAL, &at)) != NULL) {
		(void)setting_name(
		    settings_table_families[LOCAL_SETTING_IS].name, member->name, name);
		(void)text_copy(name + strlen(name), sizeof("/uid"), "/uid");
		text_setf(uid, "%lld", member->user.has_user ? (long long)member->user.uid : -1);
		fingerprint_add_bytes(list, name, uid, strlen(uid));
	}
}

/* By a MAC of the same words under the secret itself: what stands in a row is nothing that a guess
 * at another row could be tried with. */
static void
add_secret(struct buf *list, const char *name, const void *secret, size_t size)
{
	static const char words[] = "deploybot: a secret of both servers";
	uint8_t mac[CRYPTO_SHA256_SIZE];

	if (secret != NULL && crypto_hmac(secret, size, words, sizeof(words), mac, NULL))
		fingerprint_add_bytes(list, name, mac, sizeof(mac));
}

/* By a MAC under the key, which both have and no row. */
struct marking {
	struct buf *list;
	const char *key;
	size_t size;
};

/* What is the runner's depends on who reads the settings.  Whoever reads that row has its own way
 * to the database. */
static void
on_secret(void *ctx, const struct settings_secret *secret)
{
	const struct marking *m = ctx;
	char name[ENVIRONMENT_NAME_MAX + SETTING_NAME_MAX + 2];
	uint8_t mac[CRYPTO_SHA256_SIZE];

	(void)snprintf(name, sizeof(name), "%s%s%s", secret->application,
	    secret->application[0] != '\0' ? ":" : "", secret->name); /* fits */
	if (secret->text != NULL && secret->spec->whose != WHOSE_RUNNER &&
	    strcmp(name, "DATABASE_URL") != 0 &&
	    crypto_hmac(m->key, m->size, secret->text, strlen(secret->text), mac, NULL))
		fingerprint_add_bytes(m->list, name, mac, sizeof(mac));
}

char *
row_server_marks(const struct settings *s)
{
	struct buf list = buf_make(LIST_MAX);
	char path[PATH_MAX];
	CLEANUP(settings_wipe_text) char *key = NULL;
	size_t size = 0;

	text_setf(path, "%.4000s" MARKS_KEY, s->state_directory);
	key = file_read(path, LIMIT_LINE, &size, NULL);
	settings_for_open(s, on_open, &list);
	add_secret(&list, &MARKS_KEY[1], key, size);
	add_secret(&list, "TOTP_KEY_FILE", s->totp_keys == NULL ? NULL : s->totp_keys->key[0].key,
	    sizeof(s->totp_keys->key[0].key));
	add_users(&list, s); /* behind them what another version may not know: fingerprint_cut() */
	if (key != NULL) {   /* rows of before end here */
		add_secret(&list, KEYED, key, size);
		settings_for_secrets(s, on_secret, &(struct marking){ &list, key, size });
	}
	return buf_take(&list);
}

void
row_server_differing(const char *ours, const char *theirs, char ret[LIMIT_LINE])
{
	CLEANUP(freep) char *a = mem_text(ours);
	CLEANUP(freep) char *b = mem_text(theirs);
	char *in_a = strstr(a, " " KEYED "="), *in_b = strstr(b, " " KEYED "=");

	if (in_a == NULL || in_b == NULL ||
	    strncmp(in_a, in_b, sizeof(" " KEYED "=") + MARK_DIGITS - 1) != 0) {
		if (in_a != NULL)
			*in_a = '\0';
		if (in_b != NULL)
			*in_b = '\0';
	}
	(void)fingerprint_differing(a, b, ret, LIMIT_LINE);
}

/* By its session: of two with one name the row is each other's.  One that is gone asks no more. */
bool
row_server_namesake(struct db *db, char ret[LIMIT_RUNNER], struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	ret[0] = '\0';
	if (!db_query(&rows, db, err,
		"SELECT split_part(application_name, ' ', 3) FROM pg_stat_activity"
		" WHERE datname = current_database()"
		" AND split_part(application_name, ' ', 1) = 'deploybot'"
		" AND split_part(application_name, ' ', 2) IN ('lease', 'standby', 'waits')"
		" AND state_change > clock_timestamp() - INTERVAL '2 s'"
		" GROUP BY 1 HAVING COUNT(*) > 1 ORDER BY 1"))
		return false;
	if (db_next(&rows))
		(void)text_copy(ret, LIMIT_RUNNER, db_col_text(&rows, 0)); /* it was one */
	return db_rows_end(&rows, err);
}

bool
row_server_write(struct db *db, const char *name, const char *marks, struct err *err)
{
	return db_run(db, err,
	    "INSERT INTO server (name, seen, version, marks) VALUES ($1, " LEADER_NOW_MS ", $2, $3)"
	    " ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, version = $2, marks = $3",
	    DB_TEXT(name), DB_TEXT(version_text), DB_TEXT(marks));
}
