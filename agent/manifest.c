/* manifest.c - each capability's unit checked and hashed, and the list of them hashed.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/manifest.h"

#include <stdio.h>

#include "lib/crypto.h"
#include "lib/text.h"

#define FOLDER "/etc/systemd/system/"

const char *const manifest_names[MANIFEST_CAPABILITIES] = { "clear-cache", "disk-free",
	"reload-nginx", "restart-web", "service-status" };

const char *
manifest_unit(const char *name, char out[MANIFEST_UNIT])
{
	(void)snprintf(out, MANIFEST_UNIT, "deploybot-do-%s.service", name);
	return out;
}

/* What makes its end tell that nothing of it runs any more. */
static bool
check_kind(const struct systemd_unit *unit, struct err *err)
{
	if (strcmp(unit->type, "oneshot") != 0 || unit->remains)
		return err_set(err, ERR_INVALID,
		    "it needs Type=oneshot and RemainAfterExit=no: its end is the action's end");
	if (strcmp(unit->restart, "no") != 0)
		return err_set(err, ERR_INVALID, "Restart=%s would start it again", unit->restart);
	return strcmp(unit->kill_mode, "control-group") == 0 ||
	    strcmp(unit->kill_mode, "mixed") == 0 ||
	    err_set(err, ERR_INVALID, "KillMode=%s leaves processes behind", unit->kill_mode);
}

static bool
check_unit(const char *name, const struct systemd_unit *unit, struct err *err)
{
	char path[sizeof(FOLDER) + MANIFEST_UNIT];

	(void)snprintf(path, sizeof(path), FOLDER "%s", name);
	if (!unit->is_loaded)
		return err_set(err, ERR_MISSING, "there is no %s, or systemd cannot read it", path);
	if (strcmp(unit->paths[0], path) != 0)
		return err_set(err, ERR_DENIED, "it is %.100s, not %s", unit->paths[0], path);
	if (unit->needs_reload)
		return err_set(err, ERR_CHANGED,
		    "its files have changed since systemd read them: systemctl daemon-reload");
	return check_kind(unit, err);
}

bool
manifest_look(struct systemd *systemd, const char *name, char ret[UNIT_FILE_DIGEST],
    struct systemd_unit *unit, struct err *err)
{
	char service[MANIFEST_UNIT];

	ret[0] = '\0';
	return systemd_look(systemd, manifest_unit(name, service), unit, err) &&
	    check_unit(service, unit, err) &&
	    unit_file_digest(unit->paths, unit->path_count, ret, err);
}

static bool
hash_lines(struct manifest *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf lines = buf_make(MANIFEST_CAPABILITIES * 128);
	uint8_t digest[CRYPTO_SHA256_SIZE];

	for (size_t i = 0; i < MANIFEST_CAPABILITIES; i++)
		if (ret->digests[i][0] != '\0')
			buf_addf(&lines, "%s %s\n", manifest_names[i], ret->digests[i]);
	if (!buf_check(&lines, err) || !crypto_sha256(buf_text(&lines), lines.size, digest, err))
		return false;
	text_hex(ret->whole, digest, sizeof(digest));
	return true;
}

bool
manifest_make(struct systemd *systemd, struct manifest *ret, struct err *err)
{
	for (size_t i = 0; i < MANIFEST_CAPABILITIES; i++) {
		struct err why = { .text = "" };
		struct systemd_unit unit;
		bool good = manifest_look(systemd, manifest_names[i], ret->digests[i], &unit, &why);

		systemd_unit_done(&unit);
		if (!good && why.code == ERR_IO && !unit.is_loaded)
			return err_set(err, ERR_IO, "%s", why.text); /* systemd does not answer */
	}
	return hash_lines(ret, err);
}

size_t
manifest_find(const struct manifest *manifest, const char *name)
{
	size_t i = text_index(name, manifest_names, MANIFEST_CAPABILITIES);

	return i < MANIFEST_CAPABILITIES && manifest->digests[i][0] != '\0' ? i :
									      MANIFEST_CAPABILITIES;
}

void
manifest_tell(const struct manifest *manifest, struct protocol_message *hello)
{
	for (size_t i = 0; i < MANIFEST_CAPABILITIES; i++) {
		struct protocol_capability *one = &hello->manifest.all[hello->manifest.count];

		if (manifest->digests[i][0] == '\0')
			continue;
		(void)text_copy(one->name, sizeof(one->name), manifest_names[i]);
		memcpy(one->digest, manifest->digests[i], sizeof(one->digest));
		hello->manifest.count++;
	}
	memcpy(hello->manifest.digest, manifest->whole, sizeof(hello->manifest.digest));
}

void
manifest_list(const struct manifest *manifest, char *out, size_t room)
{
	size_t size = 0;

	out[0] = '\0';
	for (size_t i = 0; i < MANIFEST_CAPABILITIES; i++)
		if (manifest->digests[i][0] != '\0' && size < room)
			size += (size_t)snprintf(out + size, room - size, "%s%s=%s",
			    size == 0 ? "" : " ", manifest_names[i], manifest->digests[i]);
}
