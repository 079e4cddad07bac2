/* auth.c - routes behind tokens, API keys and passwords; they answer who asks. */
#include <leat.h>

struct caller_reply {
	int64_t kind;
	leat_text subject, issuer, team;
	leat_texts scopes, roles;
};

static const struct leat_shape caller_shape = LEAT_SHAPE(struct caller_reply, LEAT_INT(kind), LEAT_TEXT(subject, .optional = true),
		   LEAT_TEXT(issuer, .optional = true), LEAT_TEXT(team, .optional = true), LEAT_TEXTS(scopes),
		   LEAT_TEXTS(roles));

struct own_claims {
	leat_text team;
};

static const struct leat_shape own_claims_shape = LEAT_SHAPE(struct own_claims, LEAT_TEXT(team, .optional = true, .max = 20));

static enum leat_result get_caller(struct leat_request *req)
{
	const struct leat_caller *caller = leat_caller_get(req);
	const struct own_claims *claims = caller->claims;
	struct caller_reply reply = { .kind = caller->kind,
				      .subject = caller->subject,
				      .issuer = caller->issuer,
				      .team = claims ? claims->team : (leat_text){ NULL, 0 },
				      .scopes = caller->scopes,
				      .roles = caller->roles };

	if (!reply.scopes.items)
		reply.scopes.items = leat_alloc(req, 1);
	if (!reply.roles.items)
		reply.roles.items = leat_alloc(req, 1);
	return leat_reply(req, 200, &caller_shape, &reply);
}

/* What a handler does that knows more than the token. */
static enum leat_result get_revoked(struct leat_request *req)
{
	(void)req;
	return LEAT_UNAUTHORIZED;
}

/* The digest of "a key that the service itself looks up". */
static enum leat_result find_key(struct leat_request *req, leat_bytes digest, struct leat_caller *caller)
{
	static const uint8_t wanted[] = { 0xc8, 0x89, 0xc5, 0x66, 0x99, 0x74, 0x88, 0x24 };

	(void)req;
	if (memcmp(digest.ptr, wanted, sizeof(wanted)) != 0)
		return LEAT_NOT_FOUND;
	caller->subject = LEAT_TEXT_OF("looked up");
	return LEAT_OK;
}

/* The hash of "secret". */
static enum leat_result find_user(struct leat_request *req, leat_text user, leat_text *ret_hash,
				  struct leat_caller *caller)
{
	static leat_text roles[] = { { "clerk", 5 } };

	if (leat_text_equal(user, LEAT_TEXT_OF("broken")))
		return LEAT_UNAVAILABLE;
	if (!leat_text_equal(user, LEAT_TEXT_OF("carol")))
		return LEAT_NOT_FOUND;
	*ret_hash = leat_format(req, "%s", "$2b$04$CjNzKsXMqEvYh2Vb4Iq6ROclhVBBWfX9SpvaI/oXRtpcU0eSPqjWa");
	caller->roles = (leat_texts){ roles, 1 };
	return LEAT_OK;
}

static const struct leat_jwt shop = { .keys = "jwks.json",
				      .issuer = "https://id.example.org",
				      .audience = "shop",
				      .realm = "the \"shop\"",
				      .claims = &own_claims_shape,
				      .leeway_s = 5 };
static const struct leat_api_key machines = { .file = "api-keys", .realm = "machines" };
static const struct leat_api_key looked_up_key = { .find = find_key, .header = "X-Token" };
static const struct leat_basic people = { .realm = "the \\ \"office\"", .file = "users" };
static const struct leat_basic looked_up_people = { .realm = "desk", .find = find_user };

static const struct leat_middleware token[] = { LEAT_JWT(&shop), LEAT_MIDDLEWARE_END };
static const struct leat_middleware writing[] = { LEAT_SCOPE("orders:read orders:write"), LEAT_MIDDLEWARE_END };
static const struct leat_middleware managing[] = { LEAT_ROLE("manager"), LEAT_MIDDLEWARE_END };
static const struct leat_middleware key[] = { LEAT_API_KEY(&machines), LEAT_MIDDLEWARE_END };
static const struct leat_middleware found_key[] = { LEAT_API_KEY(&looked_up_key), LEAT_MIDDLEWARE_END };
static const struct leat_middleware password[] = { LEAT_BASIC(&people), LEAT_MIDDLEWARE_END };
static const struct leat_middleware found_password[] = { LEAT_BASIC(&looked_up_people), LEAT_ROLE("clerk"),
							 LEAT_MIDDLEWARE_END };

static const struct leat_route token_routes[] = { { LEAT_GET, "", get_caller, .summary = "Who asks" },
						  { LEAT_GET, "/write", get_caller, .middleware = writing },
						  { LEAT_GET, "/manage", get_caller, .middleware = managing },
						  { LEAT_GET, "/revoked", get_revoked, .summary = "Never good" },
						  LEAT_ROUTES_END };
static const struct leat_route key_routes[] = { { LEAT_GET, "", get_caller, .summary = "Who asks" },
						{ LEAT_GET, "/write", get_caller, .middleware = writing },
						LEAT_ROUTES_END };

const struct leat_route auth_routes[] = { LEAT_MOUNT("/auth/token", token_routes, .middleware = token),
					  LEAT_MOUNT("/auth/key", key_routes, .middleware = key),
					  { LEAT_GET, "/auth/found-key", get_caller, .middleware = found_key },
					  { LEAT_GET, "/auth/password", get_caller, .middleware = password },
					  { LEAT_GET, "/auth/found-password", get_caller,
					    .middleware = found_password },
					  { LEAT_GET, "/auth/nobody", get_caller, .middleware = writing },
					  LEAT_ROUTES_END };
