/* leat/client.h - who is at the other end: the client's address, and how it came.
 *
 * Use:
 *     leat_text address = leat_client_address(req);         -- "203.0.113.7", "2001:db8::1"
 *     if (!leat_client_is_https(req)) ...
 *
 * The front server says who has connected to it (REMOTE_ADDR) and whether by TLS (HTTPS). It is believed. If what has connected is
 * another proxy, a CDN for example, the client is one or more steps further away, and headers tell of it. Anybody can send such headers, so they are
 * read only if the setting trusted_proxies, empty by default, has the address that is known so far:
 *
 *     trusted_proxies = 173.245.48.0/20, 2400:cb00::/32, 10.1.2.3, unix:
 *
 * Networks and addresses of both families, divided by commas; unix: is whoever comes to the front server by a Unix socket. The front server itself is not
 * named. Then one header, the setting forwarded_header says which, is read from its right end: each address in it was told by the one to its right. The
 * walk ends at the first that is not trusted: that is the client. What stands further to the left, anybody may have made up.
 *
 * forwarded_header = x-forwarded-for: the addresses of X-Forwarded-For. The scheme is that of the last word of X-Forwarded-Proto, if it is http or
 * https: the nearest proxy must set it, and not pass on what it was sent.
 * forwarded_header = forwarded: RFC 7239; the scheme is proto of the elements that were read. The other headers are not looked at, never both.
 * X-Forwarded-Host, X-Forwarded-Prefix and X-Real-IP never are: leat writes no URLs with a host.
 *
 * What is malformed, hidden ("unknown", "_name") or absent ends the walk: the client is then the last address that is known, which is that of
 * a proxy. So does the limit, the setting forwarded_max: 16 addresses by default. And so does a header that comes to leat as several: nginx before
 * 1.23 hands on each line alone (deploy/nginx/leat_params joins those of X-Forwarded-For), and lighttpd calls X_Forwarded_For, which
 * anybody can send along, by the same name. All are counted: leat_forwarded_stops_total.
 *
 * Where nginx does it (ngx_http_realip_module), leave trusted_proxies empty: REMOTE_ADDR is the client already.
 *
 * Ownership:      texts live as long as the request.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         none; a bad trusted_proxies ends the start.
 */
#ifndef LEAT_CLIENT_H
#define LEAT_CLIENT_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>

struct leat_request;

/* The client's address, as in the access log; what the front server calls a client that came by a Unix socket, "unix:" for nginx. */
LEAT_API leat_text leat_client_address(struct leat_request *req);

/* Whether the client came by HTTPS. */
LEAT_API bool leat_client_is_https(struct leat_request *req);

#endif
