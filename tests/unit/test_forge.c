/* Goal: a link leads to the repository's page at its host, has no secret in it, and is left out else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/forge.h"

#include "unit.h"

#define A40 "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
#define B40 "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c"

TEST(each_forge_has_its_pages)
{
	static const struct {
		const char *url;
		const char *page;
		const char *compare;
	} rows[] = {
		{ "https://github.com/acme/shop.git", "https://github.com/acme/shop/", "compare" },
		{ "git@github.com:acme/shop.git", "https://github.com/acme/shop/", "compare" },
		{ "https://x-token:s3cret@GitHub.com/acme/shop/", "https://github.com/acme/shop/",
		    "compare" },
		{ "ssh://git@gitlab.example.org:2222/group/sub/shop.git",
		    "https://gitlab.example.org/group/sub/shop/-/", "compare" },
		{ "https://gitlab.com/acme/shop", "https://gitlab.com/acme/shop/-/", "compare" },
		{ "https://codeberg.org/acme/shop.git", "https://codeberg.org/acme/shop/",
		    "compare" },
		{ "https://gitea.example.org:8443/acme/shop",
		    "https://gitea.example.org:8443/acme/shop/", "compare" },
		{ "forgejo.example.org:acme/shop", "https://forgejo.example.org/acme/shop/",
		    "compare" },
		{ "https://github.com/acme/sh op<b>&", "https://github.com/acme/sh%20op%3Cb%3E%26/",
		    "compare" },
	};
	char link[LIMIT_URL], wanted[LIMIT_URL];

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(forge_link(rows[i].url, B40, A40, link));
		(void)snprintf(wanted, sizeof(wanted), "%s%s/9f8e7d6c5b4a...1a2b3c4d5e6f",
		    rows[i].page, rows[i].compare);
		assert_string_equal(link, wanted);
		assert_true(forge_link(rows[i].url, "", A40, link));
		(void)snprintf(wanted, sizeof(wanted), "%scommit/1a2b3c4d5e6f", rows[i].page);
		assert_string_equal(link, wanted);
	}
}

TEST(what_is_not_known_has_none)
{
	static const char *const urls[] = { "https://git.example.org/acme/shop",
		"http://github.com/acme/shop", "/srv/git/shop.git", "file:///srv/github.com/a/b",
		"https://github.com", "https://github.com/shop", "https://github.com/../../x",
		"https://notgithub.com/acme/shop", "https://github.com.evil.example/../a/b",
		"https://git hub.com/a/b", "", "git@:a/b", "https://github.com/acme/.shop" };
	char link[LIMIT_URL], path[2 * LIMIT_URL] = "https://github.com/acme/";

	for (size_t i = 0; i < COUNT(urls); i++) {
		assert_false(forge_link(urls[i], B40, A40, link));
		assert_string_equal(link, "");
	}
	assert_false(forge_link(NULL, B40, A40, link));
	assert_false(forge_link("https://github.com/acme/shop", "", "", link));
	memset(path + strlen(path), 'x', LIMIT_URL);
	assert_false(forge_link(path, "", A40, link));
}

TEST(a_repository_has_its_path_at_its_own_forge_alone)
{
	static const char base[] = "https://gitlab.example.org";
	static const struct {
		const char *given, *url, *path;
	} rows[] = {
		{ NULL, "https://gitlab.example.org/group/sub/shop.git", "group/sub/shop" },
		{ NULL, "https://jo:secret@GitLab.example.org:8443/group/shop/", "group/shop" },
		{ NULL, "ssh://git@gitlab.example.org:2222/group/shop.git", "group/shop" },
		{ NULL, "git@ssh.gitlab.example.org:group/shop.git", "group/shop" },
		{ "other/shop", "https://gitlab.example.org/group/shop", "other/shop" },
		{ "group/shop", "/srv/git/shop.git", "group/shop" },
		{ "group/shop", NULL, "group/shop" },
		{ NULL, "/srv/git/group/shop.git", "" },
		{ NULL, NULL, "" },
		{ "group/shop", "https://gitea.example.org/group/shop", "" },
		{ NULL, "https://notgitlab.example.org/group/shop", "" },
		{ NULL, "https://gitlab.example.org.evil.example/group/shop", "" },
		{ "group/shop", "git@github.com:octo/shop.git", "" },
	};
	char path[LIMIT_REF];

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool is_there = forge_path(base, rows[i].given, rows[i].url, path);

		if (strcmp(path, rows[i].path) != 0 || is_there != (rows[i].path[0] != '\0'))
			fail_msg("%s, %s: %s", rows[i].given, rows[i].url, path);
	}
	assert_true(forge_path("http://127.0.0.1:8080/lab", NULL, "https://127.0.0.1/a/b", path));
}

/* GitLab says them as its administrator has set its clock. */
TEST(a_moment_is_known_by_its_offset)
{
	static const struct {
		const char *text;
		int64_t at;
	} rows[] = { { "2026-11-20T07:10:48Z", 1795158648000 },
		{ "2026-11-20T07:10:48.123Z", 1795158648000 },
		{ "2026-11-20T09:10:48.123+02:00", 1795158648000 },
		{ "2026-11-20T05:40:48-01:30", 1795158648000 }, { "2026-11-20T07:10:48", 0 },
		{ "2026-11-20T07:10:48 Z", 0 }, { "2026-11-20T07:10:48Zx", 0 },
		{ "2026-11-20T07:10:48+02:00x", 0 }, { "2026-11-20", 0 }, { "", 0 }, { NULL, 0 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t at = 0;

		assert_int_equal(forge_time_read(rows[i].text, &at), rows[i].at != 0);
		assert_int_equal(at, rows[i].at);
	}
}
