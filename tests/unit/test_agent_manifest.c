/* Goal: what an agent may start are the actions whose executor is HOST, from files that are root's.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent/manifest.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/unit_digest.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"
#include "types/action.h"
#include "unit.h"

TEST(capabilities_are_the_actions_of_a_host_and_their_deadlines)
{
	static const struct {
		const char *name;
		int deadline_s;
	} ours[] = {
#define C(name, deadline_s) { name, deadline_s },
		MANIFEST_CAPABILITIES(C)
#undef C
	};
	uint32_t found = 0;

	for (size_t i = 0; i < COUNT(ours); i++) {
		assert_true(i == 0 || strcmp(ours[i - 1].name, ours[i].name) < 0);
		if (strcmp(ours[i].name, MANIFEST_RELEASE) == 0)
			continue; /* no action */
		assert_non_null(action_find(ours[i].name));
		assert_int_equal(action_find(ours[i].name)->deadline_s, ours[i].deadline_s);
		found |= action_bit(action_find(ours[i].name));
	}
	assert_int_equal(found, action_set_by(ACTION_BY_HOST));
}

static char folder[64], path[96];

static int
set_up(UNUSED void **state)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/agent_manifest.XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/x.service", folder);
	assert_true(file_write(path, "one", 3, 0644, NULL));
	return 0;
}

static int
tear_down(UNUSED void **state)
{
	(void)unlink(path);
	return rmdir(folder);
}

/* "": it is refused. */
static const char *
digest(const char *of)
{
	CLEANUP(crypto_sha256_freep) struct crypto_sha256 *hash = crypto_sha256_new(NULL);
	uint8_t bytes[CRYPTO_SHA256_SIZE];
	static char ret[2][65];
	static size_t next;
	char *out = ret[next++ % 2];

	out[0] = '\0';
	if (!unit_digest_add(hash, of, NULL))
		return out;
	assert_true(crypto_sha256_finish(hash, bytes, NULL));
	text_hex(out, bytes, sizeof(bytes));
	return out;
}

TEST_WITH(a_digest_is_of_name_and_bytes, set_up, tear_down)
{
	char other[96];

	if (geteuid() != 0)
		skip(); /* files of root are looked for */
	(void)snprintf(other, sizeof(other), "%s/y.service", folder);
	assert_true(file_write(other, "one", 3, 0644, NULL));
	assert_string_not_equal(digest(path), "");
	assert_string_equal(digest(path), digest(path));
	assert_string_not_equal(digest(path), digest(other));
	assert_true(file_write(other, "two", 3, 0644, NULL));
	assert_int_equal(rename(other, path), 0);
	assert_string_not_equal(digest(path), "");
}

TEST_WITH(a_file_that_is_not_roots_alone_has_none, set_up, tear_down)
{
	char link[96], through[128];

	if (geteuid() != 0)
		skip();
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink(path, link), 0);
	assert_string_equal(digest(link), "");
	assert_int_equal(unlink(link), 0);
	assert_string_equal(digest(link), "");
	assert_int_equal(chmod(path, 0664), 0);
	assert_string_equal(digest(path), "");
	assert_int_equal(chmod(path, 0646), 0);
	assert_string_equal(digest(path), "");
	assert_int_equal(chmod(path, 0644), 0);
	for (mode_t mode = 0777; mode <= 01777; mode += 01000) {
		assert_int_equal(chmod(folder, mode), 0);
		assert_string_equal(digest(path), "");
	}
	assert_int_equal(chmod(folder, 0700), 0);
	(void)snprintf(link, sizeof(link), "%s.link", folder);
	assert_int_equal(symlink(folder, link), 0);
	(void)snprintf(through, sizeof(through), "%s/x.service", link);
	assert_string_equal(digest(through), "");
	assert_int_equal(unlink(link), 0);
	assert_string_not_equal(digest(path), "");
	assert_int_equal(chown(path, 1, 0), 0);
	assert_string_equal(digest(path), "");
}

TEST_WITH(a_file_of_64_kb_is_read_and_a_larger_one_is_not, set_up, tear_down)
{
	static char much[UNIT_DIGEST_FILE_MAX + 1];

	if (geteuid() != 0)
		skip();
	assert_true(file_write(path, much, sizeof(much) - 1, 0644, NULL));
	assert_string_not_equal(digest(path), "");
	assert_true(file_write(path, much, sizeof(much), 0644, NULL));
	assert_string_equal(digest(path), "");
}
