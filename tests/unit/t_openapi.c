/* t_openapi.c - tables of routes as an OpenAPI document. That it is valid, and true, is tests/web/test_openapi.py's to say. */
#include <leat.h>
#include <stdio.h>

#include "http/openapi.h"
#include "http/router.h"
#include "tests/unit/arena_stand.h"

static enum leat_result handler(struct leat_request *req)
{
	(void)req;
	return LEAT_OK;
}

/* The document of one table, in one line. */
static const char *document_of(const struct leat_route *table, const struct leat_middleware *middleware)
{
	char error[1024];
	const struct leat_route *const tables[] = { table, NULL };
	const struct leat_service service = {
		.name = "shop \"A\"", .version = "1.2", .routes = tables, .middleware = middleware
	};
	struct router *router = router_new(tables, error, sizeof(error));
	struct buffer out;

	ck_assert_msg(router != NULL, "%s", error);
	buffer_init(&out, &arena, 1);
	openapi_write(&out, &service, router_routes(router), false);
	router_free(router);
	return arena_copy(&arena, out.data, out.len);
}

static void check_has(const char *document, const char *part)
{
	ck_assert_msg(strstr(document, part) != NULL, "no %s in\n%s", part, document);
}

static void check_has_not(const char *document, const char *part)
{
	ck_assert_msg(strstr(document, part) == NULL, "%s in\n%s", part, document);
}

#define TABLE(...) ((const struct leat_route[]){ __VA_ARGS__, LEAT_ROUTES_END })
#define GET(path, ...) \
	{ \
		.verb = { .method = LEAT_METHOD_GET }, .pattern = (path), .handler = handler, __VA_ARGS__ \
	}

START_TEST(begins_with_the_service)
{
	ck_assert_str_eq(
		document_of((const struct leat_route[]){ LEAT_OPENAPI("/openapi.json"), LEAT_ROUTES_END }, NULL),
		"{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"shop \\\"A\\\"\",\"version\":\"1.2\"},"
		"\"servers\":[{\"url\":\"/\"}],\"security\":[],\"tags\":[],\"paths\":{},"
		"\"components\":{\"responses\":{},\"schemas\":{\"Problem\":{\"type\":\"object\","
		"\"description\":\"A failure (RFC 9457).\",\"properties\":{"
		"\"type\":{\"type\":\"string\",\"format\":\"uri-reference\"},\"title\":{\"type\":\"string\"},"
		"\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},\"detail\":{\"type\":\"string\"},"
		"\"request_id\":{\"type\":\"string\",\"description\":\"What the service's log calls this request.\"},"
		"\"errors\":{\"type\":\"array\",\"description\":\"All that is wrong with the input.\","
		"\"items\":{\"type\":\"object\",\"properties\":{\"pointer\":{\"type\":\"string\",\"description\":"
		"\"A place in the body: a JSON pointer as a fragment (RFC 6901 6).\"},"
		"\"parameter\":{\"type\":\"string\",\"description\":\"Or a parameter of the path or the query.\"},"
		"\"detail\":{\"type\":\"string\"}},\"required\":[\"detail\"]}}},"
		"\"required\":[\"type\",\"title\",\"status\"]}},\"securitySchemes\":{}}}");
}
END_TEST

/* Paths ------------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *pattern;
	const char *part;
} paths[] = {
	{ "/", "\"/\":{\"get\":{\"operationId\":\"get\",\"summary\":\"GET /\"" },
	{ "/caf\xC3\xA9/a b", "\"/caf%C3%A9/a%20b\":{\"get\":{\"operationId\":\"get_caf___a_b\"" },
	{ "/a/{id:int}", "\"/a/{id}\":{\"get\":{\"operationId\":\"get_a_id\"" },
	{ "/a/{id:int}", "{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"integer\","
			 "\"format\":\"int64\"}}" },
	{ "/a/{n:uint}", "\"schema\":{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0}" },
	{ "/a/{u:uuid}", "\"schema\":{\"type\":\"string\",\"format\":\"uuid\"}" },
	{ "/a/{d:date}", "\"schema\":{\"type\":\"string\",\"format\":\"date\"}" },
	{ "/a/{any}", "\"schema\":{\"type\":\"string\",\"minLength\":1}" },
	{ "/{name}.{ext}", "\"/{name}.{ext}\":" },
	{ "/f/{rest...}", "\"/f/{rest}\":" },
	{ "/f/{rest...}", "\"x-leat-tail\":true,\"schema\":{\"type\":\"string\"}" },
	{ "/{s:[a-z0-9-]+}", "\"schema\":{\"type\":\"string\",\"pattern\":\"^(?:[a-z0-9-]+)$\"}" },
	{ "/{s:\\d{4}(?:-\\d{2})?|x}", "\"pattern\":\"^(?:\\\\d{4}(?:-\\\\d{2})?|x)$\"" },
	{ "/{s:[^.\\]]+?\\.(jpg|png)}", "\"pattern\":\"^(?:[^.\\\\]]+?\\\\.(jpg|png))$\"" },
};

START_TEST(a_pattern_becomes_a_path_and_parameters)
{
	check_has(document_of(TABLE(GET(paths[_i].pattern)), NULL), paths[_i].part);
}
END_TEST

/* JavaScript reads these otherwise, or not at all. */
static const char *const expressions[] = { "(?i)abc", "a++b",     "[[:alpha:]]+", "\\s+",    "[]a]+",
					   "a{,3}b",  "x\\Qy\\E", "(?>a|ab)c",    "\\p{Lu}", "(*UTF)a." };

START_TEST(an_expression_that_only_pcre2_knows_is_told_in_words)
{
	const char *pattern = arena_format(&arena, "/{s:%s}", expressions[_i]).ptr;
	const char *document = document_of(TABLE(GET(pattern)), NULL);

	check_has(document,
		  "\"schema\":{\"type\":\"string\",\"description\":\"It fits the regular expression (PCRE2) `");
	check_has_not(document, "\"pattern\"");
}
END_TEST

START_TEST(operations_are_called_as_their_routes)
{
	const char *document = document_of(
		TABLE(GET("/a", .name = "v1.user"), GET("/b", .name = "get_c"), GET("/c"), GET("/c_")), NULL);

	check_has(document, "\"operationId\":\"v1.user\"");
	check_has(document, "\"operationId\":\"get_c\"");
	check_has(document, "\"operationId\":\"get_c_2\"");
	check_has(document, "\"operationId\":\"get_c_\"");
}
END_TEST

START_TEST(the_tag_is_the_file)
{
	static const struct leat_route table[] = {
		{ { LEAT_METHOD_GET, 7, "handlers/users.c" }, .pattern = "/a", .handler = handler },
		{ { LEAT_METHOD_PUT, 8, "handlers/users.c" }, .pattern = "/a", .handler = handler },
		LEAT_ROUTES_END
	};
	const char *document = document_of(table, NULL);

	check_has(document, "\"tags\":[{\"name\":\"users\"}],\"paths\"");
	check_has(document, "\"tags\":[\"users\"]");
}
END_TEST

/* Shapes ----------------------------------------------------------------------------------------------------------- */

struct inner {
	bool yes;
};
static const struct leat_shape inner_shape = LEAT_SHAPE(struct inner, LEAT_BOOL(yes));

struct all {
	int8_t i8;
	uint16_t u16;
	int32_t i32;
	int64_t i64, few, some, below;
	uint64_t u64;
	double d, share;
	leat_text text, name, email;
	leat_bytes bytes, key;
	leat_time at;
	leat_uuid id;
	leat_json any;
	leat_ints ints;
	leat_texts texts;
	struct leat_list list;
	struct inner object, maybe;
	bool has_some;
};

static const struct leat_shape all_shape = LEAT_SHAPE(
	struct all, LEAT_INT(i8), LEAT_INT(u16), LEAT_INT(i32), LEAT_INT(i64), LEAT_INT(few, .min = 1, .max = 100), LEAT_INT(below, .min = -5),
	LEAT_INT(some, .optional = true, .has = LEAT_HAS(struct all, has_some)), LEAT_INT(u64), LEAT_FLOAT(d),
	LEAT_FLOAT(share, .min = 0, .max = 1), LEAT_TEXT(text), LEAT_TEXT(name, .min = 1, .max = 80),
	LEAT_TEXT(email, .format = LEAT_FORMAT_EMAIL, .optional = true), LEAT_BYTES(bytes), LEAT_BYTES(key, .min = 16, .max = 32),
	LEAT_TIME(at), LEAT_UUID(id), LEAT_JSON(any), LEAT_INTS(ints, .max = 3), LEAT_TEXTS(texts, .optional = true),
	LEAT_LIST(list, &inner_shape, .min = 1), LEAT_OBJECT(object, &inner_shape), LEAT_OBJECT(maybe, &inner_shape, .optional = true));

static const char *const fields[] = {
	"\"i8\":{\"type\":\"integer\",\"format\":\"int8\",\"minimum\":-128,\"maximum\":127}",
	"\"u16\":{\"type\":\"integer\",\"format\":\"uint16\",\"minimum\":0,\"maximum\":65535}",
	"\"i32\":{\"type\":\"integer\",\"format\":\"int32\"}",
	"\"i64\":{\"type\":\"integer\",\"format\":\"int64\"}",
	"\"few\":{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":1,\"maximum\":100}",
	"\"below\":{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":-5,\"maximum\":0}",
	"\"some\":{\"type\":[\"integer\",\"null\"],\"format\":\"int64\"}",
	"\"u64\":{\"type\":\"integer\",\"format\":\"uint64\",\"minimum\":0}",
	"\"d\":{\"type\":\"number\",\"format\":\"double\"}",
	"\"share\":{\"type\":\"number\",\"format\":\"double\",\"minimum\":0,\"maximum\":1}",
	"\"text\":{\"type\":\"string\"}",
	"\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":80}",
	"\"email\":{\"type\":[\"string\",\"null\"],\"format\":\"email\"}",
	"\"bytes\":{\"type\":\"string\",\"contentEncoding\":\"base64\"}",
	"\"key\":{\"type\":\"string\",\"contentEncoding\":\"base64\",\"minLength\":24,\"maxLength\":44,\"description\":"
	"\"16 to 32 bytes\"}",
	"\"at\":{\"type\":\"string\",\"format\":\"date-time\"}",
	"\"id\":{\"type\":\"string\",\"format\":\"uuid\"}",
	"\"any\":{\"description\":\"Any JSON.\"}",
	"\"ints\":{\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"integer\",\"format\":\"int64\"}}",
	"\"texts\":{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\"}}",
	"\"list\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/components/schemas/inner\"}}",
	"\"object\":{\"$ref\":\"#/components/schemas/inner\"}",
	"\"maybe\":{\"anyOf\":[{\"$ref\":\"#/components/schemas/inner\"},{\"type\":\"null\"}]}",
	"\"inner\":{\"type\":\"object\",\"properties\":{\"yes\":{\"type\":\"boolean\"}},\"required\":[\"yes\"],"
	"\"additionalProperties\":false}",
	"\"required\":[\"i8\",\"u16\",\"i32\",\"i64\",\"few\",\"below\",\"u64\",\"d\",\"share\",\"text\",\"name\","
	"\"bytes\",\"key\",\"at\","
	"\"id\",\"any\",\"ints\",\"list\",\"object\"]",
};

START_TEST(each_kind_of_field_has_its_schema)
{
	check_has(document_of(TABLE(GET("/a", .reply = &all_shape)), NULL), fields[_i]);
}
END_TEST

/* A shape of another file with the same name, and one that holds itself. */
struct tree {
	struct leat_list children;
};
static const struct leat_shape tree_shape = LEAT_SHAPE(struct tree, LEAT_LIST(children, &tree_shape));
static const struct leat_shape other_shape = { .name = "struct tree", .size = 1 };
static const struct leat_shape problem_shape = { .name = "Problem", .size = 1 };

START_TEST(shapes_of_one_name_stay_apart)
{
	const char *document = document_of(TABLE(GET("/a", .reply = &tree_shape), GET("/b", .reply = &other_shape),
						 GET("/c", .reply = &problem_shape)),
					   NULL);

	check_has(document, "\"tree\":{\"type\":\"object\",\"properties\":{\"children\":{\"type\":\"array\",\"items\":"
			    "{\"$ref\":\"#/components/schemas/tree\"}}}");
	check_has(document,
		  "\"tree_2\":{\"type\":\"object\",\"properties\":{},\"required\":[],\"additionalProperties\":false}");
	check_has(document, "\"Problem_2\":{");
}
END_TEST

/* Replies ---------------------------------------------------------------------------------------------------------- */

#define PROBLEM(status, name) "\"" status "\":{\"$ref\":\"#/components/responses/" name "\"}"
#define ALWAYS                PROBLEM("503", "UNAVAILABLE") "," PROBLEM("504", "TIMED_OUT") "," PROBLEM("default", "FAILURE") "}"
#define INNER_CONTENT         "\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/inner\"}}}"

START_TEST(a_reply_has_its_status)
{
	check_has(document_of(TABLE(GET("/a", .reply = &inner_shape)), NULL),
		  "\"responses\":{\"200\":{\"description\":\"Success\"," INNER_CONTENT "}," ALWAYS);
	check_has(document_of(TABLE(GET("/a", .reply = &inner_shape, .status = 203)), NULL),
		  "\"responses\":{\"203\":{\"description\":\"Success\"," INNER_CONTENT "}," ALWAYS);
	check_has(document_of(TABLE(GET("/a", .status = 204)), NULL),
		  "\"responses\":{\"204\":{\"description\":\"Success\"}," ALWAYS);
	check_has(document_of(TABLE(GET("/a", .status = 303)), NULL),
		  "\"responses\":{\"303\":{\"description\":\"Elsewhere\"}," ALWAYS);
	check_has(document_of(TABLE(GET("/a")), NULL), "\"responses\":{\"2XX\":{\"description\":\"Success\"}," ALWAYS);
}
END_TEST

START_TEST(failures_are_those_that_the_route_can_have)
{
	check_has(document_of(TABLE(GET("/a/{id:int}")), NULL), "}," PROBLEM("404", "NOT_FOUND") "," ALWAYS);
	check_has(document_of(TABLE(GET("/a", .body = &inner_shape)), NULL),
		  "\"requestBody\":{\"required\":true," INNER_CONTENT
		  "},\"responses\":{\"2XX\":{\"description\":\"Success\"}," PROBLEM("400", "BAD_REQUEST") "," PROBLEM(
			  "413", "TOO_LARGE") "," PROBLEM("415", "UNSUPPORTED_TYPE") "," PROBLEM("422",
												 "INVALID") "," ALWAYS);
}
END_TEST

START_TEST(each_failure_is_a_problem)
{
	check_has(document_of(TABLE(GET("/a/{id:int}")), NULL),
		  "\"components\":{\"responses\":{\"FAILURE\":{\"description\":\"Any other "
		  "failure\",\"content\":{\"application/"
		  "problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/"
		  "Problem\"}}}},\"NOT_FOUND\":{\"description\":\"Not found\"");
}
END_TEST

static enum leat_result render(struct leat_request *req, const struct leat_problem *problem)
{
	(void)problem;
	return leat_reply_empty(req, 500);
}

START_TEST(but_not_where_the_service_has_a_form_of_its_own)
{
	static const struct leat_problems own = { render };
	static const struct leat_middleware list[] = { LEAT_PROBLEMS(&own), LEAT_MIDDLEWARE_END };
	const char *document = document_of(TABLE(GET("/a")), list);

	check_has(
		document,
		"\"504\":{\"description\":\"Deadline exceeded\"},\"default\":{\"description\":\"Any other failure\"}");
	check_has(document, "\"components\":{\"responses\":{},");
	check_has(document_of(TABLE(GET("/a", .middleware = list), GET("/b")), NULL),
		  "\"default\":{\"description\":\"Any other failure\"}}}},\"/b\":");
}
END_TEST

/* Routes that OpenAPI cannot tell apart ---------------------------------------------------------------------------- */

START_TEST(paths_that_differ_in_names_alone_are_one)
{
	const char *document = document_of(
		TABLE(GET("/a/{id:int}"),
		      { { .method = LEAT_METHOD_DELETE }, .pattern = "/a/{slug}", .handler = handler }),
		NULL);

	check_has(document, "\"/a/{id}\":{\"get\":");
	check_has(document, "\"delete\":{\"operationId\":\"delete_a_slug\",\"summary\":\"DELETE "
			    "/a/{slug}\",\"parameters\":[{\"name\":\"id\"");
	check_has_not(document, "/a/{slug}\":");
}
END_TEST

START_TEST(and_of_one_method_so_are_their_operations)
{
	const char *document = document_of(TABLE(GET("/a/{id:int}", .reply = &inner_shape, .summary = "By id"),
						 GET("/a/{slug}", .reply = &tree_shape),
						 GET("/a/{u:uuid}", .reply = &tree_shape)),
					   NULL);

	check_has(document, "\"description\":\"One of these, by what the parameters are:\\n- `/a/{id:int}`: By id\\n- "
			    "`/a/{slug}`\\n- `/a/{u:uuid}`\"");
	check_has(document, "\"schema\":{\"anyOf\":[{\"type\":\"integer\",\"format\":\"int64\"},{\"type\":\"string\","
			    "\"minLength\":1},"
			    "{\"type\":\"string\",\"format\":\"uuid\"}]}");
	check_has(document, "\"schema\":{\"anyOf\":[{\"$ref\":\"#/components/schemas/inner\"},{\"$ref\":\"#/components/"
			    "schemas/tree\"}]}");
}
END_TEST

/* Security --------------------------------------------------------------------------------------------------------- */

static const struct leat_jwt staff = { .keys = "k", .issuer = "i", .audience = "a" };
static const struct leat_api_key shop = { .file = "k" }, press = { .file = "l" },
				 partner = { .file = "k", .header = "X-Partner" };
static const struct leat_basic people = { .realm = "r", .file = "f" };

static const struct leat_middleware office[] = { LEAT_JWT(&staff), LEAT_SCOPE("orders:read orders:write"),
						 LEAT_ROLE("boss"), LEAT_MIDDLEWARE_END };
static const struct leat_middleware doors[] = { LEAT_API_KEY(&shop), LEAT_API_KEY(&press), LEAT_API_KEY(&partner),
						LEAT_BASIC(&people), LEAT_MIDDLEWARE_END };

START_TEST(middleware_tells_what_it_demands)
{
	const char *document = document_of(TABLE(GET("/a", .middleware = office)), NULL);

	check_has(document, "\"security\":[{\"jwt\":[\"orders:read\",\"orders:write\",\"boss\"]}]");
	check_has(document, PROBLEM("401", "UNAUTHORIZED") "," PROBLEM("403", "FORBIDDEN"));
	check_has(document, "\"securitySchemes\":{\"jwt\":{\"type\":\"http\",\"scheme\":\"bearer\"}}");
}
END_TEST

START_TEST(several_must_all_let_pass)
{
	const char *document = document_of(TABLE(GET("/a", .middleware = doors)), NULL);

	check_has(document, "\"security\":[{\"api_key\":[],\"api_key_2\":[],\"basic\":[]}]");
	check_has(document,
		  "\"securitySchemes\":{\"api_key\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-Key\"},"
		  "\"api_key_2\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-Partner\"},"
		  "\"basic\":{\"type\":\"http\",\"scheme\":\"basic\"}}");
	check_has_not(document, "\"403\"");
}
END_TEST

static struct leat_demand demand_session(const void *options)
{
	(void)options;
	return (struct leat_demand){ .cookie = "session" };
}

START_TEST(so_does_a_middleware_of_the_services_own)
{
	static const struct leat_middleware list[] = { { "session", .demand = demand_session }, LEAT_MIDDLEWARE_END };
	const char *document = document_of(TABLE(GET("/a")), list);

	check_has(document, "\"security\":[{\"session\":[]}]");
	check_has(document, "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"session\"}");
}
END_TEST

#define LOOP(tcase, test, array) tcase_add_loop_test(tcase, test, 0, (int)(sizeof(array) / sizeof(array[0])))

Suite *suite(void)
{
	Suite *s = suite_create("openapi");
	TCase *tables = tcase_create("tables");

	suite_add_tcase(s, tables);
	tcase_add_checked_fixture(tables, set_up_arena, tear_down_arena);
	LOOP(tables, a_pattern_becomes_a_path_and_parameters, paths);
	LOOP(tables, an_expression_that_only_pcre2_knows_is_told_in_words, expressions);
	LOOP(tables, each_kind_of_field_has_its_schema, fields);
	ARENA_CASE(s, "frame", begins_with_the_service, operations_are_called_as_their_routes, the_tag_is_the_file);
	ARENA_CASE(s, "shapes", shapes_of_one_name_stay_apart);
	ARENA_CASE(s, "replies", a_reply_has_its_status, failures_are_those_that_the_route_can_have,
		   each_failure_is_a_problem, but_not_where_the_service_has_a_form_of_its_own);
	ARENA_CASE(s, "one path", paths_that_differ_in_names_alone_are_one, and_of_one_method_so_are_their_operations);
	ARENA_CASE(s, "security", middleware_tells_what_it_demands, several_must_all_let_pass,
		   so_does_a_middleware_of_the_services_own);
	return s;
}
