// fasthttp: the routes of the benchmark in fasthttp, with pgx.
//
// Set for speed: no middleware, hello rendered once, and a query without a
// context to watch, which would cost pgx a goroutine each time.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
	"github.com/valyala/fasthttp"
)

type user struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

var (
	socket   = flag.String("socket", "", "path of the Unix socket to serve")
	database = flag.String("database", "", "URL of the database")
	pool     = flag.Int("pool", 6, "connections to the database")
)

func main() {
	flag.Parse()
	db, err := connect(*database, *pool)
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

func connect(url string, connections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Prepare(ctx, "user_by_id", "SELECT id, name, email FROM users WHERE id = $1")
		return err
	}
	return pgxpool.ConnectConfig(context.Background(), config)
}

func route(ctx *fasthttp.RequestCtx, db *pgxpool.Pool) {
	const users = "/api/users/"

	switch path := string(ctx.Path()); {
	case !ctx.IsGet():
		ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
	case path == "/api/hello":
		hello(ctx)
	case strings.HasPrefix(path, users):
		getUser(ctx, db, path[len(users):])
	default:
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	}
}

var helloBody = []byte(`{"message":"hello"}`)

func hello(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("application/json")
	ctx.Response.SetBodyRaw(helloBody)
}

func getUser(ctx *fasthttp.RequestCtx, db *pgxpool.Pool, idText string) {
	id, err := strconv.ParseInt(idText, 10, 64)
	if err != nil {
		ctx.SetStatusCode(fasthttp.StatusBadRequest)
		return
	}

	var u user
	err = db.QueryRow(context.Background(), "user_by_id", id).Scan(&u.ID, &u.Name, &u.Email)
	switch {
	case err == nil:
		ctx.SetContentType("application/json")
		json.NewEncoder(ctx).Encode(&u)
	case errors.Is(err, pgx.ErrNoRows):
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	default:
		log.Print(err)
		ctx.SetStatusCode(fasthttp.StatusInternalServerError)
	}
}
