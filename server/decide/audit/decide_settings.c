/* decide_settings.c - entries of the audit about settings that changed, and about each start.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/audit/decide_settings.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/who/decide_session.h"
#include "lib/buf.h"
#include "lib/text.h"
#include "lib/version.h"
#include "store/row_audit.h"
#include "store/row_notify.h"
#include "store/row_secret.h"
#include "store/row_setting.h"
#include "store/row_witness.h"

#define NAMES_MAX 480 /* bytes of names in one entry: row_audit_add() keeps 512 of a value */
#define VALUE_MAX 480

struct differing {
	struct tx *tx;
	const char *when; /* "start", "reload", "secret" */
	enum audit_severity at_least;
	bool names_wanted;
	struct buf names;
	char application[ENVIRONMENT_NAME_MAX]; /* whose they are; "": the main file's */
};

/* Those that are gathered. */
static void
flush_names(struct differing *d)
{
	const char *const facts[] = { "changed", buf_text(&d->names), "when", d->when, NULL };

	if (d->names.size > 0)
		row_audit_add(d->tx,
		    &(struct audit_entry){
			.code = AUDIT_CODE_SETTINGS_CHANGED,
			.user = "system",
			.application = d->application[0] == '\0' ? NULL : d->application,
			.outcome = "ok",
			.at_least = d->at_least,
		    },
		    facts);
	buf_clear(&d->names);
}

static void
add_name(struct differing *d, const char *application, const char *name)
{
	if (!d->names_wanted)
		return;
	if (d->names.size + strlen(name) + 2 > NAMES_MAX ||
	    strcmp(d->application, application) != 0)
		flush_names(d);
	text_set(d->application, application); /* of the same size */
	buf_addf(&d->names, "%s%s", d->names.size > 0 ? ", " : "", name);
}

/* The whole of it, or from the first word that differs on: what was changed is never what is cut
 * off.  Returns out. */
static const char *
shown(const char *value, const char *other, char out[VALUE_MAX])
{
	size_t same = 0, from;

	if (strlen(value) < VALUE_MAX) {
		(void)text_copy(out, VALUE_MAX, value);
		return out;
	}
	while (value[same] != '\0' && value[same] == other[same])
		same++;
	for (from = same; from > 0 && value[from - 1] != ',' && value[from - 1] != ' ';)
		from--;
	(void)snprintf(out, VALUE_MAX, "%s%.460s%s", from > 0 ? "… " : "", value + from,
	    strlen(value + from) > 460 ? " …" : "");
	return out;
}

static void
add_deciding(struct differing *d, const struct row_setting_change *change)
{
	char was[VALUE_MAX], is[VALUE_MAX];
	const char *const facts[] = { "changed", change->name, "was",
		shown(change->was, change->is, was), "is", shown(change->is, change->was, is),
		"when", d->when, NULL };

	row_audit_add(d->tx,
	    &(struct audit_entry){
		.code = AUDIT_CODE_SETTINGS_CHANGED,
		.user = "system",
		.application = change->application[0] == '\0' ? NULL : change->application,
		.outcome = "ok",
		.at_least = AUDIT_HIGH,
	    },
	    facts);
}

static void
on_differs(void *ctx, const struct row_setting_change *change)
{
	struct differing *d = ctx;

	row_notify_changed(d->tx, change->name);
	if (change->is != NULL)
		add_deciding(d, change);
	else
		add_name(d, change->application, change->name);
}

static void
end(struct differing *d)
{
	flush_names(d);
	tx_check(d->tx, &d->names);
	buf_done(&d->names);
}

static void
begin(struct differing *d)
{
	buf_init(&d->names, (size_t)2 * NAMES_MAX);
}

/* Which entry is the newest one, of a database that is a copy: behind it the log is another one. */
static void
add_start(struct tx *tx, bool is_restored)
{
	int64_t log_last_seq = row_witness_log_last(tx);
	char last[24], head[LIMIT_AUDIT_HEAD], log_last[24];
	const char *facts[11] = { "program", version_text, "restored", is_restored ? "yes" : "no" };
	size_t n = 4;

	text_setf(last, "%" PRId64, row_audit_newest(tx, head));
	text_setf(log_last, "%" PRId64, log_last_seq);
	if (is_restored) {
		facts[n++] = "last";
		facts[n++] = last;
		facts[n++] = "head";
		facts[n++] = head;
	}
	if (log_last_seq != 0) {
		facts[n++] = "log_last";
		facts[n++] = log_last;
	}
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = AUDIT_CODE_SERVER_STARTED,
		.user = "system",
		.outcome = "ok",
		.at_least = is_restored ? AUDIT_HIGH : AUDIT_INFO,
	    },
	    facts);
}

void
decide_settings_started(struct tx *tx, bool is_restored)
{
	struct differing d = {
		.tx = tx, .when = "start", .at_least = AUDIT_LOW, .names_wanted = true
	};

	add_start(tx, is_restored);
	begin(&d);
	if (!row_setting_look(tx, on_differs, &d))
		tx_log(tx, LOG_LEVEL_INFO,
		    "the settings of the last run are not known: what differs from now on is audited");
	end(&d);
}

void
decide_settings_reloaded(struct tx *tx, bool names_wanted)
{
	struct differing d = {
		.tx = tx, .when = "reload", .at_least = AUDIT_LOW, .names_wanted = names_wanted
	};

	begin(&d);
	(void)row_setting_look(tx, on_differs, &d);
	end(&d);
}

/* Under which of the two keys a token stands is known by its text alone, and a login has none. */
static void
on_secret(void *ctx, const char *application, const char *name)
{
	struct differing *d = ctx;
	const struct secret key = secret_get(d->tx->settings, SETTING_AUTH_TOKEN_SECRET);

	add_name(d, application, name);
	row_notify_changed(d->tx, name);
	if (text_starts(name, key.name) && key.values[1] == NULL)
		decide_sessions_end(d->tx, "the key of all tokens was changed");
}

int64_t
decide_settings_secrets(struct tx *tx, const struct secrets_seen *seen)
{
	struct differing d = {
		.tx = tx, .when = "secret", .at_least = AUDIT_MEDIUM, .names_wanted = true
	};
	int64_t oldest;

	begin(&d);
	oldest = row_secret_see(tx, seen, on_secret, &d);
	end(&d);
	return oldest;
}
