/* runner_order.c - what is taken as an order: of which epoch, and at a remote runner by which proof.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/runner_order.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/file_piece.h"
#include "lib/folder.h"
#include "lib/text.h"
#include "runner/run_folder.h"
#include "runner/state_files.h"

#define EPOCH_SIZE 21 /* of runs/epoch: digits, so many that each has room, and a newline */

bool
runner_order_epoch(int folder, const char *name, uint64_t *ret, struct err *err)
{
	char text[EPOCH_SIZE + 1];
	ssize_t n = file_read_small(folder, name, text, sizeof(text));

	*ret = 0;
	if (n == 0 || (n == -1 && errno == ENOENT))
		return true; /* it was cut before it counted, or nobody has said one */
	/* NOLINTNEXTLINE(cert-err34-c): of our own writing, and of so many digits */
	return (n == EPOCH_SIZE && sscanf(text, "%" SCNu64 "\n", ret) == 1) ||
	    err_set(
		err, ERR_CONFIG, "runs/epoch cannot be read: which server led last is not known");
}

bool
runner_order_open(struct runner_order *who, int root, struct err *err)
{
	who->root = root;
	return runner_order_epoch(root, "epoch", &who->epoch, err);
}

uint64_t
runner_order_highest(const struct runner_order *who)
{
	CLEANUP(folder_closep)
	DIR *folder = folder_take(
	    who->gate == NULL ? -1 : openat(who->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int64_t highest = 0, number;

	for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		if (text_to_i64(entry->d_name, highest, INT64_MAX, &number, NULL))
			highest = number;
	return (uint64_t)highest;
}

static bool
check_epoch(uint64_t epoch, uint64_t highest, struct err *err)
{
	return epoch == 0 || epoch >= highest ||
	    err_set(err, ERR_DENIED, "it is of epoch %" PRIu64 ", and epoch %" PRIu64 " has begun",
		epoch, highest);
}

/* On disk before it counts, and in its place there: a full disk refuses no higher one. */
static bool
keep_epoch(struct runner_order *who, uint64_t epoch, struct err *err)
{
	CLEANUP(file_closep) int fd = -1;

	if (epoch <= who->epoch)
		return true;
	fd = openat(who->root, "epoch", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd == -1 || dprintf(fd, "%0*" PRIu64 "\n", EPOCH_SIZE - 1, epoch) != EPOCH_SIZE ||
	    fsync(fd) != 0 || fsync(who->root) != 0)
		return err_errno(err, ERR_IO, errno, "writing runs/epoch");
	who->epoch = epoch;
	return true;
}

bool
runner_order_greet(struct runner_order *who, struct connections *connections,
    struct connection *connection, uint64_t epoch, struct err *err)
{
	uint64_t highest = who->epoch;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (connections->all[i].epoch > highest)
			highest = connections->all[i].epoch;
	if (!check_epoch(epoch, highest, err) ||
	    (who->gate == NULL && !keep_epoch(who, epoch, err)))
		return false;
	connection->epoch = epoch;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (connections->all[i].epoch != 0 && connections->all[i].epoch < epoch)
			connections->all[i].is_lost = true;
	return true;
}

struct order_shown
runner_order_shown(const struct protocol_message *order, const struct protocol_message *run,
    char work[PROTOCOL_WORK])
{
	return (struct order_shown){
		.bytes = { .kind = protocol_kind_name(order->kind),
		    .capability = protocol_work(run, work),
		    .run = run->id,
		    .epoch = order->proof.epoch,
		    .manifest = run->fingerprint,
		    .challenge = order->proof.challenge },
		.signature = order->proof.signature,
		.lowest = run->proof.epoch,
	};
}

static bool
say_challenge(const struct order_gate *gate, struct connections *connections,
    struct connection *connection, struct err *err)
{
	struct protocol_message answer = { .kind = PROTOCOL_CHALLENGE };

	if (!gate->draw(&connection->challenge, err))
		return false;
	memcpy(answer.proof.challenge, connection->challenge.hex, sizeof(answer.proof.challenge));
	connections_say(connections, connection->number, &answer);
	return true;
}

static void
say_piece(const struct runner_order *who, struct connections *connections,
    const struct connection *connection, const struct protocol_message *read)
{
	char name[40], bytes[PROTOCOL_PIECE_MAX], packet[PROTOCOL_PACKET_MAX];
	struct protocol_message answer = {
		.kind = PROTOCOL_PIECE, .id = read->id, .place = read->place, .body = bytes
	};
	struct file_piece piece = { .from = (int64_t)read->place.from - 1,
		.out = bytes,
		.room = read->place.from == 0 ? PROTOCOL_END_MAX : sizeof(bytes) };
	size_t size = 0;

	(void)snprintf(name, sizeof(name), "%" PRIu64 "/%s", read->id,
	    read->place.is_results ? RUN_FOLDER_RESULTS : "log");
	answer.body_len = file_piece(who->root, name, &piece);
	answer.place.size = (uint64_t)piece.size;
	if (protocol_encode(&answer, packet, sizeof(packet), &size, NULL)) /* it can be */
		connections_send(connections, connection->number, packet, size);
}

/* What answers no challenge: repeated, a state has a number that is too low, what is removed is
 * gone, and whoever asks again is answered what went the same way. */
static bool
is_proven(struct runner_order *who, const struct protocol_message *said, struct err *err)
{
	char work[PROTOCOL_WORK];
	struct order_bytes bytes = runner_order_shown(said, said, work).bytes;

	bytes.agent = who->gate->keys.name;
	if (said->proof.epoch < who->epoch ||
	    !who->gate->is_signed(said->proof.signature, &bytes, &who->gate->keys))
		return err_set(err, ERR_DENIED,
		    "%s: no order key that is known here has signed this for %s",
		    protocol_kind_name(said->kind), bytes.agent);
	return keep_epoch(who, said->proof.epoch, err);
}

/* Once one is missing the list of all is not taken either: what it has to say is said again behind
 * another hello. */
static void
take_state(struct runner_order *who, struct connections *connections, struct connection *connection,
    const struct protocol_message *said)
{
	struct protocol_message answer = { .kind = PROTOCOL_STATE_FILE, .id = said->id };
	bool is_list = said->environment[0] == '\0';
	struct err err;

	if (is_list && connection->states == CONNECTION_STATES_LOST) {
		(void)snprintf(answer.text, sizeof(answer.text), "one of them was not taken");
	} else if (is_proven(who, said, &err) && state_files_take(who->state, said, &err)) {
		who->fault[0] = '\0';
		if (is_list)
			connection->states = CONNECTION_STATES_WHOLE;
	} else {
		connection->states = CONNECTION_STATES_LOST;
		connections_text(who->fault, err.text);
		(void)fprintf(stderr, "deploybot-runner: a state: %s\n", who->fault);
		memcpy(answer.text, who->fault, sizeof(answer.text));
	}
	connections_say(connections, connection->number, &answer);
}

bool
runner_order_knows_states(
    const struct runner_order *who, const struct connections *connections, uint64_t number)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		const struct connection *one = &connections->all[i];

		if (one->number != 0 && one->states == CONNECTION_STATES_WHOLE &&
		    (number == 0 || one->number == number))
			return true;
	}
	return who->gate == NULL;
}

bool
runner_order_take(struct runner_order *who, struct connections *connections,
    struct connection *connection, const struct protocol_message *order, struct err *err)
{
	char work[PROTOCOL_WORK];
	struct order_shown shown;

	if (who->gate == NULL && order->kind == PROTOCOL_STATE_FILE)
		return err_set(err, ERR_INVALID, "state: no word of a local server");
	if (who->gate == NULL)
		return order->kind != PROTOCOL_RUN ||
		    check_epoch(order->proof.epoch, who->epoch, err);
	if (order->kind == PROTOCOL_STATE_FILE)
		take_state(who, connections, connection, order);
	if (order->kind == PROTOCOL_CHALLENGE)
		return say_challenge(who->gate, connections, connection, err);
	if (order->kind == PROTOCOL_READ)
		say_piece(who, connections, connection, order);
	if (order->kind == PROTOCOL_PURGE || order->kind == PROTOCOL_GIT_QUERY)
		return is_proven(who, order, err);
	if (order->kind != PROTOCOL_RUN)
		return true;
	shown = runner_order_shown(order, order, work);
	shown.lowest = who->epoch;
	return who->gate->check(&connection->challenge, &shown, &who->gate->keys, err) &&
	    keep_epoch(who, order->proof.epoch, err);
}

void
runner_order_void(struct connections *connections)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		connections->all[i].challenge = (struct order_challenge){ .due = 0 };
}
