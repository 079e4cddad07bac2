/* openapi.h - a service as an OpenAPI 3.1 document: leat/openapi.h says what is in it.
 *
 * Use:
 *     openapi_write(&out, service, router_routes(router), true);   -- for people
 *
 *     openapi_setup(service, router_routes(router));               -- before workers are
 *     openapi_close();
 *
 * openapi.c writes the frame and goes through the paths; openapi_path.c has the parameters, openapi_schema.c the shapes, openapi_reply.c bodies
 * and replies, openapi_security.c what middleware demands, openapi_serve.c the handlers.
 *
 * Ownership:      what openapi_setup makes lives until openapi_close; it is inherited by the processes.
 * Thread-safety:  setup and close: one thread, without requests. What is made is only read.
 * Errors:         none.
 */
#ifndef APP_HTTP_OPENAPI_H
#define APP_HTTP_OPENAPI_H

#include <leat/service.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "http/routes.h"

void openapi_write(struct buffer *out, const struct leat_service *service, const struct routes *routes,
		   bool is_indented);

/* Makes what the handlers reply with, if a route has them. Again: in place of what there is. */
void openapi_setup(const struct leat_service *service, const struct routes *routes);
void openapi_close(void);

#endif
