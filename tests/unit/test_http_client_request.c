/* Goal: what is asked goes out as it was said, and only where it may go.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "http_client_aid.h"

#include <netinet/in.h>

#define STREAM_SIZE (3 * 1024 * 1024)

CLIENT_TEST(a_body_is_sent_with_its_method_and_type)
{
	const struct http_client_config config = { 0 };
	const char *const headers[] = { "Content-Type: application/json", NULL };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/take", &outcome);
	char body[] = "{\"a\":\"b\"}";

	client_aid_start(f, &config);
	request.body = body;
	request.body_size = sizeof(body) - 1;
	request.headers = headers;
	assert_non_null(http_client_start(f->client, &request, NULL));
	memset(body, 'x', sizeof(body));
	UNTIL(f, outcome.times == 1);
	assert_string_equal(f->seen, "POST application/json ");
	assert_string_equal(f->body, "{\"a\":\"b\"}");
	request.method = "PUT";
	request.body_size = 0;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 2);
	assert_string_equal(f->seen, "PUT application/json ");
	assert_int_equal(f->body_size, 0);
	request.body = NULL;
	request.method = "POST";
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 3);
	assert_int_equal(outcome.status, 200);
	assert_int_equal(f->body_size, 0);
	f->url[strlen(f->url) - 4] = '\0';
	(void)snprintf(f->url + strlen(f->url), 8, "hello");
	request.method = "HEAD";
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 4);
	assert_int_equal(outcome.code, ERR_NONE);
	assert_string_equal(outcome.body, "");
	assert_string_equal(f->seen, "HEAD agent=none x=none");
}

static ssize_t
read_letters(void *ctx, char *buffer, size_t size)
{
	struct client_aid *f = ctx;

	if (size > f->stream_left)
		size = f->stream_left;
	memset(buffer, 'z', size);
	f->stream_left -= size;
	return (ssize_t)size;
}

static void
send_document(struct client_aid *f, struct outcome *outcome, size_t there_is)
{
	const struct http_client_config config = { 0 };
	struct http_client_part parts[] = {
		{ .name = "chat_id", .value = "-100123" },
		{ .name = "document",
		    .filename = "deploy \"7\".log",
		    .type = "text/plain",
		    .read = read_letters,
		    .read_ctx = f,
		    .read_size = STREAM_SIZE },
	};
	struct http_client_request request = client_aid_request(f, "/take", outcome);

	client_aid_start(f, &config);
	f->stream_left = there_is;
	request.parts = parts;
	request.part_count = COUNT(parts);
	assert_non_null(http_client_start(f->client, &request, NULL));
	memset(parts, 0, sizeof(parts));
	UNTIL(f, outcome->times > 0);
}

CLIENT_TEST(a_document_is_streamed_as_a_form)
{
	struct outcome outcome = { 0 };

	send_document(f, &outcome, STREAM_SIZE + 100);
	assert_string_equal(outcome.text, "");
	assert_int_equal(outcome.status, 200);
	assert_int_equal(strncmp(f->seen, "POST multipart/form-data; boundary=", 35), 0);
	assert_int_equal(f->seen[strlen(f->seen) - 1], ' ');
	assert_int_equal(f->stream_left, 100);
	assert_non_null(strstr(f->body, "name=\"chat_id\"\r\n\r\n-100123\r\n"));
	assert_non_null(strstr(f->body, "filename=\"deploy %227%22.log\""));
	assert_non_null(strstr(f->body, "Content-Type: text/plain\r\n\r\nzzz"));
	assert_in_range(f->body_size, STREAM_SIZE + 100, STREAM_SIZE + 1000);
}

CLIENT_TEST(a_document_that_ends_early_fails_the_call)
{
	struct outcome outcome = { 0 };

	send_document(f, &outcome, STREAM_SIZE - 1);
	assert_int_equal(outcome.code, ERR_IO);
	assert_int_equal(outcome.status, 0);
	assert_null(f->body);
}

CLIENT_TEST(who_refuses_the_connection_is_named_by_label_only)
{
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/hello", &outcome);

	client_aid_start(f, &config);
	http_server_quiesce(f->server);
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.code, ERR_IO);
	assert_string_equal(outcome.text, "probe: cannot connect: Connection refused");
}

static bool
is_not_loopback(const struct sockaddr *address, const void *ctx)
{
	const struct sockaddr_in *in = (const void *)address;

	(**(unsigned *const *)ctx)++;
	return address->sa_family == AF_INET && ntohl(in->sin_addr.s_addr) != INADDR_LOOPBACK;
}

CLIENT_TEST(an_address_that_is_not_allowed_is_not_connected_to)
{
	unsigned times = 0, *of_times = &times;
	const struct http_client_config config = { .address_is_allowed = is_not_loopback,
		.address_ctx = &of_times };
	struct outcome outcome = { 0 };

	client_aid_start(f, &config);
	(void)client_aid_get(f, "/hello", &outcome);
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.code, ERR_DENIED);
	assert_int_equal(times, 1);
	assert_int_equal(f->asked, 0);
}

CLIENT_TEST(other_protocols_and_bad_urls_fail)
{
	static const char *const urls[] = { "file:///etc/passwd", "gopher://127.0.0.1/",
		"http://127.0.0.1:99999/" SECRET, "http://a b/" SECRET };
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/hello", &outcome);

	client_aid_start(f, &config);
	for (size_t i = 0; i < COUNT(urls); i++) {
		request.url = urls[i];
		assert_non_null(http_client_start(f->client, &request, NULL));
		UNTIL(f, outcome.times == i + 1);
		assert_int_equal(outcome.code, ERR_INVALID);
	}
}

CLIENT_TEST(the_environment_names_no_proxy_but_the_settings_do)
{
	struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };
	struct err err;

	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	client_aid_start(f, &config);
	(void)client_aid_get(f, "/hello", &outcome);
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.status, 200);
	assert_int_equal(unsetenv("http_proxy"), 0);
	http_client_free(f->client);
	assert_int_equal(setenv("no_proxy", "127.0.0.1", 1), 0);
	config.proxy = "http://127.0.0.1:1";
	client_aid_start(f, &config);
	(void)client_aid_get(f, "/hello", &outcome);
	UNTIL(f, outcome.times == 2);
	assert_int_equal(outcome.code, ERR_IO);
	assert_int_equal(unsetenv("no_proxy"), 0);
	config.address_is_allowed = is_not_loopback;
	config.proxy = "ftp://user:" SECRET "@127.0.0.1";
	assert_null(http_client_new(f->loop, &config, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	assert_null(strstr(err.text, SECRET));
}
