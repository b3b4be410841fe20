/* Goal: of a mount and of what a token may what Vault says is read as Vault means it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/vault_right.h"

#include "lib/json.h"
#include "unit.h"

#define PATH "secret/data/django/database"

TEST(a_mount_is_its_engine_and_of_kv_its_version)
{
	static const struct {
		const char *body, *engine; /* NULL: none */
	} rows[] = {
		{ "{\"data\":{\"type\":\"kv\",\"options\":{\"version\":\"2\"}}}", "kv2" },
		{ "{\"data\":{\"type\":\"kv\",\"options\":{\"version\":\"1\"}}}", "kv1" },
		{ "{\"data\":{\"type\":\"kv\",\"options\":null}}", "kv1" },
		{ "{\"data\":{\"type\":\"generic\"}}", "kv1" },
		{ "{\"data\":{\"type\":\"database\",\"options\":null}}", "database" },
		{ "{\"data\":{\"type\":7}}", NULL },
		{ "{\"data\":{\"type\":\"an engine whose name has no end that we had room for\"}}",
		    NULL },
		{ "{}", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json *root = json_decode(rows[i].body, strlen(rows[i].body), NULL);
		char engine[VAULT_ENGINE] = "";

		assert_int_equal(vault_read_engine(root, engine), rows[i].engine != NULL);
		if (rows[i].engine != NULL)
			assert_string_equal(engine, rows[i].engine);
		json_free(root);
	}
}

TEST(a_capability_is_of_that_path)
{
	static const struct {
		const char *body;
		bool may;
	} rows[] = {
		{ "{\"data\":{\"" PATH "\":[\"list\",\"read\"]}}", true },
		{ "{\"data\":{\"" PATH "\":[\"root\"]}}", true },
		{ "{\"data\":{\"" PATH "\":[\"deny\"]}}", false },
		{ "{\"data\":{\"" PATH "\":[]}}", false },
		{ "{\"data\":{\"" PATH "\":\"read\"}}", false },
		{ "{\"data\":{\"" PATH "\":[7,null]}}", false },
		{ "{\"data\":{\"other\":[\"read\"],\"capabilities\":[\"read\"]}}", false },
		{ "{}", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json *root = json_decode(rows[i].body, strlen(rows[i].body), NULL);

		assert_int_equal(vault_read_capability(root, PATH), rows[i].may);
		json_free(root);
	}
}
