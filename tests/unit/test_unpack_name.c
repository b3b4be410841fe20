/* test_unpack_name.c - goal: which names and contents of an archive are refused, and for what.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/unpack_name.h"
#include "unit.h"

#define TEN(x)	x x x x x x x x x x
#define DEEP_32 TEN("a/") TEN("a/") TEN("a/") "a/a"

struct row {
	const char *name;
	enum unpack_why why;
	const char *path; /* what it becomes, where it is taken */
};

static void
assert_row(const struct row *row)
{
	struct unpack_refusal refusal = { .why = UNPACK_NONE };
	char path[UNPACK_PATH_MAX + 1];
	bool is_taken = unpack_name_check(row->name, path, &refusal);

	if (is_taken != (row->why == UNPACK_NONE) || refusal.why != row->why)
		fail_msg("%s: %s, for %s", row->name, is_taken ? "taken" : refusal.text,
		    unpack_why_words[refusal.why]);
	if (is_taken)
		assert_string_equal(path, row->path);
	else
		assert_true(refusal.text[0] != '\0');
}

TEST(what_is_taken_is_taken_as_it_is)
{
	static const struct row rows[] = { { "index.html", UNPACK_NONE, "index.html" },
		{ "a/b/c.css", UNPACK_NONE, "a/b/c.css" }, { "a/", UNPACK_NONE, "a" },
		{ "./", UNPACK_NONE, "" }, { ".", UNPACK_NONE, "" },
		{ "./a/./b", UNPACK_NONE, "a/b" }, { "a..b", UNPACK_NONE, "a..b" },
		{ "...a", UNPACK_NONE, "...a" }, { "a&b$c(d)", UNPACK_NONE, "a&b$c(d)" },
		{ " a b", UNPACK_NONE, " a b" },
		{ "\xE6\x97\xA5\xE6\x9C\xAC.html", UNPACK_NONE, "\xE6\x97\xA5\xE6\x9C\xAC.html" },
		{ ".gitignore", UNPACK_NONE, ".gitignore" },
		{ "a/.github/x", UNPACK_NONE, "a/.github/x" },
		{ ".env.example", UNPACK_NONE, ".env.example" },
		{ ".envrc", UNPACK_NONE, ".envrc" }, { "env", UNPACK_NONE, "env" },
		{ "id_rsa.pub", UNPACK_NONE, "id_rsa.pub" }, { "tls.pem", UNPACK_NONE, "tls.pem" },
		{ DEEP_32, UNPACK_NONE, DEEP_32 } };

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(&rows[i]);
}

TEST(a_way_out_is_traversal_whatever_else_it_is)
{
	static const char *const names[] = { "/", "/etc/passwd", "//a", "..", "../a", "a/..",
		"a/../b", "./../a", "a/./../../b", "../../.ssh/x", "../$(id)", "../a\\b" };

	for (size_t i = 0; i < COUNT(names); i++)
		assert_row(&(struct row){ names[i], UNPACK_TRAVERSAL, NULL });
}

TEST(a_name_that_reads_as_something_else_is_refused)
{
	static const char *const names[] = { NULL, "a\nb", "a\rb", "a\tb", "a\x1b[2J", "a\x7f",
		"a\x01", "a\xE2\x80\xAE.exe", "a\xE2\x80\x8B", "a\xE2\x80\xA8",
		"\xEF\xBB\xBF"
		"a",
		"caf\xE9", "a\xC0\xAF", "a\xED\xA0\x80", "a\xF4\x90\x80\x80", "a\xE2\x82", "a\\b",
		"a;b", "a&&b", "$(id)", "-a", "a/-b", "a.", "a ", "a./b", "a /b", ".git",
		".git/config", "a/.git", ".GIT/x", "a//b", "a//" };

	for (size_t i = 0; i < COUNT(names); i++)
		assert_row(&(struct row){ names[i], UNPACK_NAME, NULL });
}

TEST(a_name_has_255_bytes_a_path_1024_and_32_folders)
{
	char name[UNPACK_PATH_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[UNPACK_NAME_MAX] = '\0';
	assert_row(&(struct row){ name, UNPACK_NONE, name });
	name[UNPACK_NAME_MAX] = 'n';
	name[UNPACK_NAME_MAX + 1] = '\0';
	assert_row(&(struct row){ name, UNPACK_BOMB, NULL });
	memset(name, 'n', sizeof(name));
	for (size_t at = 200; at < sizeof(name); at += 200)
		name[at] = '/';
	name[UNPACK_PATH_MAX] = '\0';
	assert_row(&(struct row){ name, UNPACK_NONE, name });
	name[UNPACK_PATH_MAX] = 'n';
	name[UNPACK_PATH_MAX + 1] = '\0';
	assert_row(&(struct row){ name, UNPACK_BOMB, NULL });
	assert_row(&(struct row){ "a/" DEEP_32, UNPACK_BOMB, NULL });
}

TEST(where_secrets_are_kept_is_no_archive)
{
	static const char *const names[] = { ".env", "a/.env", ".env.production", ".ENV", ".Env.x",
		".env/x", ".env.example.bak", ".ssh/config", ".ssh", "a/.ssh/x", "id_rsa", "id_dsa",
		"id_ecdsa", "id_ed25519", "a/ID_RSA" };

	for (size_t i = 0; i < COUNT(names); i++)
		assert_row(&(struct row){ names[i], UNPACK_SECRET, NULL });
}

TEST(a_private_key_or_login_is_found_by_what_a_file_holds)
{
	static const struct {
		const char *path;
		const char *head;
		bool is_refused;
	} rows[] = { { "tls.pem", "x\n-----BEGIN RSA PRIVATE KEY-----\n", true },
		{ "a/TLS.KEY", "-----BEGIN PRIVATE KEY-----\n", true },
		{ "tls.pem", "-----BEGIN CERTIFICATE-----\n", false },
		{ "key.txt", "-----BEGIN PRIVATE KEY-----\n", false },
		{ ".npmrc", "//r/:_authToken=x", true }, { "a/.npmrc", "_password=x", true },
		{ ".npmrc", "registry=https://r/", false },
		{ ".netrc", "machine a login b password c", true },
		{ ".netrc", "machine a", false },
		{ ".dockercfg", "{\"r\":{\"auth\":\"x\"}}", true }, { ".dockercfg", "{}", false } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct unpack_refusal refusal = { .why = UNPACK_NONE };
		bool is_taken = unpack_name_check_content(
		    rows[i].path, rows[i].head, strlen(rows[i].head), &refusal);

		if (is_taken == rows[i].is_refused)
			fail_msg("%s with %s", rows[i].path, rows[i].head);
		assert_int_equal(refusal.why, is_taken ? UNPACK_NONE : UNPACK_SECRET);
	}
}

TEST(an_entry_is_shown_without_what_it_was_refused_for)
{
	struct unpack_refusal refusal;

	assert_false(unpack_refuse(&refusal, UNPACK_NAME, "a\x1b[2J\xE2\x80\xAE\nb", "is odd"));
	assert_string_equal(refusal.text, "\"a[2J b\" is odd");
	assert_false(unpack_refuse(&refusal, UNPACK_BOMB, NULL, "it is odd"));
	assert_string_equal(refusal.text, "it is odd");
}
