/* password.c - see password.h. Called by http/auth_basic, on an offload thread. */
#include "http/password.h"

#include <crypt.h>

#include "http/crypto.h"

const char password_nobody[] = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$...........................................";

bool password_is_hash(leat_text hash)
{
	static const char *const kinds[] = { "$y$", "$2b$", "$2a$", "$2y$", "$6$" };

	if (!hash.ptr || hash.len > PASSWORD_HASH_MAX || memchr(hash.ptr, '\0', hash.len))
		return false;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (leat_text_starts(hash, leat_text_from(kinds[i])))
			return true;
	return false;
}

static bool put(char *into, size_t size, leat_text text)
{
	if (text.len >= size || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(into, text.ptr, text.len);
	into[text.len] = '\0';
	return true;
}

bool password_prepare(struct password_work *work, leat_text password, leat_text hash)
{
	memset(work, 0, sizeof(*work));
	return password_is_hash(hash) && put(work->password, sizeof(work->password), password) &&
	       put(work->hash, sizeof(work->hash), hash);
}

/* What libcrypt cannot compute begins with '*', as no hash does. */
void password_run(void *arg)
{
	struct password_work *work = arg;
	struct crypt_data data = { .initialized = 0 };
	const char *own = crypt_rn(work->password, work->hash, &data, sizeof(data));
	size_t len = own && *own != '*' ? strlen(own) : 0;

	work->is_right = len > 0 && len == strlen(work->hash) && crypto_equal(own, work->hash, len);
	explicit_bzero(&data, sizeof(data));
	explicit_bzero(work->password, sizeof(work->password));
}

void password_forget(struct password_work *work)
{
	explicit_bzero(work, sizeof(*work));
}
