/* docs.c - see docs.h. Called by openapi_serve.c at the start. */
#include "http/docs.h"

#include <string.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "http/crypto.h"

static const char html[] =
#include "http/docs/page.html.inc"
	;
static const char style[] =
#include "http/docs/page.css.inc"
	;
static const char script[] =
#include "http/docs/page.js.inc"
	;

/* "</script>" in a text would end the element that holds the document. In JSON '<' stands in strings alone. */
static void put_document(struct buffer *page, leat_text document)
{
	while (document.len > 0) {
		const char *found = memchr(document.ptr, '<', document.len);
		size_t len = found ? (size_t)(found - document.ptr) : document.len;

		buffer_bytes(page, document.ptr, len);
		if (!found)
			break;
		buffer_text(page, LEAT_TEXT_OF("\\u003c"));
		document = (leat_text){ found + 1, document.len - len - 1 };
	}
}

/* The text up to the mark, and its replacement is the caller's; what is behind the mark. */
static const char *put_until(struct buffer *page, const char *text, const char *mark)
{
	const char *found = strstr(text, mark);

	buffer_bytes(page, text, found ? (size_t)(found - text) : strlen(text));
	return found ? found + strlen(mark) : "";
}

static void put_digest(struct buffer *policy, const char *text)
{
	uint8_t digest[CRYPTO_SHA256_SIZE];

	if (!crypto_sha256(leat_text_from(text), digest)) {
		buffer_text(policy, LEAT_TEXT_OF("'none'"));
		return;
	}
	buffer_text(policy, LEAT_TEXT_OF("'sha256-"));
	buffer_commit(policy,
		      base64_write(buffer_reserve(policy, base64_size(sizeof(digest))), digest, sizeof(digest)));
	buffer_byte(policy, '\'');
}

static leat_text make_policy(struct arena *arena)
{
	struct buffer policy;

	buffer_init(&policy, arena, 512);
	buffer_text(&policy, LEAT_TEXT_OF("default-src 'none'; style-src "));
	put_digest(&policy, style);
	buffer_text(&policy, LEAT_TEXT_OF("; script-src "));
	put_digest(&policy, script);
	buffer_text(&policy, LEAT_TEXT_OF("; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
					  "frame-ancestors 'none'; require-trusted-types-for 'script'"));
	return buffer_as_text(&policy);
}

void docs_make(struct docs *docs, struct arena *arena, leat_text document)
{
	struct buffer page;
	const char *rest = html;

	buffer_init(&page, arena, sizeof(html) + sizeof(style) + sizeof(script) + 2 * document.len);
	rest = put_until(&page, rest, "{{style}}");
	buffer_text(&page, leat_text_from(style));
	rest = put_until(&page, rest, "{{document}}");
	put_document(&page, document);
	rest = put_until(&page, rest, "{{script}}");
	buffer_text(&page, leat_text_from(script));
	buffer_text(&page, leat_text_from(rest));
	docs->page = buffer_as_text(&page);
	docs->policy = make_policy(arena);
}
