// gin: the routes of the benchmark in Gin, with pgx.
//
// Set for speed: release mode, no middleware, hello rendered once, and a query
// without a context to watch, which would cost pgx a goroutine each time.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
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

	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/api/hello", hello)
	router.GET("/api/users/:id", func(c *gin.Context) { getUser(c, db) })
	log.Fatal(http.Serve(listener, router))
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

var helloBody = []byte(`{"message":"hello"}`)

func hello(c *gin.Context) {
	c.Data(http.StatusOK, "application/json", helloBody)
}

func getUser(c *gin.Context, db *pgxpool.Pool) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		c.Status(http.StatusBadRequest)
		return
	}

	var u user
	err = db.QueryRow(context.Background(), "user_by_id", id).Scan(&u.ID, &u.Name, &u.Email)
	switch {
	case err == nil:
		c.JSON(http.StatusOK, &u)
	case errors.Is(err, pgx.ErrNoRows):
		c.Status(http.StatusNotFound)
	default:
		log.Print(err)
		c.Status(http.StatusInternalServerError)
	}
}
