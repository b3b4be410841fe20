/* manifest.c - each capability's unit checked and hashed, and the list of them hashed.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/manifest.h"

#include <stdio.h>

#include "agent/unit_digest.h"
#include "lib/column.h"
#include "lib/fingerprint.h"
#include "lib/text.h"

#define FOLDER "/etc/systemd/system/"

const char *
manifest_unit(const char *name, char out[MANIFEST_UNIT])
{
	(void)snprintf(out, MANIFEST_UNIT, "deploybot-do-%s%s.service", name,
	    strcmp(name, MANIFEST_RELEASE) == 0 ? "@0" : "");
	return out;
}

static bool
check_unit(const char *name, const struct systemd_unit *unit, struct err *err)
{
	char path[sizeof(FOLDER) + MANIFEST_UNIT];

	(void)snprintf(path, sizeof(path), FOLDER "%.*s%s", (int)strcspn(name, "@"), name,
	    strchr(name, '@') == NULL ? "" : "@.service");
	if (strcmp(unit->load_state, "not-found") == 0)
		return err_set(err, ERR_MISSING, "there is no %s", path);
	if (strcmp(unit->load_state, "loaded") != 0 || strcmp(unit->fragment_path, path) != 0)
		return err_set(err, ERR_DENIED, "%s: %s, and its file is %.100s", path,
		    unit->load_state, unit->fragment_path);
	if (unit->need_daemon_reload)
		return err_set(err, ERR_CHANGED,
		    "%s has changed since systemd read it: systemctl daemon-reload", name);
	return (strcmp(unit->type, "oneshot") == 0 && !unit->remain_after_exit &&
		   strcmp(unit->restart, "no") == 0 &&
		   (strcmp(unit->kill_mode, "control-group") == 0 ||
		       strcmp(unit->kill_mode, "mixed") == 0)) ||
	    err_set(err, ERR_INVALID,
		"%s needs Type=oneshot, RemainAfterExit=no, Restart=no and KillMode=control-group: its end is the action's",
		name);
}

static bool
look(struct systemd *systemd, const char *name, struct systemd_unit *unit, char digest[65],
    struct err *err)
{
	CLEANUP(crypto_sha256_freep) struct crypto_sha256 *hash = crypto_sha256_new(err);
	uint8_t bytes[CRYPTO_SHA256_SIZE];
	char service[MANIFEST_UNIT];

	if (hash == NULL || !systemd_look(systemd, manifest_unit(name, service), unit, err) ||
	    !check_unit(service, unit, err) || !unit_digest_add(hash, unit->fragment_path, err))
		return false;
	for (const char *at = unit->drop_in_paths; at[0] != '\0'; at += strlen(at) + 1)
		if (!unit_digest_add(hash, at, err))
			return false;
	if (!crypto_sha256_finish(hash, bytes, err))
		return false;
	text_hex(digest, bytes, sizeof(bytes));
	return true;
}

/* Where systemd reads a unit it looks at all folders anew: else one that it has loaded waits for no
 * reload when somebody makes a folder of drop-ins. */
static bool
read_another(struct systemd *systemd, struct err *err)
{
	struct systemd_unit none;

	return systemd_look(systemd, "deploybot-do-nothing.service", &none, err);
}

bool
manifest_look(struct systemd *systemd, const char *name, struct systemd_unit *unit, char digest[65],
    struct err *err)
{
	return read_another(systemd, err) && look(systemd, name, unit, digest, err);
}

void
manifest_list(const struct protocol_manifest *manifest, char out[MANIFEST_LIST])
{
	size_t size = 0;

	out[0] = '\0';
	for (size_t i = 0; i < manifest->count; i++)
		size += (size_t)snprintf(out + size, MANIFEST_LIST - size, "%s%s=%s",
		    i > 0 ? " " : "", manifest->all[i].name, manifest->all[i].digest);
}

const char *
manifest_find(const struct protocol_manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->count; i++)
		if (strcmp(manifest->all[i].name, name) == 0)
			return manifest->all[i].digest;
	return NULL;
}

bool
manifest_make(struct systemd *systemd, struct protocol_manifest *ret, struct err *err)
{
	static const char *const names[] = { MANIFEST_CAPABILITIES(COLUMN_FIRST) };
	char list[MANIFEST_LIST];

	*ret = (struct protocol_manifest){ .count = 0 };
	if (!read_another(systemd, err))
		return false;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct protocol_capability *one = &ret->all[ret->count];
		struct systemd_unit unit = { .load_state = "" };

		if (look(systemd, names[i], &unit, one->digest, err)) {
			(void)text_copy(one->name, sizeof(one->name), names[i]);
			ret->count++;
		} else if (unit.load_state[0] == '\0') {
			return false; /* systemd does not answer */
		}
	}
	manifest_list(ret, list);
	(void)fingerprint_digest(list, ret->digest);
	return true;
}
