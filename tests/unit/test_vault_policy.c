/* Goal: of a policy, a mount and our own capabilities what Vault says is read as Vault means it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/vault_policy.h"

#include "lib/buf.h"
#include "lib/json.h"
#include "unit.h"

#define PATH	   "secret/data/django/database"
#define READ(path) "path \"" path "\" { capabilities = [\"read\"] }\n"
#define DENY(path) "path \"" path "\" { capabilities = [\"deny\"] }\n"

static enum vault_policy_says
says(const char *policy)
{
	CLEANUP(buf_done) struct buf body = buf_make(8192);
	struct json_out json = json_out_begin(&body, '{');
	struct json *root;
	enum vault_policy_says is;

	json_put_open(&json, "data", '{');
	json_put_str(&json, "name", "deploybot-secret-db");
	json_put_str(&json, "policy", policy);
	json_out_end(&json);
	json_out_end(&json);
	root = json_decode(buf_text(&body), body.size, NULL);
	assert_non_null(root);
	is = vault_policy_of(root, PATH);
	json_free(root);
	return is;
}

#define IS(verdict, policy) \
	do { \
		if (says(policy) != VAULT_POLICY_##verdict) \
			fail_msg("%d of %s", says(policy), policy); \
	} while (0)

TEST(a_rule_is_of_a_path_as_vault_compares_them)
{
	IS(READS, READ(PATH));
	IS(READS, READ("/" PATH));
	IS(READS, READ("secret/data/*"));
	IS(READS, READ("secret/data/django/data*"));
	IS(READS, READ("*"));
	IS(READS, READ("secret/+/django/+"));
	IS(READS, READ("secret/+/+/data*"));
	IS(SILENT, READ("secret/django/database")); /* of Vault's command, not of kv2's API */
	IS(SILENT, READ("secret/metadata/django/database"));
	IS(SILENT, READ("secret/data/django"));
	IS(SILENT, READ(PATH "/more"));
	IS(SILENT, READ("secret/data/+"));
	IS(SILENT, READ("secret/+"));
	IS(SILENT, READ("secret/data/djang+/database"));
	IS(SILENT, READ("secret/*/django/database"));
	IS(SILENT, "");
}

TEST(a_rule_without_read_does_not_let_it_be_read)
{
	IS(DENIES, "path \"" PATH "\" { capabilities = [\"list\", \"update\"] }");
	IS(DENIES, "path \"" PATH "\" { capabilities = [\"read\", \"deny\"] }");
	IS(DENIES, "path \"" PATH "\" { }");
	IS(READS, "path \"" PATH "\" {\n  capabilities = [\"list\", \"read\"]\n}");
	IS(READS, "path \"" PATH "\" { policy = \"write\" }");
}

TEST(of_several_rules_the_nearest_counts)
{
	IS(READS, DENY("secret/*") READ(PATH));
	IS(DENIES, READ("secret/*") DENY(PATH));
	IS(DENIES, READ("secret/data/*") DENY("secret/data/django/*"));
	IS(READS, DENY("secret/data/*") READ("secret/data/django/*"));
	IS(DENIES, DENY("secret/data/django/*") READ("secret/data/*"));
	IS(READS, READ("secret/*") DENY("secret/+/django/*"));
	IS(READS, DENY("secret/+/django/data*") READ("secret/+/django/database"));
	IS(DENIES, READ("secret/+/+/database*") DENY("secret/+/django/*"));
	IS(READS, DENY("secret/+/+/database") READ("secret/+/django/database"));
	IS(READS, READ(PATH) READ("database/creds/migrate") DENY("secret/data/another"));
}

TEST(what_is_a_comment_or_of_another_rule_grants_nothing)
{
	IS(SILENT, "# " READ(PATH) "// " READ(PATH) "/* " READ(PATH) " */");
	IS(SILENT, "/* " READ(PATH));
	IS(READS, "# \"\n" READ(PATH));
	IS(READS, "path \"" PATH "\" /* { */ { # }\n capabilities = [\"read\"] }");
	IS(DENIES, "path \"" PATH "\" { capabilities = [\"list\"] } " READ("other"));
	IS(DENIES, "path \"" PATH "\" { # \"read\"\n capabilities = [\"list\"] }");
	IS(SILENT, "path \"a\\\"" PATH "\" { capabilities = [\"read\"] }");
}

TEST(a_policy_in_json_is_read_too)
{
	IS(READS, "{\"path\": {\"" PATH "\": {\"capabilities\": [\"read\"]}}}");
	IS(READS,
	    "{\"path\":{\"a\":{\"capabilities\":[\"list\"]},\"" PATH
	    "\":{\"allowed_parameters\":{\"*\":[]},\"capabilities\":[\"read\"]}}}");
	IS(DENIES,
	    "{\"path\":{\"" PATH
	    "\":{\"capabilities\":[\"list\"]},\"b\":{\"capabilities\":[\"read\"]}}}");
}

TEST(what_is_cut_or_endless_is_read_to_its_end)
{
	static const char *const torn[] = { "path \"" PATH, "path \"" PATH "\" {",
		"path \"" PATH "\" { capabilities = [\"read\"]", "}}}{{{\"", "\"\\", "/*", "{{{{" };
	char longest[4096];

	for (size_t i = 0; i < COUNT(torn); i++)
		IS(SILENT, torn[i]);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '"';
	(void)snprintf(longest + 4000, sizeof(longest) - 4000, "\" { } ");
	IS(SILENT, longest);
}

TEST(an_answer_without_a_policy_is_none)
{
	static const char *const none[] = { "{}", "{\"data\":null}", "{\"data\":{\"policy\":7}}" };

	for (size_t i = 0; i < COUNT(none); i++) {
		struct json *root = json_decode(none[i], strlen(none[i]), NULL);

		assert_int_equal(vault_policy_of(root, PATH), VAULT_POLICY_NONE);
		json_free(root);
	}
	assert_int_equal(vault_policy_of(NULL, PATH), VAULT_POLICY_NONE);
}

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
