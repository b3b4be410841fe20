/* perform_picture.c - decrypts the secret of a new second factor, draws it, sends it, and forgets it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"

#include <sys/mman.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/qr.h"
#include "telegram/telegram.h"
#include "types/factor_secret.h"

#define PICTURE_MAX (128 * 1024)

#define CAPTION \
	"🔐 Scan this with your authenticator app, then write /2fa confirm and its six digits. Somebody else confirms that it is you. The picture is deleted in two minutes: do not forward it."

struct picture {
	struct effect *effect;
	struct telegram_file file;
};

static void
report(struct effect *effect, int64_t remote_id, const char *failure)
{
	if (failure != NULL && failure[0] != '\0')
		log_warning("the picture of a second factor was not sent: %s", failure);
	effect->result->u.message_sent.remote_id = remote_id;
	perform_sent(effect, failure);
}

static bool
draw_secret(const struct effect *effect, struct buf *out, struct err *err)
{
	const struct effect_picture *picture = &effect->u.picture;
	struct factor_secret secret;
	char uri[TOTP_URI];
	bool ok =
	    factor_secret_open(effect->settings, picture->person, picture->sealed, &secret, err);

	if (ok) {
		factor_secret_uri(effect->settings, picture->person, &secret, uri);
		ok = qr_png(uri, out, err);
	}
	crypto_wipe(&secret, sizeof(secret));
	crypto_wipe(uri, sizeof(uri));
	return ok;
}

/* The picture in memory that is nobody else's: no file system has it. */
static int
open_picture(const struct effect *effect, int64_t *ret_size, struct err *err)
{
	CLEANUP(buf_wipe) struct buf drawn = buf_make(PICTURE_MAX);
	CLEANUP(file_closep) int fd = -1;

	if (!draw_secret(effect, &drawn, err))
		return -1;
	fd = memfd_create("picture", MFD_CLOEXEC);
	*ret_size = (int64_t)drawn.size;
	if (fd < 0 || write(fd, buf_text(&drawn), drawn.size) != (ssize_t)drawn.size)
		return ERR_FD(err_set(err, ERR_IO, "the kernel gives no file in memory"));
	return TAKE_FD(fd);
}

static void
on_ended(void *ctx, const char *failure)
{
	struct picture *picture = ctx;
	struct effect *effect = picture->effect;
	int64_t remote_id = picture->file.remote_id;

	(void)close(picture->file.fd);
	free(picture);
	report(effect, remote_id, failure);
}

void
perform_picture(struct perform *perform, struct effect *effect)
{
	struct picture *picture = mem_new(1, sizeof(*picture));
	struct err err = { 0 };

	*picture = (struct picture){ .effect = effect,
		.file = { .address = { .chat = effect->u.picture.person },
		    .name = "2fa.png",
		    .caption = CAPTION,
		    .is_photo = true } };
	picture->file.fd = open_picture(effect, &picture->file.size, &err);
	if (picture->file.fd < 0) {
		free(picture);
		report(effect, 0, err.text);
	} else {
		telegram_document(
		    telegram_sender(perform->telegram), &picture->file, on_ended, picture);
	}
}

/* It may have been sent, and nobody would delete that one: the secret is drawn anew. */
void
recover_picture(UNUSED struct perform *perform, struct effect *effect)
{
	report(effect, 0, "deploybot was restarted meanwhile");
}
