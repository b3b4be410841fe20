/* Goal: what is sent is what is read, and nothing that is out of bounds is either.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/protocol.h"

#include "lib/buf.h"
#include "unit.h"

#include <limits.h>

static bool
decodes(const char *text)
{
	static struct protocol_message message;

	return protocol_decode(text, strlen(text), &message, NULL);
}

static void
round_trip(const struct protocol_message *message, struct protocol_message *ret)
{
	static char packet[PROTOCOL_PACKET_MAX];
	struct err err = { .text = "" };
	size_t len = 0;

	if (!protocol_encode(message, packet, sizeof(packet), &len, &err) ||
	    !protocol_decode(packet, len, ret, &err))
		fail_msg("%s", err.text);
}

#define IMAGE "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(an_order_is_read_as_it_was_sent)
{
	struct protocol_message run = { .kind = PROTOCOL_RUN,
		.id = 17,
		.program = PROTOCOL_PROGRAM_ROLLBACK,
		.environment = "staging",
		.argument = "1a2b3c4d",
		.deadline_s = 600,
		.grace_s = 10,
		.deployment = 42,
		.previous = "9f8e7d6c",
		.without = "h2,10.77.0.12,fd00::1",
		.source = SOURCE_UPLOAD,
		.tree = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.proof.installation = "0123456789abcdef0123456789abcdef",
		.ref = "feature/\xc3\xa4 $(id)" };
	struct protocol_message read;

	round_trip(&run, &read);
	assert_memory_equal(&run, &read, sizeof(run));
}

TEST(what_is_signed_of_an_order_is_what_a_runner_of_before_knows_too)
{
	struct protocol_message run = { .kind = PROTOCOL_RUN,
		.program = PROTOCOL_PROGRAM_DEPLOY,
		.environment = "staging",
		.argument = "1a2b3c4d" };
	char before[PROTOCOL_WORK], now[PROTOCOL_WORK];

	assert_int_equal(strlen(protocol_work(&run, before)), PROTOCOL_WORK - 1);
	memcpy(run.proof.installation, "0123456789abcdef0123456789abcdef", 33);
	assert_string_equal(protocol_work(&run, now), before);
	run.argument[0] = '2';
	assert_string_not_equal(protocol_work(&run, now), before);
	(void)protocol_work(&run, before);
	run.source = SOURCE_UPLOAD;
	assert_string_not_equal(protocol_work(&run, now), before);
	(void)protocol_work(&run, before);
	memset(run.tree, 'a', sizeof(run.tree) - 1);
	assert_string_not_equal(protocol_work(&run, now), before);
}

static struct protocol_message
order(void)
{
	return (struct protocol_message){ .kind = PROTOCOL_RUN,
		.id = 17,
		.program = PROTOCOL_PROGRAM_ROLLBACK,
		.environment = "staging",
		.argument = "1a2b3c4d",
		.deadline_s = 600,
		.deployment = 42 };
}

/* Its hosts too: a link that takes one out, or adds one, is noticed. */
TEST(what_is_signed_of_an_order_has_its_hosts)
{
	struct protocol_message run = order();
	char before[PROTOCOL_WORK], now[PROTOCOL_WORK];

	(void)protocol_work(&run, before);
	run.body = "web1:22\nweb2:22\n";
	run.body_len = strlen(run.body);
	assert_string_not_equal(protocol_work(&run, now), before);
	(void)protocol_work(&run, before);
	run.body_len = strlen("web1:22\n");
	assert_string_not_equal(protocol_work(&run, now), before);
}

TEST(an_order_for_some_hosts_is_read_as_it_was_sent_and_one_without_is_as_before)
{
	static const char *const bad[] = { "web1", "web1:22", "web1:22\n\n", "\n", "Web1:22\n",
		"= none\n", "web1:22\n= none\n", "= none\n= none\nweb1:22\n", "= \nweb1:22\n",
		"= x\nweb1:22\n", "-o:22\n", "web1:22 \n" };
	struct protocol_message run = order(), read;
	char without[PROTOCOL_PACKET_MAX], with[PROTOCOL_PACKET_MAX];
	size_t len_without = 0, len = 0;

	assert_true(protocol_encode(&run, without, sizeof(without), &len_without, NULL));
	assert_null(memmem(without, len_without, "\n\n", 2));
	run.body = "= 1a2b3c4d\nweb1:22\n= target:before-1\n[::1]:2222\n= none\nweb3:22\n";
	run.body_len = strlen(run.body);
	memcpy(run.wave, "10/10", sizeof("10/10"));
	run.failures_max = 20;
	assert_true(protocol_encode(&run, with, sizeof(with), &len, NULL));
	assert_true(protocol_decode(with, len, &read, NULL));
	assert_int_equal(read.body_len, run.body_len);
	assert_memory_equal(read.body, run.body, run.body_len);
	assert_string_equal(read.wave, "10/10");
	assert_int_equal(read.failures_max, 20);
	run.body = "web3:22\n= 1a2b3c4d\nweb1:22\n"; /* a deployment's */
	assert_true(protocol_are_hosts(run.body, strlen(run.body)));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(protocol_are_hosts(bad[i], strlen(bad[i])));
	for (const char *const *wave = (const char *const[]){ "0/1", "1/", "/1", "1", "100/1",
		 "1/100", "1/0", "a/b", NULL };
	     *wave != NULL; wave++) {
		memset(run.wave, 0, sizeof(run.wave));
		memcpy(run.wave, *wave, strlen(*wave));
		assert_false(protocol_encode(&run, with, sizeof(with), &len, NULL));
	}
}

#define CHALLENGE "0123456789abcdef0123456789abcdef"
#define DIGEST	  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(what_an_agent_is_ordered_and_says_is_read_as_it_was_sent)
{
	struct protocol_message sent[] = {
		{ .kind = PROTOCOL_CHALLENGE },
		{ .kind = PROTOCOL_CHALLENGE, .proof.challenge = CHALLENGE },
		{ .kind = PROTOCOL_GO,
		    .proof.challenge = CHALLENGE,
		    .proof.signature = DIGEST DIGEST,
		    .proof.epoch = INT64_MAX },
		{ .kind = PROTOCOL_HELLO,
		    .version = PROTOCOL_VERSION,
		    .proof.epoch = 1,
		    .manifest = { DIGEST, 2,
			{ { "disk-free", DIGEST }, { "restart-web", DIGEST } } } },
	};
	struct protocol_message read;

	for (size_t i = 0; i < COUNT(sent); i++) {
		round_trip(&sent[i], &read);
		assert_memory_equal(&sent[i], &read, sizeof(read));
	}
}

TEST(capabilities_and_signatures_that_are_none_are_refused)
{
	CLEANUP(buf_done) struct buf much = buf_make(PROTOCOL_PACKET_MAX);

	assert_true(decodes("hello\nversion 3\ncapability a " DIGEST "\n"));
	assert_false(decodes("hello\nversion 3\ncapability a\n"));
	assert_false(decodes("hello\nversion 3\ncapability a " DIGEST "0\n"));
	assert_false(decodes("hello\nversion 3\ncapability A " DIGEST "\n"));
	assert_false(decodes("hello\nversion 3\ncapability "
			     "a234567890123456789012345678901 " DIGEST "\n"));
	assert_false(decodes("hello\nversion 3\nmanifest 0\n"));
	assert_false(decodes("go\nchallenge 0\n"));
	assert_false(decodes("go\nsignature " DIGEST "\n"));
	assert_false(decodes("challenge\nchallenge 0123456789ABCDEF0123456789abcdef\n"));
	buf_adds(&much, "hello\nversion 3\n");
	for (size_t i = 0; i < PROTOCOL_CAPABILITIES_MAX; i++)
		buf_adds(&much, "capability a " DIGEST "\n");
	assert_true(decodes(buf_text(&much)));
	buf_adds(&much, "capability a " DIGEST "\n");
	assert_false(decodes(buf_text(&much)));
}

static void
fill_warnings(struct protocol_record *record)
{
	record->warning_count = INT_MAX;
	for (size_t i = 0; i < PROTOCOL_WARNINGS; i++)
		memset(record->warnings[i], 'w', PROTOCOL_WARNING);
}

TEST(a_record_is_read_as_it_was_sent)
{
	struct protocol_message sent = { .kind = PROTOCOL_RECONCILED,
		.id = 1,
		.state = PROTOCOL_STATE_ENDED,
		.record = { .gate = true,
		    .released = true,
		    .no_rollback = true,
		    .drains = true,
		    .undone = true,
		    .timed_out = true,
		    .ended = true,
		    .lost = true,
		    .exec_errno = 2,
		    .status = 255,
		    .signal = 9,
		    .ended_at = 1795160052259,
		    .image = IMAGE } };
	struct protocol_message read;

	for (size_t i = 0; i < PROTOCOL_STEPS_ROOM; i++) {
		sent.steps[i].at = 1795160052259;
		memset(sent.steps[i].name, 'n', PROTOCOL_STEP_NAME);
	}
	sent.step_count = PROTOCOL_STEPS_ROOM;
	fill_warnings(&sent.record);
	round_trip(&sent, &read);
	assert_memory_equal(&sent, &read, sizeof(sent));
}

/* Whoever connects late, or hears each step, knows the image before the target changes. */
TEST(an_image_comes_with_hello_and_with_each_step)
{
	static const struct {
		const char *packet;
		const char *image;
	} cases[] = {
		{ "hello\nversion 1\nimage " IMAGE "\n", IMAGE },
		{ "step\nimage " IMAGE "\nstep 1 release\n", IMAGE },
		{ "go\nimage x\n", "" }, /* not one of its fields */
	};
	static struct protocol_message read;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(protocol_decode(cases[i].packet, strlen(cases[i].packet), &read, NULL));
		assert_string_equal(read.record.image, cases[i].image);
	}
}

TEST(the_largest_record_fits_its_room_on_disk)
{
	static char packet[PROTOCOL_RECORD_BYTES - 1];
	struct protocol_message sent = { .kind = PROTOCOL_EXIT,
		.step_count = PROTOCOL_STEPS_ROOM,
		.record = { .ended_at = INT64_MAX, .image = IMAGE } };
	size_t len;

	for (size_t i = 0; i < PROTOCOL_STEPS_ROOM; i++) {
		sent.steps[i].at = INT64_MAX;
		memset(sent.steps[i].name, 'n', PROTOCOL_STEP_NAME);
	}
	fill_warnings(&sent.record);
	assert_true(protocol_encode(&sent, packet, sizeof(packet), &len, NULL));
}

TEST(an_answer_carries_any_bytes_up_to_its_cap)
{
	static char body[PROTOCOL_ANSWER_MAX + 1], packet[PROTOCOL_PACKET_MAX];
	struct protocol_message answer = { .kind = PROTOCOL_ANSWER,
		.id = 3,
		.record = { .status = 69 },
		.text = "why",
		.body = body,
		.body_len = PROTOCOL_ANSWER_MAX };
	static struct protocol_message read;
	size_t len;

	memset(body, '\n', sizeof(body));
	body[7] = '\0';
	assert_true(protocol_encode(&answer, packet, sizeof(packet), &len, NULL));
	assert_true(protocol_decode(packet, len, &read, NULL));
	assert_int_equal(read.body_len, PROTOCOL_ANSWER_MAX);
	assert_memory_equal(read.body, body, PROTOCOL_ANSWER_MAX);
	assert_int_equal(read.record.status, 69);
	packet[len] = 'x'; /* a packet may be larger than an answer */
	assert_false(protocol_decode(packet, len + 1, &read, NULL));
	answer.body_len++;
	assert_false(protocol_encode(&answer, packet, sizeof(packet), &len, NULL));
}

TEST(a_state_carries_the_largest_file_of_its_kind)
{
	static char body[PROTOCOL_STATE_MAX + 1], packet[PROTOCOL_PACKET_MAX];
	struct protocol_message live = { .kind = PROTOCOL_STATE_FILE,
		.id = INT64_MAX,
		.application = "aaaaaaaaaaaaaaaaaaaa",
		.environment = "aaaaaaaaaaaaaaaaaaaa",
		.body = body,
		.body_len = PROTOCOL_STATE_MAX };
	static struct protocol_message read;
	size_t len;

	memset(body, 'a', sizeof(body));
	assert_true(protocol_encode(&live, packet, sizeof(packet), &len, NULL));
	assert_true(protocol_decode(packet, len, &read, NULL));
	assert_int_equal(read.body_len, PROTOCOL_STATE_MAX);
	packet[len] = 'a';
	assert_false(protocol_decode(packet, len + 1, &read, NULL));
	live.body_len++;
	assert_false(protocol_encode(&live, packet, sizeof(packet), &len, NULL));
	assert_true(decodes("state\nnumber 0\n\n"));
	assert_false(decodes("state\nenvironment staging\n\n"));
}

/* A script says what it likes, and a text may be cut between bytes. */
TEST(a_text_that_is_no_utf8_is_made_one)
{
	static const char step[] = "step\nstep 1 a\xff\xc0\xaf\xed\xa0\x80\xc3\xa9\xe2\x82\n",
			  cut[] = "progress\nid 7\ntext \xc3\n";
	struct protocol_message read;

	assert_true(protocol_decode(step, sizeof(step) - 1, &read, NULL));
	assert_string_equal(read.steps[0].name, "a??????\xc3\xa9??");
	assert_true(protocol_decode(cut, sizeof(cut) - 1, &read, NULL));
	assert_string_equal(read.text, "?");
}

TEST(what_a_newer_version_adds_is_skipped)
{
	assert_true(decodes("settle\nid 7\ncolour blue\n"));
	assert_true(decodes("hello\nversion 2\nsteps_more 1\n"));
}

/* Supervisors of 0.1.0 outlive an upgrade, and their records stay on disk. */
TEST(what_0_1_0_says_and_nobody_reads_is_skipped)
{
	static const char grew[] = "grew\nlog_size 7\n";
	static const char hello[] = "hello\nversion 1\npid 9\nstart 8\ngate 1\nlog_size 5\n";
	static const char record[] = "exit\nlog_size 5\ngate 1\nstatus 65\nuser_ms 1\n"
				     "system_ms 2\nmax_rss_kb 3\nended_at 1795160052259\n"
				     "step 1 build\n";
	static struct protocol_message read;

	assert_true(protocol_decode(grew, strlen(grew), &read, NULL));
	assert_int_equal(read.kind, PROTOCOL_GREW);
	assert_true(protocol_decode(hello, strlen(hello), &read, NULL));
	assert_true(read.record.gate && read.pid == 9);
	assert_true(protocol_decode(record, strlen(record), &read, NULL));
	assert_int_equal(read.record.status, 65);
	assert_int_equal(read.record.ended_at, 1795160052259);
	assert_int_equal(read.step_count, 1);
}

TEST(what_is_out_of_bounds_is_refused)
{
#define HEX64	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define RUN_BUT "run\nid 1\nprogram deploy\nenvironment staging\nargument 1a2b3c4\ndeployment 7\n"
	static const char *const wrong[] = {
		"",
		"\n",
		"run",
		"nothing\n",
		"settle\nid 1",
		"settle\nid\n",
		"settle\nid \n",
		"settle\nid -1\n",
		"settle\nid +1\n",
		"settle\nid 01\n",
		"settle\nid 1 \n",
		"settle\nid 0x1\n",
		"settle\nid 9223372036854775808\n",
		"settle\nid 99999999999999999999999\n",
		"settle\nid 1\nid 1\n",
		"settle\nid 1\n\nbody",
		"settle\n",
		"settle\nid 0\n",
		"hello\n",
		"hello\nversion 1\nboot 0123456789abcdef\n",
		"hello\nversion 1\nboot 01234567-89ab-cdef-0123-456789abcdeg\n",
		"step\n",
		"step\nstep 1\n",
		"step\nstep x y\n",
		"step\nstep 1 \n",
		"step\nstep 1 a\nstep 1 b\n",
		"step\nstep 1 a\nimage \n",
		"step\nstep 1 a\nimage sha256:1\n",
		"step\nstep 1 a\nimage " IMAGE "0\n",
		"step\nstep 1 a\nimage " IMAGE "\nimage " IMAGE "\n",
		"ask\nid 1\nquestion none\n",
		"ask\nid 1\nquestion \n",
		RUN_BUT,
		RUN_BUT "deadline_s 0\n",
		RUN_BUT "deadline_s 90001\n",
		RUN_BUT "deadline_s 60\ngrace_s 601\n",
		RUN_BUT "deadline_s 60\nprevious x\n",
		RUN_BUT "deadline_s 60\nwithout h2 $(id)\n",
		RUN_BUT "deadline_s 60\nsource svn\n",
		RUN_BUT "deadline_s 60\nsource Upload\n",
		RUN_BUT "deadline_s 60\nsource upload\ntree 0123\n",
		RUN_BUT "deadline_s 60\nref \n",
		RUN_BUT "deadline_s 60\nref a\tb\n",
		"ask\nid 1\nquestion heads\nbranches \n",
		"ask\nid 1\nquestion heads\nbranches a\tb\n",
		"ask\nid 1\nquestion commits\nblocked 1a2b3c4 -x\n",
		"ask\nid 1\nquestion commits\nblocked 1a2b3c4  1a2b3c5\n",
		"ask\nid 1\nquestion commits\nblocked 1a2b3c4 \n",
		"ask\nid 1\nquestion commits\nblocked " HEX64 "0 1a2b3c4\n",
		RUN_BUT "deadline_s 60\nfingerprint 1a2b3c4\n",
		RUN_BUT "deadline_s 60\nfingerprint " HEX64 "0\n",
		RUN_BUT "deadline_s 60\nfingerprint " HEX64 "g\n",
		"exit\nstatus 256\n",
		"exit\ngate 2\n",
		"exit\nsignal 128\n",
	};

	assert_true(decodes(RUN_BUT "deadline_s 60\n"));
	assert_true(decodes(RUN_BUT "deadline_s 60\nfingerprint " HEX64 "\n"));
	assert_true(decodes("hello\nversion 1\nboot 01234567-89ab-cdef-0123-456789abcdef\n"));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (decodes(wrong[i]))
			fail_msg("accepted: %s", wrong[i]);
	}
}

/* A line of the longest field still fits, a longer one and one with a NUL do not. */
TEST(a_line_that_is_too_long_or_has_a_nul_is_refused)
{
	static struct protocol_message message;
	static const char nul[] = "go\nnew\0er 1\n";
	static char text[8800];

	for (int size = 8702; size <= 8705; size++) {
		(void)snprintf(text, sizeof(text), "go\nnewer %0*d\n", size - 6, 0);
		assert_int_equal(decodes(text), size < 8704);
	}
	assert_false(protocol_decode(nul, sizeof(nul) - 1, &message, NULL));
}

TEST(more_steps_than_there_is_room_for_are_refused)
{
	static char text[4096];
	char *at = text + snprintf(text, sizeof(text), "exit\n");

	for (size_t i = 0; i < PROTOCOL_STEPS_ROOM; i++)
		at += snprintf(at, 16, "step 1 a\n");
	assert_true(decodes(text));
	(void)snprintf(at, 16, "step 1 a\n");
	assert_false(decodes(text));
}

static bool
encodes(const struct protocol_message *message, size_t room)
{
	static char packet[PROTOCOL_PACKET_MAX];
	size_t size;

	return protocol_encode(message, packet, room, &size, NULL);
}

/* Whoever makes a mistake hears of it, not whoever reads it. */
TEST(what_is_out_of_bounds_is_not_sent)
{
	struct protocol_message message = { .kind = PROTOCOL_STEP, .step_count = 1 };

	assert_false(encodes(&message, PROTOCOL_PACKET_MAX)); /* no name */
	(void)snprintf(message.steps[0].name, sizeof(message.steps[0].name), "a\tb");
	assert_false(encodes(&message, PROTOCOL_PACKET_MAX));
	message.steps[0].name[1] = 'b';
	assert_true(encodes(&message, PROTOCOL_PACKET_MAX));
	message.steps[0].at = -1;
	assert_false(encodes(&message, PROTOCOL_PACKET_MAX));
	message.step_count = PROTOCOL_STEPS_ROOM + 1;
	assert_false(encodes(&message, PROTOCOL_PACKET_MAX));

	message = (struct protocol_message){ .kind = PROTOCOL_RUN,
		.id = 1,
		.program = PROTOCOL_PROGRAM_DEPLOY,
		.argument = "1a2b3c4",
		.deadline_s = 60,
		.deployment = 7 };
	assert_false(encodes(&message, PROTOCOL_PACKET_MAX)); /* where? */
	memset(message.environment, 'a', sizeof(message.environment));
	assert_false(encodes(&message, PROTOCOL_PACKET_MAX)); /* without end */
	message.environment[1] = '\0';
	assert_true(encodes(&message, PROTOCOL_PACKET_MAX));
}

TEST(what_does_not_fit_is_not_sent_in_part)
{
	struct protocol_message reconcile = { .kind = PROTOCOL_RECONCILE, .id = 1 };
	struct protocol_message answer = { .kind = PROTOCOL_ANSWER, .id = 1, .body_len = 4 };
	static char packet[64];
	size_t whole, size;

	answer.body = "body";
	assert_true(protocol_encode(&reconcile, packet, sizeof(packet), &whole, NULL));
	assert_int_equal(whole, strlen("settle\nid 1\n"));
	for (size_t room = 0; room <= whole + 1; room++) /* a NUL stands behind it */
		assert_int_equal(
		    protocol_encode(&reconcile, packet, room, &size, NULL), room > whole);
	assert_true(protocol_encode(&answer, packet, sizeof(packet), &whole, NULL));
	for (size_t room = 0; room <= whole; room++)
		assert_int_equal(
		    protocol_encode(&answer, packet, room, &size, NULL), room >= whole);
}

TEST(names_are_what_the_lists_allow)
{
	static const char hex64[] =
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	char image[200], ref[258];

	(void)snprintf(image, sizeof(image), "1a2b3c4@sha256:%s", hex64);
	assert_true(protocol_is_commit(hex64));
	assert_false(protocol_is_commit("1a2b3c"));
	assert_false(protocol_is_commit("1A2B3C4"));
	assert_false(protocol_is_commit(image));
	assert_true(protocol_is_release("1a2b3c4"));
	assert_true(protocol_is_release(image));
	(void)snprintf(image, sizeof(image), "1a2b3c4@sha256:%sg", hex64);
	assert_false(protocol_is_release(image)); /* one character too many */
	(void)snprintf(image, sizeof(image), "1a2b3c4@sha256:%.63s", hex64);
	assert_false(protocol_is_release(image));
	(void)snprintf(image, sizeof(image), "1a2b3c4@sha512:%s", hex64);
	assert_false(protocol_is_release(image));
	(void)snprintf(image, sizeof(image), "%sa", hex64);
	assert_false(protocol_is_commit(image));
	assert_false(protocol_is_release(image));
	assert_false(protocol_is_release("1a2b3c"));
	assert_false(protocol_is_release(""));
	assert_true(protocol_is_release(hex64));
	assert_true(protocol_is_release("target:before-0123456789abcdef"));
	assert_true(protocol_is_release("target:a23456789012345678901234567890"));
	assert_false(protocol_is_release("target:a234567890123456789012345678901"));
	assert_false(protocol_is_release("target:"));
	assert_false(protocol_is_release("target:-f"));
	assert_false(protocol_is_release("target:../x"));
	assert_false(protocol_is_release("target:A"));
	assert_true(protocol_is_commit("1a2b3c4"));
	assert_true(protocol_is_ref("r"));
	assert_false(protocol_is_ref(""));
	assert_false(protocol_is_ref("a\x1f"));
	assert_false(protocol_is_ref("\x7f"));
	assert_true(protocol_is_ref(" \x80~"));
	memset(ref, 'r', sizeof(ref));
	ref[256] = '\0';
	assert_false(protocol_is_ref(ref));
	ref[255] = '\0';
	assert_true(protocol_is_ref(ref));
	assert_true(protocol_is_ref("--upload-pack=x"));
	assert_false(protocol_is_ref("a\nb"));
}
