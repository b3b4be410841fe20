/* Goal: a role's keys are asked for where they may be, and an answer that has none gives none.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/aws_credentials_answer.h"

#include "lib/err.h"
#include "unit.h"

#define NOW INT64_C(1795341600000) /* 2026-11-22T10:00:00Z */
#define KEYS(expires, more) \
	"{\"AccessKeyId\":\"ASIAROLE\",\"SecretAccessKey\":\"half\",\"Token\":\"a/b+c==\"," \
	"\"Expiration\":\"" expires "\"" more "}"

TEST(a_container_s_keys_are_asked_for_at_allowed_addresses_alone)
{
	static const struct {
		const char *relative, *full, *url; /* NULL: refused */
	} rows[] = {
		{ NULL, NULL, "" },
		{ "", "", "" },
		{ "/v2/credentials/1", NULL, "http://169.254.170.2/v2/credentials/1" },
		{ "/v2/credentials/1", "http://evil.example/",
		    "http://169.254.170.2/v2/credentials/1" },
		{ ".evil.example/", NULL, NULL },
		{ "@evil.example/", NULL, NULL },
		{ NULL, "https://keys.example/role", "https://keys.example/role" },
		{ NULL, "http://localhost:80/x", "http://localhost:80/x" },
		{ NULL, "http://127.0.0.9/x", "http://127.0.0.9/x" },
		{ NULL, "http://[::1]:8080/x", "http://[::1]:8080/x" },
		{ NULL, "http://169.254.170.23/v1/credentials",
		    "http://169.254.170.23/v1/credentials" },
		{ NULL, "http://[fd00:ec2::23]/v1", "http://[fd00:ec2::23]/v1" },
		{ NULL, "http://169.254.169.254/latest", NULL },
		{ NULL, "http://evil.example/x", NULL },
		{ NULL, "http://169.254.170.2.evil.example/", NULL },
		{ NULL, "file:///etc/passwd", NULL },
		{ NULL, "http://localhost/\r\nX: y", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct aws_source source = { .relative_uri = rows[i].relative,
			.full_uri = rows[i].full };
		char url[256];
		struct err err = { 0 };
		bool ok = aws_container_url(&source, url, sizeof(url), &err);

		if (ok != (rows[i].url != NULL) || (ok && strcmp(url, rows[i].url) != 0))
			fail_msg("%zu: %s %s", i, url, err.text);
	}
}

TEST(a_role_is_one_name)
{
	static const char *const wrong[] = { "", "\n", "a b", "<html>", "a\nb", "a/b" };
	char role[AWS_ROLE_MAX], long_name[AWS_ROLE_MAX + 1];

	assert_true(aws_read_role("acme-deploybot\n", 15, role, NULL));
	assert_string_equal(role, "acme-deploybot");
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (aws_read_role(wrong[i], strlen(wrong[i]), role, NULL))
			fail_msg("\"%s\" is a role", wrong[i]);
	memset(long_name, 'a', sizeof(long_name));
	assert_false(aws_read_role(long_name, sizeof(long_name), role, NULL));
}

TEST(keys_are_read_whole_or_not_at_all)
{
	static const struct {
		const char *body, *says; /* NULL: they are read */
	} rows[] = {
		{ KEYS("2026-11-22T16:00:00Z", ",\"Code\":\"Success\""), NULL },
		{ KEYS("2026-11-22T16:00:00Z", ""), NULL },
		{ KEYS("2026-11-22T16:00:00Z", ",\"Code\":\"AssumeRoleUnauthorizedAccess\""),
		    "no keys now: AssumeRoleUnauthorizedAccess" },
		{ KEYS("2026-11-22T10:00:00Z", ""), "expired" },
		{ KEYS("tomorrow", ""), "has no keys" },
		{ "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"b\",\"Expiration\":"
		  "\"2026-11-22T16:00:00Z\"}",
		    "has no keys" },
		{ "[]", "has no keys" },
		{ "<html>", "has no keys" },
		{ "", "has no keys" },
	};
	struct aws_keys keys;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = { 0 };
		bool ok = aws_read_keys(rows[i].body, strlen(rows[i].body), NOW, &keys, &err);

		if (ok != (rows[i].says == NULL) || (!ok && strstr(err.text, rows[i].says) == NULL))
			fail_msg("%zu: %s", i, err.text);
		assert_null(strstr(err.text, "half"));
	}
	assert_true(aws_read_keys(rows[0].body, strlen(rows[0].body), NOW, &keys, NULL));
	assert_string_equal(keys.access_key, "ASIAROLE");
	assert_string_equal(keys.secret_key, "half");
	assert_string_equal(keys.token, "a/b+c==");
	assert_int_equal(keys.expires_at, NOW + 6 * INT64_C(3600000));
}
