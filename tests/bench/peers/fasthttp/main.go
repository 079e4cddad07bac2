// fasthttp: the routes of the benchmark in fasthttp, with pgx.
//
// Set for speed: no middleware, hello rendered once.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"log"
	"net"
	"strconv"
	"strings"

	"../store"
	"github.com/jackc/pgx/v4"
	"github.com/valyala/fasthttp"
)

var (
	socket   = flag.String("socket", "", "path of the Unix socket to serve")
	database = flag.String("database", "", "URL of the database")
	pool     = flag.Int("pool", 6, "connections to the database")
)

func main() {
	flag.Parse()
	db, err := store.Connect(*database, *pool)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", *socket)
	if err != nil {
		log.Fatal(err)
	}

	server := &fasthttp.Server{
		Handler:               func(ctx *fasthttp.RequestCtx) { route(ctx, db) },
		NoDefaultServerHeader: true,
		NoDefaultDate:         true, // nginx sets its own
	}
	log.Fatal(server.Serve(listener))
}

func route(ctx *fasthttp.RequestCtx, db *store.Store) {
	const (
		users   = "/api/users/"
		queries = "/api/queries/"
		updates = "/api/updates/"
		batch   = "/batch"
	)

	switch path := string(ctx.Path()); {
	case !ctx.IsGet():
		ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
	case path == "/api/hello":
		hello(ctx)
	case strings.HasPrefix(path, users):
		getUser(ctx, db, path[len(users):])
	case path == "/api/slow":
		getSlow(ctx, db)
	case strings.HasPrefix(path, queries) && strings.HasSuffix(path, batch):
		getNumbers(ctx, db.QueriesBatch, path[len(queries):len(path)-len(batch)])
	case strings.HasPrefix(path, queries):
		getNumbers(ctx, db.Queries, path[len(queries):])
	case strings.HasPrefix(path, updates) && strings.HasSuffix(path, batch):
		getNumbers(ctx, db.UpdatesBatch, path[len(updates):len(path)-len(batch)])
	case strings.HasPrefix(path, updates):
		getNumbers(ctx, db.Updates, path[len(updates):])
	default:
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	}
}

var helloBody = []byte(`{"message":"hello"}`)

func hello(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("application/json")
	ctx.Response.SetBodyRaw(helloBody)
}

func getUser(ctx *fasthttp.RequestCtx, db *store.Store, idText string) {
	id, err := strconv.ParseInt(idText, 10, 64)
	if err != nil {
		ctx.SetStatusCode(fasthttp.StatusBadRequest)
		return
	}
	u, err := db.User(id)
	reply(ctx, &u, err)
}

func getSlow(ctx *fasthttp.RequestCtx, db *store.Store) {
	slept, err := db.Slow()
	reply(ctx, &slept, err)
}

func getNumbers(ctx *fasthttp.RequestCtx, ask func(int) (store.Numbers, error), countText string) {
	count, err := strconv.Atoi(countText)
	if err != nil || count < 1 || count > 500 {
		ctx.SetStatusCode(fasthttp.StatusBadRequest)
		return
	}
	numbers, err := ask(count)
	reply(ctx, &numbers, err)
}

func reply(ctx *fasthttp.RequestCtx, value any, err error) {
	switch {
	case err == nil:
		ctx.SetContentType("application/json")
		json.NewEncoder(ctx).Encode(value)
	case errors.Is(err, pgx.ErrNoRows):
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	default:
		log.Print(err)
		ctx.SetStatusCode(fasthttp.StatusInternalServerError)
	}
}
