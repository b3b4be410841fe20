/* vault_right.c - what Vault says of a mount, and of what a token may.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/vault_right.h"

#include "lib/json.h"
#include "lib/text.h"

bool
vault_read_engine(const struct json *body, char ret[VAULT_ENGINE])
{
	const struct json *data = json_get(body, "data");
	const char *type = json_text(data, "type");
	bool is_kv = strcmp(type, "kv") == 0 || strcmp(type, "generic") == 0;

	if (is_kv)
		type = json_has(json_get(data, "options"), "version", "2") ? "kv2" : "kv1";
	return type[0] != '\0' && text_copy(ret, VAULT_ENGINE, type);
}

bool
vault_read_capability(const struct json *body, const char *path)
{
	const struct json *all = json_get(json_get(body, "data"), path);

	for (size_t i = 0; i < json_count(all); i++) {
		const char *one = json_str(json_at(all, i));

		if (one != NULL && (strcmp(one, "read") == 0 || strcmp(one, "root") == 0))
			return true;
	}
	return false;
}
