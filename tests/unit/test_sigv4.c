/* Goal: requests are signed as AWS's own examples for S3 are, and as botocore signs ours.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/sigv4.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "unit.h"

#define NO_BODY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define LINE	"40fe96e5dc9e9822902a3f343389fa3cd531c145a19eb55881b0be5e9b0962e7" /* {"seq":1} */
#define EXAMPLE "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"

static const struct sigv4_credentials example = {
	.access_key = "AKIAIOSFODNN7EXAMPLE",
	.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

#define HEADERS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
expect(const struct sigv4_request *request, const char *token, const char *names,
    const char *signature)
{
	struct sigv4_credentials credentials = example;
	struct sigv4_lines lines;
	struct err err = { 0 };
	char wanted[SIGV4_AUTHORIZATION_MAX];

	credentials.token = token;
	if (!sigv4_sign(request, &credentials, &lines, &err))
		fail_msg("%s", err.text);
	(void)snprintf(wanted, sizeof(wanted),
	    EXAMPLE "%.8s/%s/s3/aws4_request, SignedHeaders=%s, Signature=%s",
	    lines.date + strlen("x-amz-date: "), request->region, names, signature);
	assert_string_equal(lines.authorization, wanted);
}

/* docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
TEST(the_four_examples_of_s3_have_their_signatures)
{
	static const struct sigv4_request base = { .method = "GET",
		.host = "examplebucket.s3.amazonaws.com",
		.path = "/",
		.payload = NO_BODY,
		.region = "us-east-1",
		.at = INT64_C(1369353600000) };
	struct sigv4_request request = base;

	request.path = "/test.txt";
	request.headers = HEADERS("Range: bytes=0-9");
	expect(&request, NULL, "host;range;x-amz-content-sha256;x-amz-date",
	    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

	request.method = "PUT";
	request.path = "/test%24file.text";
	request.headers = HEADERS(
	    "x-amz-storage-class: REDUCED_REDUNDANCY", "Date: Fri, 24 May 2013 00:00:00 GMT");
	request.payload = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	expect(&request, "", "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
	    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

	request = base;
	request.query = "lifecycle";
	expect(&request, NULL, "host;x-amz-content-sha256;x-amz-date",
	    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");

	request.query = "prefix=J&max-keys=2";
	expect(&request, NULL, "host;x-amz-content-sha256;x-amz-date",
	    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

/* Made by botocore 1.29.27 (S3SigV4Auth, at 2026-11-22T10:11:12Z). */
TEST(our_own_requests_are_signed_as_botocore_signs_them)
{
	static const struct sigv4_request base = { .method = "PUT",
		.host = "acme-audit.s3.eu-central-1.amazonaws.com",
		.path = "/deploybot-host.example/1-20-36fec2005dd1a0b4.jsonl",
		.payload = LINE,
		.region = "eu-central-1",
		.at = INT64_C(1795342272000) };
	struct sigv4_request request = base;

	request.headers = HEADERS("If-None-Match: *", "Content-Type: application/x-ndjson",
	    "x-amz-checksum-sha256: QP6W5dyemCKQKj80M4n6PNUxwUWhnrVYgbC+XpsJYuc=");
	expect(&request, NULL,
	    "content-type;host;if-none-match;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date",
	    "88c6a87da251da1e77007dab8d32d5f48f987f0fe0fb7739618756ac84e51628");

	request.host = "127.0.0.1:9000";
	request.path = "/acme-audit/deploybot-host.example/1-20-36fec2005dd1a0b4.jsonl";
	expect(&request, "IQoJb3JpZ2luX2VjE==",
	    "content-type;host;if-none-match;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date;"
	    "x-amz-security-token",
	    "5a11816f617864531e740f7ff4b492c33d459c5414f98fd2f032337aa092e139");

	request = base;
	request.method = "GET";
	request.payload = NO_BODY;
	request.path = "/";
	request.query = "versions&prefix=deploybot-a%2F&key-marker=a%20b%2B~%C3%A4&max-keys=1000";
	expect(&request, NULL, "host;x-amz-content-sha256;x-amz-date",
	    "c04ea45c977812286d7b1a6423a980085023d23460bf04b53ee2ca5544ea6fcc");

	request.path = "/a%20b/%C3%A4~.jsonl";
	request.query = "versionId=x.Y_z-1";
	request.headers = HEADERS("x-amz-checksum-mode:   ENABLED   or  not ");
	expect(&request, NULL, "host;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date",
	    "3a9f840bc6e90cfecfcbc3f3c4fd014ac2571815ca049d3d704d1c7a4e5d3c67");
}

TEST(what_is_sent_beside_them_stands_in_the_lines)
{
	const struct sigv4_request request = { .method = "GET",
		.host = "h",
		.path = "/",
		.payload = NO_BODY,
		.region = "us-east-1",
		.at = INT64_C(1369353600999) };
	struct sigv4_credentials credentials = example;
	struct sigv4_lines lines;

	assert_true(sigv4_sign(&request, &credentials, &lines, NULL));
	assert_string_equal(lines.date, "x-amz-date: 20130524T000000Z");
	assert_string_equal(lines.payload, "x-amz-content-sha256: " NO_BODY);
	assert_string_equal(lines.token, "");
	credentials.token = "a/b+c==";
	assert_true(sigv4_sign(&request, &credentials, &lines, NULL));
	assert_string_equal(lines.token, "x-amz-security-token: a/b+c==");
}

TEST(what_cannot_be_signed_is_refused_without_a_secret)
{
	static const struct sigv4_request base = {
		.method = "GET", .host = "h", .path = "/", .payload = NO_BODY, .region = "us-east-1"
	};
	char long_secret[SIGV4_SECRET_KEY_MAX + 2], long_token[SIGV4_TOKEN_MAX + 2];
	const char *many[SIGV4_HEADERS_MAX + 1] = { NULL };
	struct {
		struct sigv4_request request;
		struct sigv4_credentials credentials;
		const char *says;
	} rows[] = {
		{ base, { "", "hush", NULL }, "no key of AWS" },
		{ base, { "AKIA", "", NULL }, "no key of AWS" },
		{ base, { "AKIA\nX: y", "hush", NULL }, "no key of AWS" },
		{ base, { "AKIA", long_secret, NULL }, "no key of AWS" },
		{ base, { "AKIA", "hush", long_token }, "no session token of AWS" },
		{ base, { "AKIA", "hush", "a\r\nX: y" }, "no session token of AWS" },
		{ base, { "AKIA", "hush", NULL }, "\"Not A Region\" is no region" },
		{ base, { "AKIA", "hush", NULL }, "not \"Name: value\"" },
		{ base, { "AKIA", "hush", NULL }, "there twice" },
		{ base, { "AKIA", "hush", NULL }, "more than 16 headers" },
		{ base, { "AKIA", "hush", NULL }, "more than 32 names" },
	};

	memset(long_secret, 's', sizeof(long_secret) - 1);
	long_secret[sizeof(long_secret) - 1] = '\0';
	memset(long_token, 't', sizeof(long_token) - 1);
	long_token[sizeof(long_token) - 1] = '\0';
	for (size_t i = 0; i < SIGV4_HEADERS_MAX; i++)
		many[i] = "x: y";
	rows[6].request.region = "Not A Region";
	rows[7].request.headers = HEADERS("no colon");
	rows[8].request.headers = HEADERS("X-Amz-Date: now");
	rows[9].request.headers = many;
	rows[10].request.query =
	    "a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a";
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sigv4_lines lines;
		struct err err = { 0 };

		assert_false(sigv4_sign(&rows[i].request, &rows[i].credentials, &lines, &err));
		if (strstr(err.text, rows[i].says) == NULL)
			fail_msg("%zu: %s", i, err.text);
		assert_null(strstr(err.text, "hush"));
		assert_null(strstr(err.text, "sss"));
		assert_null(strstr(err.text, "ttt"));
	}
}

TEST(what_is_sent_is_encoded)
{
	struct buf out;

	buf_init(&out, 256);
	sigv4_encode(&out, "a b/\xc3\xa4-._~$+?&=%:", true);
	assert_string_equal(buf_text(&out), "a%20b/%C3%A4-._~%24%2B%3F%26%3D%25%3A");
	buf_clear(&out);
	sigv4_encode(&out, "deploybot-a/", false);
	assert_string_equal(buf_text(&out), "deploybot-a%2F");
	buf_done(&out);
}
