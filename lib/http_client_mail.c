/* http_client_mail.c - hands a message of mail to curl.  Side: loop. */
/* SPDX-License-Identifier: ISC */

#include "lib/http_client_inside.h"

#include <stdio.h>
#include <time.h>

#include "lib/base64.h"
#include "lib/buf.h"
#include "lib/text.h"

#define HEADERS_MAX 4096
#define WORD_BYTES  45 /* of an encoded word, which has at most 75 letters (RFC 2047, section 2) */

/* No line break, no header of its own: what is not plain is encoded anyhow. */
static void
add_encoded(struct buf *line, const char *text)
{
	char word[BASE64_SIZE(WORD_BYTES)];
	size_t size = strlen(text);

	for (size_t at = 0, n; at < size; at += n) {
		n = text_cut(text + at, size - at, WORD_BYTES);
		if (n == 0)
			n = size - at < WORD_BYTES ? size - at : WORD_BYTES;
		buf_addf(
		    line, "%s=?UTF-8?B?%s?=", at > 0 ? " " : "", base64_encode(text + at, n, word));
	}
}

static void
write_date(int64_t at, char *out, size_t room)
{
	time_t seconds = (time_t)(at / 1000);
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&seconds, &tm) != NULL)
		(void)strftime(out, room, "%a, %d %b %Y %H:%M:%S +0000", &tm);
}

static bool
add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	*list = longer != NULL ? longer : *list;
	return longer != NULL;
}

static bool
set_headers(struct http_client_call *call, const struct http_client_mail *mail)
{
	CLEANUP(buf_done) struct buf subject = buf_make(HEADERS_MAX);
	CLEANUP(buf_done) struct buf others = buf_make(HEADERS_MAX);
	char *rest, *line, date[64];

	buf_adds(&subject, "Subject: ");
	add_encoded(&subject, mail->subject);
	write_date(mail->at, date, sizeof(date));
	buf_addf(&others,
	    "Date: %s\nFrom: <%s>\nTo: <%s>\nMessage-ID: <%s>\nAuto-Submitted: auto-generated",
	    date, mail->from, mail->to, mail->id);
	if (buf_failed(&subject) || buf_failed(&others) || !add(&call->headers, buf_text(&subject)))
		return false;
	rest = others.data;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (!add(&call->headers, line))
			return false;
	return true;
}

bool
http_client_mail_set(struct http_client_call *call, const struct http_client_mail *mail)
{
	long tls = mail->is_in_clear ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL;
	curl_mimepart *part;

	if (!set_headers(call, mail) || !add(&call->recipients, mail->to))
		return false;
	call->mime = curl_mime_init(call->easy);
	part = call->mime == NULL ? NULL : curl_mime_addpart(call->mime);
	return part != NULL && curl_mime_data(part, mail->text, CURL_ZERO_TERMINATED) == CURLE_OK &&
	    curl_mime_type(part, "text/plain; charset=utf-8") == CURLE_OK &&
	    curl_mime_encoder(part, "quoted-printable") == CURLE_OK &&
	    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers) == CURLE_OK &&
	    curl_easy_setopt(call->easy, CURLOPT_MAIL_FROM, mail->from) == CURLE_OK &&
	    curl_easy_setopt(call->easy, CURLOPT_MAIL_RCPT, call->recipients) == CURLE_OK &&
	    curl_easy_setopt(call->easy, CURLOPT_USE_SSL, tls) == CURLE_OK &&
	    curl_easy_setopt(call->easy, CURLOPT_MIMEPOST, call->mime) == CURLE_OK;
}
