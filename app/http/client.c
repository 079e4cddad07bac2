/* client.c - see client.h and leat/client.h. Called by handlers, by pipeline.c for the access log, and by security.c. */
#include "http/client.h"

#include <leat/client.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/metrics.h"
#include "http/parameter.h"
#include "http/request.h"

/* Whom to believe. */
static struct {
	unsigned count;
	bool has_unix; /* who comes to the front server by a Unix socket */
	enum forwarded_form form;
	unsigned hops_max;
	struct address_network networks[CLIENT_NETWORKS_MAX];
} proxies;

/* What is known so far. */
struct client {
	bool is_told; /* by a header */
	struct address address;
	bool is_https;
};

/* Settings ----------------------------------------------------------------------------------------------------------- */

static const char *add_proxy(leat_text entry)
{
	const char *wrong;

	if (leat_text_equal(entry, LEAT_TEXT_OF("unix:"))) {
		proxies.has_unix = true;
		return NULL;
	}
	if (proxies.count == CLIENT_NETWORKS_MAX)
		return "is one too many: 512 are the most";
	wrong = address_read_network(entry, &proxies.networks[proxies.count]);
	if (!wrong)
		proxies.count++;
	return wrong;
}

bool client_setup(const char *trusted, enum forwarded_form form, unsigned hops_max, char fault[CLIENT_FAULT_SIZE])
{
	leat_text rest = leat_text_from(trusted);

	proxies.count = 0;
	proxies.has_unix = false;
	proxies.form = form;
	proxies.hops_max = hops_max;
	while (rest.len > 0) {
		leat_text entry = parameter_head(&rest, ',');
		const char *wrong = add_proxy(entry);

		if (!wrong)
			continue;
		snprintf(fault, CLIENT_FAULT_SIZE, "trusted_proxies: '%.*s' %s", (int)(entry.len < 64 ? entry.len : 64),
			 entry.ptr, wrong);
		return false;
	}
	return true;
}

static bool is_trusted(const struct address *address)
{
	for (unsigned i = 0; i < proxies.count; i++)
		if (address_is_within(&proxies.networks[i], address))
			return true;
	return false;
}

/* nginx calls a Unix socket "unix:", lighttpd by its path. */
static bool is_peer_trusted(leat_text peer)
{
	struct address address;

	if (peer.len > 0 && (peer.ptr[0] == '/' || leat_text_starts(peer, LEAT_TEXT_OF("unix:"))))
		return proxies.has_unix;
	return address_read(peer, &address) && is_trusted(&address);
}

/* The walk ------------------------------------------------------------------------------------------------------------ */

static bool stop(enum metric metric)
{
	metrics_add(metric, 1);
	return false;
}

static void take_scheme(struct client *client, leat_text word)
{
	if (parameter_equals(word, "https"))
		client->is_https = true;
	else if (parameter_equals(word, "http"))
		client->is_https = false;
}

/* False: the walk ends with it. */
static bool take_hop(struct client *client, const struct forwarded_hop *hop)
{
	if (hop->node == FORWARDED_MALFORMED)
		return stop(METRIC_FORWARDED_MALFORMED);
	take_scheme(client, hop->proto);
	if (hop->node == FORWARDED_HIDDEN)
		return false;
	client->is_told = true;
	client->address = hop->address;
	return is_trusted(&hop->address);
}

static const char *value_of(const char *param, leat_text name)
{
	return strncmp(param, name.ptr, name.len) == 0 ? param + name.len : NULL;
}

/* The value of a parameter; NULL when there is none, or several: they may be lines of one header, but also what a client has sent as
 * X_Forwarded_For, which some front servers give the same name. */
static const char *only_value(const char *const *params, leat_text name, unsigned *ret_count)
{
	const char *only = NULL;

	*ret_count = 0;
	for (; *params; params++) {
		const char *value = value_of(*params, name);

		if (value && (*ret_count)++ == 0)
			only = value;
	}
	return *ret_count == 1 ? only : NULL;
}

static void walk(struct client *client, const char *header)
{
	leat_text rest = leat_text_from(header);
	struct forwarded_hop hop;

	for (unsigned count = 0; forwarded_last(proxies.form, &rest, &hop); count++) {
		if (count == proxies.hops_max) {
			log_limited(LOG_LEVEL_WARN,
				    "a request came through more proxies than setting forwarded_max allows");
			stop(METRIC_FORWARDED_MAX);
			return;
		}
		if (!take_hop(client, &hop))
			return;
	}
}

static void ask_proxies(struct client *client, const char *const *params)
{
	leat_text name = proxies.form == FORWARDED_X_FOR ? LEAT_TEXT_OF("HTTP_X_FORWARDED_FOR=")
							 : LEAT_TEXT_OF("HTTP_FORWARDED=");
	unsigned count;
	const char *value = only_value(params, name, &count);

	if (value)
		walk(client, value);
	else if (count > 1)
		stop(METRIC_FORWARDED_LINES);
	value = only_value(params, LEAT_TEXT_OF("HTTP_X_FORWARDED_PROTO="), &count);
	if (value && proxies.form == FORWARDED_X_FOR) {
		const char *comma = strrchr(value, ',');

		take_scheme(client, parameter_trim(leat_text_from(comma ? comma + 1 : value)));
	}
}

static bool is_on(const char *value)
{
	return value && (strcasecmp(value, "on") == 0 || strcmp(value, "1") == 0);
}

static void resolve(struct leat_request *req)
{
	unsigned count;
	struct client client = { .is_https = is_on(only_value(req->params, LEAT_TEXT_OF("HTTPS="), &count)) };
	char text[ADDRESS_TEXT_SIZE];

	req->is_client_known = true;
	if (is_peer_trusted(req->client))
		ask_proxies(&client, req->params);
	req->is_https = client.is_https;
	if (client.is_told) {
		req->client.len = address_write(text, &client.address);
		req->client.ptr = arena_copy(req->call.arena, text, req->client.len);
	}
}

leat_text leat_client_address(struct leat_request *req)
{
	if (!req->is_client_known && (proxies.count > 0 || proxies.has_unix))
		resolve(req);
	return req->client;
}

bool leat_client_is_https(struct leat_request *req)
{
	if (!req->is_client_known)
		resolve(req);
	return req->is_https;
}
