/* serve_secrets.c - marks of the secrets that are in force, for the store: how old is each?  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * A mark is HMAC-SHA256 of where a value stands and what it is.  Its key is drawn once, stands in a
 * file of mode 0600 in STATE_DIRECTORY and in no row and no copy of the database: without it, rows
 * say nothing by which a guess could be tried.
 */
#include <stdio.h>

#include "lib/array.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"
#include "serve_inside.h"
#include "settings/sources/settings_secrets.h"

#define KEY_NAME "/secret-marks.key"
#define KEY_SIZE 32
#define FILE_CAP 16384
#define LOOK_MS	 (3600 * INT64_C(1000)) /* a key's file may be another without a reload */

/* --- the key --- */

static bool
make_key(const char *path, uint8_t key[KEY_SIZE], struct err *err)
{
	return crypto_random(key, KEY_SIZE, err) && file_write(path, key, KEY_SIZE, 0600, err);
}

/* One that is no key is made anew: ages stay as they are (row_secret.h).  Another user's would be
 * known to them. */
static bool
read_key(const char *directory, uint8_t key[KEY_SIZE], struct err *err)
{
	char path[SETTING_PART_MAX + sizeof(KEY_NAME)];
	CLEANUP(settings_wipe_text) char *text = NULL;
	size_t size = 0;

	(void)snprintf(path, sizeof(path), "%s" KEY_NAME, directory);
	text = file_read_ours(path, KEY_SIZE, &size, err);
	if (text == NULL && err->code != ERR_MISSING && err->code != ERR_LIMIT)
		return false;
	if (text == NULL || size != KEY_SIZE)
		return make_key(path, key, err);
	memcpy(key, text, KEY_SIZE);
	crypto_wipe(text, size);
	return true;
}

/* --- marks --- */

struct marking {
	struct secrets_seen seen;
	struct crypto_hmac_key *key;
	bool has_failed;
};

/* Each text with the NUL behind it, so that no two lists are one. */
static bool
mark_of(const struct crypto_hmac_key *key, const char *const texts[], size_t count,
    const void *value, size_t size, char ret[SECRET_MARK])
{
	CLEANUP(crypto_hmac_dropp) struct crypto_hmac *mac = crypto_hmac_begin(key, NULL);
	uint8_t out[CRYPTO_SHA256_SIZE];
	bool ok = mac != NULL;

	for (size_t i = 0; ok && i < count; i++)
		ok = crypto_hmac_add(mac, texts[i], strlen(texts[i]) + 1, NULL);
	if (!ok || !crypto_hmac_add(mac, value, size, NULL) || !crypto_hmac_finish(mac, out, NULL))
		return false;
	text_hex(ret, out, sizeof(out));
	return true;
}

static void
add(struct marking *m, const struct settings_secret *secret, const char *value, size_t size)
{
	const char *const texts[] = { secret->application, secret->name };
	struct secret_seen *added = array_add(&m->seen.list, &m->seen.count, sizeof(*added));

	if (!mark_of(m->key, texts, COUNT(texts), value, size, added->mark)) {
		m->has_failed = true;
		return;
	}
	(void)text_copy(added->application, sizeof(added->application), secret->application);
	(void)text_copy(added->name, sizeof(added->name), secret->name); /* of the same sizes */
}

/* What only the runner may read is not known here. */
static void
on_secret(void *ctx, const struct settings_secret *secret)
{
	CLEANUP(settings_wipe_text) char *key = NULL;
	size_t size = 0;

	if (secret->text != NULL) {
		add(ctx, secret, secret->text, strlen(secret->text));
		return;
	}
	if (secret->file == NULL || (key = file_read(secret->file, FILE_CAP, &size, NULL)) == NULL)
		return;
	add(ctx, secret, key, size);
	crypto_wipe(key, size);
}

static bool
make_marks(const struct settings *settings, struct secrets_seen *ret, struct err *err)
{
	static const char *const itself[] = { "which key" };
	uint8_t key[KEY_SIZE];
	struct marking m = { 0 };

	if (!read_key(settings->state_directory, key, err))
		return false;
	m.key = crypto_hmac_key_new(key, sizeof(key), err);
	crypto_wipe(key, sizeof(key));
	if (m.key == NULL)
		return false;
	m.has_failed = !mark_of(m.key, itself, 1, "", 0, m.seen.key);
	settings_for_secrets(settings, on_secret, &m);
	crypto_hmac_key_free(m.key);
	if (m.has_failed) {
		free(m.seen.list);
		return err_set(err, ERR_IO, "OpenSSL cannot hash them");
	}
	*ret = m.seen;
	return true;
}

void
serve_secrets_look(struct serve *serve)
{
	struct event *event = event_new(EVENT_SECRETS_SEEN);
	struct err err;

	if (!make_marks(serve->settings, &event->u.secrets_seen, &err))
		log_warning("how old secrets are is not known: %s", err.text);
	else if (serve_submit(serve, event))
		return;
	event_free(event);
}

static void
on_due(UNUSED struct loop_timer *timer, void *ctx)
{
	serve_secrets_look(ctx);
}

void
serve_secrets_start(struct serve *serve)
{
	loop_timer_init(&serve->secrets_timer, on_due, serve);
	loop_timer_start(serve->loop, &serve->secrets_timer, LOOK_MS, LOOK_MS);
	serve_secrets_look(serve);
	lease_note(
	    serve->lead.lease, serve->settings); /* its key was made just now, the first time */
}

void
serve_secrets_stop(struct serve *serve)
{
	loop_timer_stop(&serve->secrets_timer);
}
