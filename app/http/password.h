/* password.h - is a password the one of a hash of crypt(3). All of leat's use of libcrypt.
 *
 * Use:
 *     struct password_work work;
 *     if (!password_prepare(&work, password, hash)) ...
 *     LEAT_TRY(leat_offload(req, password_run, &work, sizeof(work)));
 *     if (work.is_right) ...
 *     password_forget(&work);
 *
 * Ownership:      nothing to own; the work holds copies.
 * Thread-safety:  any thread. password_run takes milliseconds, and as much memory as the hash says (yescrypt: 16 MiB by default).
 * Errors:         not prepared: a text too long, or a NUL in it; no hash that leat takes. Then no password is right.
 */
#ifndef APP_HTTP_PASSWORD_H
#define APP_HTTP_PASSWORD_H

#include <leat/text.h>
#include <stdbool.h>

enum {
	PASSWORD_MAX = 511, /* libcrypt's own */
	PASSWORD_HASH_MAX = 383,
};

struct password_work {
	char password[PASSWORD_MAX + 1];
	char hash[PASSWORD_HASH_MAX + 1];
	bool is_right;
};

/* Of a user who does not exist; no password has it. */
extern const char password_nobody[];

/* yescrypt, bcrypt or SHA-512. */
bool password_is_hash(leat_text hash);

bool password_prepare(struct password_work *work, leat_text password, leat_text hash)
	__attribute__((warn_unused_result));
void password_run(void *work);
void password_forget(struct password_work *work);

#endif
