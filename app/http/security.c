/* security.c - headers that tell browsers what not to do: leat/security.h. Called by middleware.c. */
#include <leat/client.h>
#include <leat/security.h>
#include <stddef.h>

#include "http/header.h"
#include "http/request.h"

static const struct {
	const char *header;
	size_t member;
	const char *fallback;
} rows[] = {
	{ "Content-Security-Policy", offsetof(struct leat_security, content_policy),
	  "default-src 'none'; frame-ancestors 'none'" },
	{ "Referrer-Policy", offsetof(struct leat_security, referrer_policy), "no-referrer" },
	{ "Cross-Origin-Resource-Policy", offsetof(struct leat_security, resource_policy), "same-origin" },
	{ "Permissions-Policy", offsetof(struct leat_security, permissions), "" },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const struct leat_security fallback;

static const char *value_of(const struct leat_security *policy, unsigned row)
{
	const char *value = *(const char *const *)((const char *)policy + rows[row].member);

	return value ? value : rows[row].fallback;
}

static void add(struct leat_request *req, const char *name, leat_text value)
{
	if (!response_has_header(&req->response, name))
		response_add_header(&req->response, req->call.arena, leat_text_from(name), value);
}

void leat_security_after_(struct leat_request *req, const void *options)
{
	const struct leat_security *policy = options ? options : &fallback;

	add(req, "X-Content-Type-Options", LEAT_TEXT_OF("nosniff"));
	for (unsigned i = 0; i < ROW_COUNT; i++) {
		const char *value = value_of(policy, i);

		if (value[0])
			add(req, rows[i].header, leat_text_from(value));
	}
	if (policy->hsts_max_age_s > 0 && leat_client_is_https(req))
		add(req, "Strict-Transport-Security",
		    leat_format(req, "max-age=%u%s", policy->hsts_max_age_s,
				policy->hsts_subdomains ? "; includeSubDomains" : ""));
}

const char *leat_security_check_(const void *options)
{
	const struct leat_security *policy = options ? options : &fallback;

	for (unsigned i = 0; i < ROW_COUNT; i++)
		if (!header_is_value(leat_text_from(value_of(policy, i))))
			return "a value holds CR or LF";
	if (policy->hsts_subdomains && policy->hsts_max_age_s == 0)
		return "hsts_subdomains does nothing without hsts_max_age_s";
	return NULL;
}
